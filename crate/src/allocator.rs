//! The allocator of the npm package's module. The standard one is several times its size, for speed that a few blocks of memory do
//! not need, and has assertions, which bring in all that panics and the formatting of their messages are made of.

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
