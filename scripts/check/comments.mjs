/**
 * The lint of comments and pages: a comment is a full sentence whose subject is a noun, and no line
 * of a comment or of a page's text is wider than 100 columns. Formatters see to the code's lines.
 *
 *     node scripts/check/comments.mjs [FILES…]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../bootstrap/paths.mjs';

/** Columns of a line at most. */
const COLUMNS = 100;

/**
 * The share of comments that may begin headless: a clause can be a sentence's subject now and then,
 * and this lint cannot tell.
 */
const HEADLESS_SHARE = 0.01;

/** A comment's beginning that is a clause without what it belongs to: "What there is of …". */
const HEADLESS = /^(?:What|Whether|How|Which|Who|Whom|Whose|Why|Of|As (?:much|many|they))\b/;

/** One that is such a clause unless a main clause follows: "Where the rows lie", say. */
const HEADLESS_ALONE = /^(?:Where|When|If)\b[^,:;]*$/;

/**
 * Something that this lint found.
 * @typedef {object} Finding
 * @property {number} line counted from 1
 * @property {string} text the line, or how the comment begins
 */

/**
 * @typedef {object} Findings
 * @property {number} comments how many there are
 * @property {Finding[]} headless
 * @property {Finding[]} wide
 */

/**
 * @param {string} source of Rust, TypeScript or JavaScript
 * @returns {{ line: number, lines: string[] }[]} its comments, each with the lines of the source
 *   that it takes
 */
function commentsOf(source) {
  const block = /^[ \t]*\/\*[\s\S]*?\*\/|^[ \t]*\/\/.*(?:\n[ \t]*\/\/.*)*/gm;
  return Array.from(source.matchAll(block), ({ 0: text, index }) => ({
    line: source.slice(0, index).split('\n').length,
    lines: text.split('\n'),
  }));
}

/** @param {readonly string[]} lines */
function firstSentence(lines) {
  const text = lines.map((line) =>
    line.replace(/^\s*(?:\/\*\*?|\*\/?|\/\/[/!]?)\s?/, '').replace(/\s*\*\/$/, ''),
  );
  return (
    text
      .join(' ')
      .trim()
      .split(/(?<=[.:])\s/)[0] ?? ''
  ).trim();
}

/**
 * @param {string} source
 * @returns {Findings}
 */
export function lintComments(source) {
  const comments = commentsOf(source);
  const headless = [];
  const wide = [];
  for (const { line, lines } of comments) {
    const begin = firstSentence(lines);
    if (HEADLESS.test(begin) || HEADLESS_ALONE.test(begin)) headless.push({ line, text: begin });
    wide.push(...widerThanAllowed(lines, line));
  }
  return { comments: comments.length, headless, wide };
}

/**
 * @param {string} page Markdown; tables and code stand as they are
 * @returns {Finding[]}
 */
export function lintPage(page) {
  let isCode = false;
  const lines = page.split('\n').map((line) => {
    if (/^\s*```/.test(line)) isCode = !isCode;
    return isCode || /^\s*\|/.test(line) ? '' : line;
  });
  return widerThanAllowed(lines, 1);
}

/**
 * Lines that are too wide, but for those that cannot be broken, as an address cannot.
 * @param {readonly string[]} lines
 * @param {number} first number of the first of them
 * @returns {Finding[]}
 */
function widerThanAllowed(lines, first) {
  return lines.flatMap((text, i) => {
    const canBreak = /\S\s+\S/.test(text.replace(/^\s*(?:\/\/[/!]?|\*|[-+*]|\d+\.)\s+/, ''));
    return [...text].length > COLUMNS && canBreak ? [{ line: first + i, text }] : [];
  });
}

/** @param {readonly string[]} files relative to the clone */
function main(files) {
  let comments = 0;
  /** @type {string[]} */
  const headless = [];
  /** @type {string[]} */
  const wide = [];
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    /** @param {Finding} finding */
    const say = ({ line, text }) => `${file}:${line}: ${text.trim().slice(0, COLUMNS)}`;
    if (file.endsWith('.md')) {
      wide.push(...lintPage(text).map(say));
      continue;
    }
    const found = lintComments(text);
    comments += found.comments;
    headless.push(...found.headless.map(say));
    wide.push(...found.wide.map(say));
  }
  const allowed = Math.floor(comments * HEADLESS_SHARE);
  const isHeadless = headless.length > allowed;
  if (isHeadless)
    console.log(
      [`comments that begin headless, of which ${allowed} may be:`, ...headless].join('\n'),
    );
  if (wide.length > 0) console.log([`lines of more than ${COLUMNS} columns:`, ...wide].join('\n'));
  console.log(`${comments} comments, ${headless.length} headless; ${wide.length} lines too wide`);
  process.exitCode = isHeadless || wide.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const given = process.argv.slice(2);
  const patterns = ['*.rs', '*.ts', '*.mjs', '*.md'];
  const tracked = execFileSync('git', ['ls-files', ...patterns], { cwd: root, encoding: 'utf8' });
  main(given.length > 0 ? given : tracked.split('\n').filter((file) => file !== ''));
}
