//! wasmi.

use wasmi::{Engine, Extern, Func, Memory, Module, Store, Val};

struct Instance {
    store: Store<()>,
    instance: wasmi::Instance,
    memory: Memory,
}

impl play::Instance for Instance {
    type Function = Func;

    fn function(&self, name: &str) -> Func {
        self.instance.get_func(&self.store, name).unwrap()
    }

    fn call(&mut self, function: &Func, arguments: &[i32]) -> Option<i32> {
        let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        function.call(&mut self.store, &arguments, &mut results).unwrap();
        results.first().map(|value| value.i32().unwrap())
    }

    fn write(&mut self, address: usize, bytes: &[u8]) {
        self.memory.write(&mut self.store, address, bytes).unwrap();
    }

    fn read(&self, address: usize, length: usize) -> Vec<u8> {
        self.memory.data(&self.store)[address..address + length].to_vec()
    }
}

fn main() {
    play::run(|bytes| {
        let engine = Engine::default();
        let module = Module::new(&engine, bytes).unwrap();
        Box::new(move || {
            let mut store = Store::new(&engine, ());
            let instance = wasmi::Instance::new(&mut store, &module, &[]).unwrap();
            let memory =
                instance.get_export(&store, "memory").and_then(Extern::into_memory).unwrap();
            Instance { store, instance, memory }
        })
    });
}
