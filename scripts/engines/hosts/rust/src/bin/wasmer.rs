//! wasmer.

use wasmer::{Function, Memory, Module, Store, Value, imports};

struct Instance {
    store: Store,
    instance: wasmer::Instance,
    memory: Memory,
}

impl play::Instance for Instance {
    type Function = Function;

    fn function(&self, name: &str) -> Function {
        self.instance.exports.get_function(name).unwrap().clone()
    }

    fn call(&mut self, function: &Function, arguments: &[i32]) -> Option<i32> {
        let arguments: Vec<Value> = arguments.iter().copied().map(Value::I32).collect();
        let results = function.call(&mut self.store, &arguments).unwrap();
        results.first().map(Value::unwrap_i32)
    }

    fn write(&mut self, address: usize, bytes: &[u8]) {
        self.memory.view(&self.store).write(address as u64, bytes).unwrap();
    }

    fn read(&self, address: usize, length: usize) -> Vec<u8> {
        let range = address as u64..(address + length) as u64;
        self.memory.view(&self.store).copy_range_to_vec(range).unwrap()
    }
}

fn main() {
    play::run(|bytes| {
        let engine = Store::default().engine().clone();
        let module = Module::new(&engine, bytes).unwrap();
        Box::new(move || {
            let mut store = Store::new(engine.clone());
            let instance = wasmer::Instance::new(&mut store, &module, &imports! {}).unwrap();
            let memory = instance.exports.get_memory("memory").unwrap().clone();
            Instance { store, instance, memory }
        })
    });
}
