import { readdirSync, readFileSync } from 'node:fs';
import * as focalLoss from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';

// Every `@example` in ts/ is run. In them, a line `expression; // => value` says what the
// expression gives.

const sources = new URL('../../ts/', import.meta.url);

const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

const examples = files.flatMap((file) => {
  const source = readFileSync(new URL(file, sources), 'utf8');
  const blocks = source.matchAll(/@example\n\s*\* ```ts\n(?<code>[\s\S]*?)\s*\* ```/g);
  return Array.from(blocks, ({ groups }, i) => ({
    name: `${file}, example ${i + 1}`,
    code: (groups?.code ?? '').replaceAll(/^\s*\* ?/gm, ''),
  }));
});

/** Numbers may be written with fewer digits than they have. */
function check(actual: unknown, expected: unknown, written: string): void {
  if (typeof actual === 'number' && typeof expected === 'number') {
    const digits = Math.min(
      15,
      written.replace(/e.*/, '').replaceAll(/^-?0?\.?0*|\./g, '').length || 1,
    );
    expect(actual.toPrecision(digits)).toBe(expected.toPrecision(digits));
  } else {
    expect(actual).toEqual(expected);
  }
}

/**
 * The module that a specifier in an example stands for. The examples' modules are loaded as they
 * are needed.
 */
async function load(specifier: string): Promise<unknown> {
  if (specifier !== '@tensorflow/tfjs') return import(specifier);
  // The part of that package that is installed.
  await import('@tensorflow/tfjs-layers');
  await import('@tensorflow/tfjs-backend-cpu');
  return import('@tensorflow/tfjs-core');
}

/**
 * The example as the body of an async function of what it imports with, `import.meta` and `check`.
 * Returns it with its number of checks.
 */
function compile(code: string) {
  let checks = 0;
  const body = code
    .replaceAll(/^import (?:\* as )?(\{.*\}|\w+) from (.*);$/gm, 'const $1 = await load($2);')
    .replaceAll('import.meta', 'meta')
    .replaceAll(/^(?:const (\w+) = )?(.*); \/\/ => (.*)$/gm, (_, name, expression, expected) => {
      checks++;
      const call = `check(${name ?? expression}, ${expected}, ${JSON.stringify(expected)});`;
      return name === undefined ? call : `const ${name} = ${expression}; ${call}`;
    });
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  return { checks, run: new AsyncFunction('load', 'meta', 'check', body) };
}

describe('the examples in the documentation', () => {
  it('are found', () => {
    const published = Object.entries(focalLoss).filter(([, value]) => typeof value === 'function');
    for (const [name] of published) {
      expect(examples.some(({ code }) => code.includes(name))).toBe(true);
    }
    expect(examples.some(({ code }) => code.includes("from 'focal-loss/slim'"))).toBe(true);
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  it.each(examples)('$name', async ({ code }) => {
    const { checks, run } = compile(code);
    expect(checks).toBeGreaterThan(0);
    expect(code.split('// =>')).toHaveLength(checks + 1);
    await run(load, import.meta, check);
  });
});
