import { init } from 'focal-loss';
import { expect, it } from 'vitest';
import { expectWorking } from '../support/failure.js';

it('a loss that is computed while init compiles starts the module, and init leaves it at that', async () => {
  const { Instance } = WebAssembly;
  let instances = 0;
  WebAssembly.Instance = class extends Instance {
    constructor(...parameters: ConstructorParameters<typeof Instance>) {
      super(...parameters);
      instances++;
    }
  };
  const pending = init();
  expectWorking();
  await pending;
  WebAssembly.Instance = Instance;
  expectWorking();
  expect(instances).toBe(1);
});
