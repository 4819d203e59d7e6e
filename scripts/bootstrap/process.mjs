import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ExplainedError, say, seconds } from './report.mjs';

/** The interval at which a running step says so where there is no terminal, in milliseconds. */
const HEARTBEAT = 15_000;

/**
 * @typedef {object} Outcome
 * @property {number} code exit code; -1 where the program could not be started
 * @property {string} stdout
 * @property {string} output stdout and stderr, in the order they came
 */

/**
 * Runs a program and collects what it prints. Never rejects.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, onOutput?: (text: string) => void }} [options]
 * @returns {Promise<Outcome>}
 */
export function capture(command, args, { env, cwd, onOutput } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    /** @param {string} text */
    const collect = (text) => {
      output += text;
      onOutput?.(text);
    };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      collect(text);
    });
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => resolve({ code: -1, stdout, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, output }));
  });
}

/**
 * The output of a program that has to succeed. It is not shown: for programs of which only a
 * failure is of interest.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 */
export async function mustCapture(command, args, options) {
  const { code, stdout, output } = await capture(command, args, options);
  if (code !== 0) throw new ExplainedError(output);
  return stdout;
}

/**
 * Runs a program that may take long: shows that it is alive, and how long it took.
 * @param {string} label what the step does
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<Outcome>} whatever the exit code: the caller judges it
 */
export async function watch(label, command, args, options) {
  const start = performance.now();
  const terminal = process.stderr.isTTY;
  let lastLine = '';
  const show = () => {
    const status = `… ${seconds(performance.now() - start)}  ${lastLine}`;
    if (terminal)
      process.stderr.write(
        `\r\x1b[K${`${label} ${status}`.slice(0, (process.stderr.columns || 80) - 1)}`,
      );
    else say(`  ${status}`);
  };
  if (terminal) show();
  else say(`${label} …`);
  const timer = setInterval(show, terminal ? 500 : HEARTBEAT);
  const outcome = await capture(command, args, {
    ...options,
    onOutput: (text) => {
      lastLine = text.trimEnd().split('\n').at(-1)?.trim() || lastLine;
    },
  });
  clearInterval(timer);
  const mark = outcome.code === 0 ? 'done' : 'FAILED';
  say(`${terminal ? '\r\x1b[K' : ''}${label}: ${mark} (${seconds(performance.now() - start)})`);
  return outcome;
}

/**
 * Like {@link watch}, for a step that nothing can go on without.
 * @param {string} label
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, help?: string }} [options] `help`: what to do
 *   when it fails
 */
export async function mustRun(label, command, args, { help, ...options } = {}) {
  const outcome = await watch(label, command, args, options);
  if (outcome.code !== 0) {
    const parts = [
      outcome.output.trimEnd(),
      `"${label}" failed: ${[command, ...args].join(' ')}`,
      help,
    ];
    throw new ExplainedError(parts.filter(Boolean).join('\n\n'));
  }
  return outcome;
}

/**
 * Every place on the search path that holds an executable of that name, in order.
 * @param {string} name
 * @param {readonly (string | undefined)[]} [folders] the search path, PATH by default
 */
export function findExecutables(name, folders = (process.env.PATH ?? '').split(delimiter)) {
  const candidates = folders
    .filter(Boolean)
    .map((folder) => join(/** @type {string} */ (folder), name));
  return [...new Set(candidates)].filter((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}
