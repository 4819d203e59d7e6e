import { environment, FocalLoss, init, ModuleError } from 'focal-loss';
import { expect, it, vi } from 'vitest';
import { expectWorking } from '../support/failure.js';

// Each file of tests loads the package anew: the module has not been started when the first test
// begins, and only the last one has it started.

const call = () => new FocalLoss().forward(new Float32Array(2), new Int8Array(1));

it('a criterion starts nothing', () => {
  const compile = vi.spyOn(WebAssembly, 'Module');
  expect(new FocalLoss({ gamma: 1 }).gamma).toBe(1);
  expect(compile).not.toHaveBeenCalled();
  compile.mockRestore();
});

it('a start that fails is tried again by the next call', () => {
  const compile = vi.spyOn(WebAssembly, 'Module').mockImplementation(function blocked() {
    throw new WebAssembly.CompileError('blocked');
  });
  expect(call).toThrow(ModuleError);
  expect(call).toThrow('blocked');
  expect(compile).toHaveBeenCalledTimes(2);
  compile.mockRestore();
});

it('an init that fails can be repeated', async () => {
  const compile = vi
    .spyOn(WebAssembly, 'instantiate')
    .mockRejectedValue(new WebAssembly.CompileError('blocked'));
  await expect(init()).rejects.toThrow('blocked');
  await expect(init()).rejects.toThrow('blocked');
  expect(compile).toHaveBeenCalledTimes(2);
  compile.mockRestore();
});

it('a big-endian processor is refused in words', async () => {
  // A typed array of such a processor has the bytes of its numbers the other way round.
  const reversed = vi.spyOn(Uint16Array, 'of').mockReturnValue(new Uint16Array([256]));
  expect(call).toThrow(ModuleError);
  expect(call).toThrow('this processor is big-endian');
  await expect(init()).rejects.toThrow('this processor is big-endian');
  reversed.mockRestore();
});

it('init compiles and starts once, however often it is awaited, and nothing of it synchronously', async () => {
  const synchronously = [vi.spyOn(WebAssembly, 'Module'), vi.spyOn(WebAssembly, 'Instance')];
  const compile = vi.spyOn(WebAssembly, 'instantiate');
  expect(await Promise.all([init(), init()])).toEqual([undefined, undefined]);
  await init();
  expect(compile).toHaveBeenCalledTimes(1);
  for (const compiler of synchronously) {
    expect(compiler).not.toHaveBeenCalled();
    compiler.mockRestore();
  }
  compile.mockRestore();
});

it('the processor keeps subnormals', () => {
  expect(environment.flushesSubnormals).toBe(false);
  expect(environment).toEqual({ flushesSubnormals: false });
});

it('after that, calls compile nothing', () => {
  const compile = vi.spyOn(WebAssembly, 'Module');
  expectWorking();
  expect(compile).not.toHaveBeenCalled();
  compile.mockRestore();
});
