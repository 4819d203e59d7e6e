//! The module as a host language sees it: numbers in, numbers out, rows through a tile of memory.
//!
//! All of it is compiled natively as well, where tests and fuzzers reach it; only `bindings` and
//! its neighbour for `analysis`, which name what WebAssembly exports, are not.

pub mod abi;
#[cfg(all(target_arch = "wasm32", feature = "no-allocator"))]
mod allocator;
#[cfg(all(target_arch = "wasm32", feature = "analysis"))]
mod analysis;
#[cfg(target_arch = "wasm32")]
mod bindings;
mod call;
#[cfg(feature = "analysis")]
mod figures;
#[cfg(feature = "analysis")]
mod meter;
#[cfg(feature = "analysis")]
pub mod order;
#[cfg(feature = "analysis")]
mod posterior;
#[cfg(feature = "analysis")]
mod ranked;
mod state;
#[cfg(feature = "analysis")]
mod sweep;
#[cfg(feature = "analysis")]
mod tally;
mod tile;

#[cfg(feature = "analysis")]
pub use meter::Meter;
pub use state::State;
pub use tile::Tile;
