import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { records } from '../../scripts/bootstrap/paths.mjs';

/** The blocks of a language in a Markdown text. */
export function blocksOf(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
  return Array.from(blocks, ([, code = '']) => code);
}

/** Runs a TypeScript program. Returns what it prints. */
export function runProgram(code: string): { stdout: string; stderr: string } {
  // Inside the clone, so that the package is found by its name.
  const folder = mkdtempSync(join(records, 'example-'));
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, code);
    const tsx = fileURLToPath(import.meta.resolve('tsx/cli'));
    return spawnSync(process.execPath, [tsx, file], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
