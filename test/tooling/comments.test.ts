import { expect, it } from 'vitest';
import { lintComments, lintPage } from '../../scripts/check/comments.mjs';

const WIDE = `${'word '.repeat(20)}words`;

it.each([
  ['// What there is of a batch.', 1],
  ['/** Whether it is there. */', 1],
  ['/**\n * Where the rows\n * lie.\n */', 1],
  ['/// How many rows there are.', 1],
  ['//! Of the row, by its target.', 1],
  ['// Where there are no rows, the mean is NaN.', 0],
  ['/** The number of rows. */', 0],
  ['const url = "https://what.example"; // What follows code is no comment of its own.', 0],
])('a comment has a subject: %s', (source, headless) => {
  expect(lintComments(`let a = 1;\n  ${source}\n`).headless).toHaveLength(headless);
});

it('says where a comment is, and how many there are', () => {
  const source = '// A first one\n// of two lines.\nlet a;\n/* How many. */\n';
  expect(lintComments(source)).toEqual({
    comments: 2,
    headless: [{ line: 4, text: 'How many.' }],
    wide: [],
  });
});

it('lines have at most 100 columns, unless nothing in them can be broken', () => {
  expect(lintComments(`let a;\n// ${WIDE}\n`).wide.map(({ line }) => line)).toEqual([2]);
  expect(lintComments(`// ${'x'.repeat(120)}\n`).wide).toEqual([]);
  expect(lintPage(`short\n\n${WIDE}\n`).map(({ line }) => line)).toEqual([3]);
  expect(lintPage(`| ${WIDE} |\n\`\`\`text\n${WIDE}\n\`\`\`\n- ${'x'.repeat(120)}\n`)).toEqual([]);
});
