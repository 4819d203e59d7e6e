/**
 * The losses for TensorFlow.js on its backend `webgpu` in Node, with the npm package of that name,
 * whose path is in WEBGPU_PACKAGE: what test/tfjs/gpu.test.ts asks of Chromium.
 */
import { BOUNDS } from '../../test/tfjs/comparison.js';
import type { GpuPage } from '../../test/tfjs/gpu-page.js';

/** The bounds of other backends, but where the largest error found here is another. */
const BOUNDS_HERE = { ...BOUNDS, sigmoid: 8e-7 };
/** The largest error of losses of rows that are right by up to 86, which is that of `exp`. */
const SMALL_BOUND = 3.5e-6;
/** Losses down to this have that bound. */
const SMALL = 2.4e-38;
/** Subnormals, which are 0, are those below this. */
const SMALLEST_NORMAL = 2 ** -126;

const { create, globals } = await import(process.env.WEBGPU_PACKAGE as string);
/** The page counts the reads of WebGL too, of which there is none. */
class WebGL2RenderingContext {
  readPixels() {}
  getBufferSubData() {}
}
Object.assign(globalThis, globals, { WebGL2RenderingContext });
Object.defineProperty(navigator, 'gpu', { value: create([]) });
await import('../../test/tfjs/gpu-page.js');
const page = Reflect.get(globalThis, 'page') as GpuPage;

/** The largest relative error of small losses, and how many subnormal ones are not 0. */
async function small(): Promise<[number, number]> {
  let largest = 0;
  let subnormals = 0;
  for (const [gap, loss] of (await page.small()).entries()) {
    const exact = Math.log1p(Math.exp(-gap));
    if (exact >= SMALL) largest = Math.max(largest, Math.abs(loss / exact - 1));
    else if (exact < SMALLEST_NORMAL && loss !== 0) subnormals++;
  }
  return [largest, subnormals];
}

const lost = await page.use('webgpu', {});
const { steps, reading, data } = await page.reads();
const left = await page.left();
const { logitAccuracy = [] } = await page.train();
const { actual, expected } = await page.masked('-Infinity');
const masked = Math.max(
  ...actual.flatMap((row, i) => row.map((x, j) => Math.abs(x - (expected[i]?.[j] as number)))),
);
const errors = await page.errors(1);
const [smallError, subnormals] = await small();

const failures = [
  lost === 2 ** -24 ? [] : [`numbers lose ${lost} beside 1`],
  steps > 60 && data > 0 ? [] : ['reads are not counted'],
  reading.length === 0 ? [] : [`a training step reads: ${reading}`],
  left === 0 ? [] : [`steps leave ${left} tensors behind`],
  Number(logitAccuracy.at(-1)) > 2 * Number(logitAccuracy[0]) ? [] : ['a model does not learn'],
  masked < 5e-6 ? [] : [`masked classes are wrong by ${masked}`],
  Object.entries(BOUNDS_HERE).flatMap(([which, bound]) => {
    const [error, loss] = errors[which as keyof typeof BOUNDS_HERE];
    return error < bound ? [] : [`${which} is wrong by ${error}: ${loss}`];
  }),
  smallError < SMALL_BOUND ? [] : [`small losses are wrong by ${smallError}`],
  subnormals === 0 ? [] : [`${subnormals} subnormal losses are not 0`],
].flat();
const figures = Object.entries(errors).map(([which, [error]]) => `${which} ${error}`);
console.log(
  `${failures.length === 0 ? 'WITHIN' : 'BEYOND'} ${figures.join(' ')} small ${smallError}`,
);
for (const failure of failures) console.log(failure);
// The GPU would keep the process.
process.exit();
