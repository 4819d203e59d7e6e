import { InputError } from './errors.js';

/** Runs the main function of an example, which `npm run` knows by this name. */
export async function runProgram(name: string, main: () => void | Promise<void>): Promise<void> {
  // A reader who has seen enough, such as `head`, ends it without an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  try {
    await main();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(
      `${name}: ${error.message}\n${' '.repeat(name.length)}  npm run ${name} -- --help shows how it is used`,
    );
    process.exitCode = 1;
  }
}
