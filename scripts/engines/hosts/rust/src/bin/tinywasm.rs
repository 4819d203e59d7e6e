//! tinywasm.

use tinywasm::types::WasmValue;
use tinywasm::{Function, Memory, ModuleInstance, Store};

struct Instance {
    store: Store,
    instance: ModuleInstance,
    memory: Memory,
}

impl play::Instance for Instance {
    type Function = Function;

    fn function(&self, name: &str) -> Function {
        self.instance.func_untyped(&self.store, name).unwrap()
    }

    fn call(&mut self, function: &Function, arguments: &[i32]) -> Option<i32> {
        let arguments: Vec<_> = arguments.iter().copied().map(WasmValue::I32).collect();
        let results = function.call(&mut self.store, &arguments).unwrap();
        results.first().map(|value| value.as_i32().unwrap())
    }

    fn write(&mut self, address: usize, bytes: &[u8]) {
        self.memory.copy_from_slice(&mut self.store, address, bytes).unwrap();
    }

    fn read(&self, address: usize, length: usize) -> Vec<u8> {
        self.memory.read_vec(&self.store, address, length).unwrap()
    }
}

fn main() {
    play::run(|bytes| {
        let module = tinywasm::parse_bytes(bytes).unwrap();
        Box::new(move || {
            let mut store = Store::default();
            let instance = ModuleInstance::instantiate(&mut store, &module, None).unwrap();
            let memory = instance.memory("memory").unwrap();
            Instance { store, instance, memory }
        })
    });
}
