import { execFileSync } from 'node:child_process';
import { allocate, FocalLoss } from 'focal-loss';
import { expect, it } from 'vitest';

it('room that very long rows took is given back where it is needed', () => {
  const script = `
    import { allocate, FocalLoss } from 'focal-loss';
    const small = () => new FocalLoss().forward(new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]), new Int32Array([0, 1, 1]));
    const [before, wide] = [small(), new Float32Array(400_000)];
    const attempt = (call) => {
      try {
        return call();
      } catch (error) {
        return error.name + ': ' + error.message;
      }
    };
    const results = [];
    for (let round = 0; round < 3; round++) {
      // The tile takes 16 MB, and keeps them.
      const value = attempt(() => new FocalLoss().forward(wide, new Uint8Array(1)));
      // Probabilities take as much again as the logits do, beside the stage and all else that
      // allocations have room for.
      const narrow = attempt(() => allocate(1000, 2));
      narrow.dispose?.();
      const batch = attempt(() => allocate(1_000_000, 2));
      const inPlace = attempt(() => new FocalLoss().forward(batch.logits, batch.targets));
      // Now there is no room for such rows, and all else works.
      const refused = attempt(() => new FocalLoss().forward(wide, new Uint8Array(1)));
      results.push([value, narrow.rows, batch.rows, inPlace, refused, small() === before]);
      batch.dispose?.();
    }
    console.log(JSON.stringify(results));
  `;
  // 400 pages are 25 MiB.
  const output = execFileSync(
    process.execPath,
    ['--wasm-max-mem-pages=400', '--input-type=module', '--eval', script],
    {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
    },
  );
  const value = new FocalLoss().forward(new Float32Array(400_000), new Uint8Array(1));
  const inPlace = new FocalLoss().forward(new Float32Array(2_000_000), new Uint8Array(1_000_000));
  const refused = 'RangeError: not enough memory for rows of 400000 classes';
  const round = [value, 1000, 1_000_000, inPlace, refused, true];
  expect(JSON.parse(output)).toEqual([round, round, round]);
});

it('blocks lie beside each other, also where one between them was given back', () => {
  const batches = Array.from({ length: 40 }, (_, i) =>
    allocate(1 + ((i * 7) % 30), 1 + (i % 5), i % 2 ? 'float32' : 'float64'),
  );
  const fill = (i: number) => {
    const batch = batches[i];
    batch.logits.fill(i + 1);
    batch.targets.fill(i + 1);
    batch.grad.fill(i + 1);
  };
  for (let i = 0; i < batches.length; i++) fill(i);
  for (let round = 0; round < 200; round++) {
    const i = (round * 17) % batches.length;
    batches[i].dispose();
    batches[i] = allocate(1 + ((round * 11) % 60), 1 + (round % 7));
    const { logits, targets, grad } = batches[i];
    expect([logits, targets, grad].every((array) => array.every((entry) => entry === 0))).toBe(
      true,
    );
    fill(i);
    // The tile moves among them.
    new FocalLoss().forward(new Float32Array(100 * (1 + round)), new Uint8Array(1));
    for (let k = 0; k < batches.length; k++) {
      const { logits, targets, grad } = batches[k];
      expect(
        [logits, targets, grad].every((array) => array.every((entry) => entry === k + 1)),
      ).toBe(true);
    }
  }
  for (const batch of batches) batch.dispose();
});
