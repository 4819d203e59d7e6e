//! The allocator of the npm package's module, which has no memory to give: nothing in the module
//! allocates, and JavaScript keeps the books of its memory. What wasm-bindgen has beside would
//! otherwise link the standard allocator, and all that its assertions bring in.

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr,
};

struct Nothing;

// SAFETY: null is what an allocator returns that has no memory.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;
