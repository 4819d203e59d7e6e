/** A failure that the message explains in full: shown without a stack trace. */
export class ExplainedError extends Error {}

/**
 * Everything the scripts say goes to stderr: stdout belongs to the program they start.
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** @param {number} milliseconds */
export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * Runs a script's main function and turns what it throws into a message and an exit code.
 * @param {() => Promise<number | void>} main returns the exit code, 0 when it returns nothing
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    say(
      error instanceof ExplainedError
        ? `\n${error.message}`
        : String(error instanceof Error ? error.stack : error),
    );
    process.exitCode = 1;
  }
}
