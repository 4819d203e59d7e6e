// The codes of workers, which lie in bundles as texts.

/** What stands for characters that a string cannot hold as they are. */
const ESCAPED: Record<string, string> = { a: '@', b: '"', c: '\\', d: '\n' };

/** The code that scripts/build/worker-code.ts made such a text of. */
export function codeOf(text: string): string {
  return text.replace(/@(.)/g, (_, key: string) => ESCAPED[key] as string);
}
