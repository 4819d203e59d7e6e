/** The stand-ins of packages that are too large to be installed for this. */
const STAND_INS = { '@duckdb/node-api': 'duckdb.ts', '@tensorflow/tfjs': 'tfjs.ts' };

/** A program that imports the stand-ins, which lie where `locate` says. */
export function withStandIns(program: string, locate: (file: string) => string): string {
  let result = program;
  for (const [name, file] of Object.entries(STAND_INS)) {
    result = result.replaceAll(`'${name}'`, JSON.stringify(locate(file)));
  }
  return result;
}
