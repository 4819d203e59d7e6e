import { classificationReport, FocalLoss, SigmoidFocalLoss, softmax } from 'focal-loss/analysis';
import { parseHTML } from 'linkedom';
import { describe, expect, it, vi } from 'vitest';
import {
  analyse,
  rowsAsCsv,
  sweepAsCsv,
  sweepBatch,
} from '../../examples/playground/src/data/analyse.js';
import { readCsv } from '../../examples/playground/src/data/csv.js';
import { describe as describeFindings } from '../../examples/playground/src/data/drawings.js';
import { makeExample } from '../../examples/playground/src/data/example.js';
import { type NpyArray, readNpy, toBatch } from '../../examples/playground/src/data/npy.js';
import { openFiles } from '../../examples/playground/src/data/open.js';

const LOSS = { alpha: 0.75, gamma: 2, smoothing: 0 };

describe('logits and targets from a CSV file', () => {
  const read = (...lines: string[]) => readCsv(lines.join('\n'), 'a.csv');

  it('have their classes from the columns, and the target last', async () => {
    const batch = await read('2.5,-1,0', '0.5,1e-2,1', '-inf,NaN,-100');
    expect(batch).toMatchObject({ title: 'a.csv', classes: 2 });
    expect([...batch.logits]).toEqual([
      2.5,
      -1,
      0.5,
      Math.fround(0.01),
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ]);
    expect([...batch.targets]).toEqual([0, 1, -100]);
  });

  it('have it where the first line says', async () => {
    const batch = await read('"Label";logit a;logit b', '', '1;2.5;-1', '0;3;4', '');
    expect([...batch.logits]).toEqual([2.5, -1, 3, 4]);
    expect([...batch.targets]).toEqual([1, 0]);
  });

  it('have it in the column with the surest name', async () => {
    const batch = await read('group,a,b,target', '1,2.5,-1,0', '2,3,4,1');
    expect([...batch.targets]).toEqual([0, 1]);
    const other = await read('group,a,b', 'x,2.5,-1', 'y,3,4');
    expect([...other.logits]).toEqual([2.5, -1, 3, 4]);
    expect(other.names).toEqual(['x', 'y']);
  });

  it('may have labels, which name the columns', async () => {
    const batch = await read(
      'subject_id,logit_CN,logit_AD,diagnosis',
      'S1,2.5,-1,CN',
      'S2,0.5,1,AD',
      'S3,3,4,CN',
    );
    expect([...batch.logits]).toEqual([2.5, -1, 0.5, 1, 3, 4]);
    expect([...batch.targets]).toEqual([0, 1, 0]);
    expect(batch.names).toEqual(['CN', 'AD']);
    expect(batch.notes).toEqual([
      'Column 1 (subject_id) is no logit, and left out.',
      'The labels are the names of the columns: CN and AD.',
    ]);
    // A class that has a column need not have rows.
    const three = await read('a,b,c,y', '1,2,3,c', '1,2,3,A');
    expect(three.names).toEqual(['A', 'b', 'c']);
    expect([...three.targets]).toEqual([2, 0]);
  });

  it('may have labels, whose columns have no such names: then they are in alphabetical order, and it says so', async () => {
    for (const lines of [
      ['2.5,-1,CN', '0.5,1,AD', '3,4,CN'],
      ['x1,x2,label', '2.5,-1,CN', '0.5,1,AD', '3,4,CN'],
      // Names that are numbers, as those of a table without names have.
      ['0,1,label', '2.5,-1,CN', '0.5,1,AD', '3,4,CN'],
    ]) {
      const batch = await read(...lines);
      expect([...batch.logits]).toEqual([2.5, -1, 0.5, 1, 3, 4]);
      expect([...batch.targets]).toEqual([1, 0, 1]);
      expect(batch.names).toEqual(['AD', 'CN']);
      expect(batch.notes?.[0]).toMatch(
        /^The logits are taken to be in the alphabetical order of the labels: \S+( 1)? is that of AD and \S+( 2)? is that of CN\.$/,
      );
    }
  });

  it('may have labels that are also names of targets, and then there is no first line of names', async () => {
    const batch = await read('0.2,1.3,y', '0.5,1,n', '0,1,y');
    expect([...batch.targets]).toEqual([1, 0, 1]);
    expect(batch.names).toEqual(['n', 'y']);
  });

  it('may have booleans', async () => {
    const batch = await read('1,2,True', '3,4,false', '5,6,TRUE', '7,8,False');
    expect([...batch.targets]).toEqual([1, 0, 1, 0]);
    expect(batch.names).toEqual(['false', 'True']);
  });

  it('may have columns that say which row it is', async () => {
    for (const [lines, note] of [
      [['id,a,b,target', '17,2.5,-1,0', '18,3,4,1'], 'Column 1 (id) is no logit, and left out.'],
      [[',a,b,target', '0,2.5,-1,0', '1,3,4,1'], 'Column 1 is no logit, and left out.'],
      [
        ['Unnamed: 0,a,b,y', '0,2.5,-1,0', '1,3,4,1'],
        'Column 1 (Unnamed: 0) is no logit, and left out.',
      ],
      [['a.png,2.5,-1,0', 'b.png,3,4,1'], 'Column 1 is no logit, and left out.'],
      [
        ['y,image_path,a,split,b', '0,x/1.png,2.5,train,-1', '1,x/2.png,3,test,4'],
        'Column 2 (image_path) and column 4 (split) are no logits, and left out.',
      ],
    ] as const) {
      const batch = await read(...lines);
      expect([...batch.logits]).toEqual([2.5, -1, 3, 4]);
      expect([...batch.targets]).toEqual([0, 1]);
      expect(batch.notes).toEqual([note]);
      expect(batch.names).toBeUndefined();
    }
  });

  const SIGMOID = (name: string) =>
    `There is one logit per row, that of class ${name}: the loss is SigmoidFocalLoss, with the same settings.`;

  it('may have one logit per row', async () => {
    for (const lines of [
      ['2.5,1', '-1,0', '0.5,-100'],
      ['logit,target', '2.5,1', '-1,0', '0.5,-100'],
      ['id,y,logit', 'a,1,2.5', 'b,0,-1', 'c,-100,0.5'],
    ]) {
      const batch = await read(...lines);
      expect(batch).toMatchObject({ columns: 1, classes: 2 });
      expect([...batch.logits]).toEqual([2.5, -1, 0.5]);
      expect([...batch.targets]).toEqual([1, 0, -100]);
      expect(batch.notes?.at(-1)).toBe(SIGMOID('1'));
    }
  });

  it.each([
    [
      'the second in alphabetical order',
      ['2.5,sick', '-1,healthy'],
      'Class 1 is sick, the second in alphabetical order.',
      1,
    ],
    [
      'the true one',
      ['score,y', '2.5,True', '-1,False'],
      'Class 1 is True, the second in alphabetical order.',
      1,
    ],
    [
      'the one of the column',
      ['logit_AD,dx', '2.5,CN', '-1,AD'],
      'Class 1 is AD, as the name of logit_AD says.',
      0,
    ],
  ])('may have one logit per row, and labels: class 1 is %s', async (_, lines, note, target) => {
    const batch = await read(...lines);
    expect([...batch.targets]).toEqual([target, 1 - target]);
    expect(batch.notes).toEqual([note, SIGMOID(batch.names?.[1] ?? '')]);
    expect(note).toContain(`is ${batch.names?.[1]},`);
  });

  it('may have Windows line ends, tabs, a byte order mark, and many rows', async () => {
    const rows = 5000;
    const text = `\ufeff${Array.from({ length: rows }, (_, i) => `${i}\t${-i}\t1\t${i % 3}`).join('\r\n')}\r\n`;
    const batch = await readCsv(text, 'a.tsv');
    expect(batch.targets.length).toBe(rows);
    expect([...batch.logits.subarray(-3)]).toEqual([4999, -4999, 1]);
    expect([...batch.targets.subarray(0, 4)]).toEqual([0, 1, 2, 0]);
  });

  it.each([
    ['nothing', [''], 'a.csv: the file has no rows'],
    ['names alone', ['a,b,y'], 'a.csv: the file has no rows'],
    ['one column', ['1'], 'a.csv, line 1: 1 column; at least one logit and the target are needed'],
    [
      'a target that is neither yes nor no',
      ['1,0', '2,2'],
      'a.csv, line 2, column 2: the target is 2, but with 1 logit it must be',
    ],
    [
      'one label and one logit',
      ['1,CN'],
      'a.csv: the only label is CN, but one logit is for two classes',
    ],
    [
      'three labels and one logit',
      ['1,CN', '2,AD', '2,MCI'],
      'a.csv, line 3, column 2: the label "MCI" is one too many for 1 logit, after CN and AD',
    ],
    ['a short line', ['a,b,y', '1,2,0', '', '1,0'], 'a.csv, line 4: 2 columns, but line 1 has 3'],
    ['text', ['a,b,y', '1,2,0', '1,x,1'], 'a.csv, line 3, column 2 (b): "x" is not a number'],
    ['a gap', ['1,2,0', '1,,1'], 'a.csv, line 2, column 2: the value is missing'],
    [
      'a target that is no class',
      ['1,2,0', '1,2,2'],
      'a.csv, line 2, column 3: the target is 2, but with 2 logits it must be a whole number from 0 to 1 (or -100 for a row that does not count)',
    ],
    ['half a target', ['1,2,0.5'], 'a.csv, line 1, column 3: the target is 0.5'],
    [
      'more labels than logits',
      ['a,b,y', '1,2,CN', '1,2,AD', '3,4,MCI'],
      'a.csv, line 4, column 3 (y): the label "MCI" is one too many for 2 logits, after CN and AD',
    ],
    [
      'fewer labels than logits',
      ['1,2,3,CN', '1,2,3,AD'],
      "a.csv: the only labels are CN and AD, but there are 3 logits; a first line may name each logit's column after its class",
    ],
    ['one label', ['1,2,CN'], 'a.csv: the only label is CN, but there are 2 logits'],
    [
      'a label that is no column',
      ['CN,AD,y', '1,2,CN', '1,2,MCI'],
      'a.csv: the label "MCI" is no column\'s name, as "CN" is',
    ],
    [
      'a number among labels',
      ['1,2,CN', '1,2,AD', '1,2,1'],
      'a.csv, line 3, column 3: the target is the number 1, not a name as CN is',
    ],
    [
      'a label that is missing',
      ['1,2,CN', '1,2,'],
      'a.csv, line 2, column 3: the value is missing',
    ],
    [
      'names and no logit',
      ['id,y', '7,0'],
      'a.csv, line 2: 2 columns, 1 of them without a logit; at least one logit and the target are needed',
    ],
    ['an open quote', ['1,2,0', '1,"2,0'], 'a.csv, line 2: Quoted field unterminated'],
  ])('report %s', async (_, lines, message) => {
    await expect(read(...lines)).rejects.toThrow(message);
  });
});

/** A file as numpy.save writes it. */
function npy(
  type: string,
  shape: readonly number[],
  data: ArrayBufferView<ArrayBuffer>,
  fortran = 'False',
): ArrayBuffer {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${type}', 'fortran_order': ${fortran}, 'shape': (${tuple}), }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const file = new Uint8Array(10 + padded.length + data.byteLength);
  file.set([0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8]);
  file.set(Buffer.from(padded), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + padded.length);
  return file.buffer;
}

describe('.npy files', () => {
  const array = (
    type: string,
    shape: readonly number[],
    data: ArrayBufferView<ArrayBuffer>,
    title = 'a.npy',
  ): NpyArray => readNpy(npy(type, shape, data), title);

  it.each([
    ['<f4', Float32Array.of(1, -2)],
    ['<f8', Float64Array.of(1, -2)],
    ['<f2', Uint16Array.of(0x3c00, 0xc000)],
    ['|i1', Int8Array.of(1, -2)],
    ['<i2', Int16Array.of(1, -2)],
    ['<i4', Int32Array.of(1, -2)],
    ['<i8', BigInt64Array.of(1n, -2n)],
  ])('of %s are read', (type, data) => {
    const { shape, values } = array(type, [2], data);
    expect(shape).toEqual([2]);
    expect(Array.from(values, Number)).toEqual([1, -2]);
  });

  const logits = array('<f4', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6), 'logits.npy');
  const targets = array('<i8', [3], BigInt64Array.of(0n, 1n, -100n), 'targets.npy');

  it('are logits and targets, in any order', () => {
    for (const arrays of [
      [logits, targets],
      [targets, logits],
    ]) {
      const batch = toBatch(arrays);
      expect(batch.classes).toBe(2);
      expect([...batch.logits]).toEqual([1, 2, 3, 4, 5, 6]);
      expect([...batch.targets]).toEqual([0, 1, -100]);
    }
  });

  it('may be one, with the targets in the last column', () => {
    const batch = toBatch([array('<f8', [2, 3], Float64Array.of(1, 2, 0, 3, 4, 1))]);
    expect([...batch.logits]).toEqual([1, 2, 3, 4]);
    expect([...batch.targets]).toEqual([0, 1]);
  });

  it('may hold one logit per row', () => {
    const x = (...shape: number[]) => array('<f4', shape, Float32Array.of(2.5, -1, 0.5), 'x.npy');
    const y = (...shape: number[]) => array('<i8', shape, BigInt64Array.of(1n, 0n, -100n), 'y.npy');
    const both = array('<f8', [3, 2], Float64Array.of(2.5, 1, -1, 0, 0.5, -100));
    for (const arrays of [
      [x(3), y(3)],
      [y(3), x(3)],
      [x(3, 1), y(3)],
      [y(3, 1), x(3)],
      [x(3, 1), y(3, 1)],
      [both],
    ]) {
      const batch = toBatch(arrays);
      expect(batch).toMatchObject({ columns: 1, classes: 2 });
      expect([...batch.logits]).toEqual([2.5, -1, 0.5]);
      expect([...batch.targets]).toEqual([1, 0, -100]);
      expect(batch.notes).toHaveLength(1);
    }
  });

  const column = (...values: number[]) =>
    array('<f8', [values.length], Float64Array.from(values), 'a.npy');

  it.each([
    [
      'two columns of yes and no',
      () => toBatch([column(0, 1), column(1, 1)]),
      'a.npy and a.npy: both hold nothing but 0 and 1',
    ],
    [
      'two columns of logits',
      () => toBatch([column(0.5, 1), column(1, 2)]),
      'a.npy and a.npy: neither holds nothing but 0 and 1',
    ],
    [
      'columns of other lengths',
      () => toBatch([column(0.5, 1), column(1)]),
      'a.npy has 1 rows, but a.npy has 2',
    ],
    [
      'something else',
      () => readNpy(new ArrayBuffer(100), 'a.npy'),
      'a.npy: it cannot be read as .npy: Not an .npy file',
    ],
    [
      'half a file',
      () => readNpy(npy('<f4', [3], Float32Array.of(1, 2)), 'a.npy'),
      'a.npy: it should hold 3 numbers and holds 2; it may have been cut off',
    ],
    [
      'big numbers first',
      () => array('>f4', [1], Float32Array.of(1)),
      'a.npy: it cannot be read as .npy: Unsupported dtype: >f4',
    ],
    [
      'column by column',
      () => readNpy(npy('<f4', [1, 2], Float32Array.of(1, 2), 'True'), 'a.npy'),
      'it lies column by column',
    ],
    [
      'two tables',
      () => toBatch([logits, logits]),
      'logits.npy and logits.npy: one must be the targets',
    ],
    [
      'targets alone',
      () => toBatch([targets]),
      'targets.npy: its shape is [3], but it must be [rows, classes + 1], the target last',
    ],
    [
      'other rows',
      () => toBatch([logits, array('|u1', [2], Uint8Array.of(0, 1), 't.npy')]),
      't.npy has 2 rows, but logits.npy has 3',
    ],
    [
      'a target that is no class',
      () => toBatch([logits, array('|u1', [3], Uint8Array.of(0, 1, 2), 't.npy')]),
      't.npy, row 2 (counted from 0): the target is 2',
    ],
  ])('report %s', (_, read, message) => {
    expect(read).toThrow(message);
  });

  it('are told by their names from CSV files', async () => {
    const file = (name: string, ...parts: BlobPart[]) => new File(parts, name);
    const shares: number[] = [];
    const batch = await openFiles(
      [
        file('x.npy', npy('<f4', [1, 2], Float32Array.of(1, 2))),
        file('y.NPY', npy('|u1', [1], Uint8Array.of(1))),
      ],
      (share) => shares.push(share),
    );
    expect(batch.title).toBe('x.npy, y.NPY');
    expect(shares).toEqual([0.5, 1]);
    await expect(openFiles([file('x.csv', ''), file('y.npy', '')], () => {})).rejects.toThrow(
      'Choose one CSV file',
    );
  });
});

describe('what is found in a batch', () => {
  const batch = makeExample(2000);

  it('is what the package finds', () => {
    const { diagnosis, hard, report } = analyse(batch, LOSS);
    const losses = new FocalLoss({ alpha: 0.75, gamma: 2, reduction: 'none' }).forward(
      batch.logits,
      batch.targets,
    );
    expect(diagnosis.rows).toBe(2000);
    expect(report.numClasses).toBe(3);
    expect(hard.first[0].loss).toBe(Math.max(...losses));
    for (const { row, loss, target, logits } of hard.first) {
      expect(loss).toBe(losses[row]);
      expect(target).toBe(batch.targets[row]);
      expect(logits).toEqual([...batch.logits.subarray(3 * row, 3 * row + 3)]);
    }
  });

  it('is what the package finds of one logit per row', async () => {
    const rows = Array.from(
      { length: 300 },
      (_, row) => [3 * Math.sin(row * row), row % 3 === 0 ? 1 : 0] as const,
    );
    const one = await readCsv(rows.join('\n'), 'one.csv');
    const settings = { ...LOSS, smoothing: 0.1 };
    const options = { alpha: 0.75, gamma: 2, labelSmoothing: 0.1, reduction: 'none' } as const;
    const losses = new SigmoidFocalLoss(options).forward(one.logits, one.targets);
    const { diagnosis, hard, report, names } = analyse(one, settings);
    expect(diagnosis.rows).toBe(300);
    expect(diagnosis.loss.mean).toBeCloseTo(
      [...losses].reduce((sum, loss) => sum + loss, 0) / 300,
      6,
    );
    expect(names).toEqual(['0', '1']);
    expect(report).toEqual(
      classificationReport(one.logits, one.targets, { numClasses: 1, bins: 10 }),
    );
    for (const { row, loss, target, predicted, confidence, logits } of hard.first) {
      const [logit] = logits;
      expect([...one.logits.subarray(row, row + 1)]).toEqual(logits);
      expect([loss, target, predicted]).toEqual([losses[row], rows[row][1], logit > 0 ? 1 : 0]);
      expect(confidence).toBeCloseTo(1 / (1 + Math.exp(-Math.abs(logit))), 6);
    }
    const lines = [...rowsAsCsv(one, settings)].join('').trim().split('\n');
    expect(lines[1]).toBe(`0,1,0,0.5,${losses[0]}`);
    expect(lines).toHaveLength(301);
    for (const { alpha, gamma, loss } of await sweepBatch(one, 0.1, () => {})) {
      const sigmoid = new SigmoidFocalLoss({ alpha: Number(alpha), gamma, labelSmoothing: 0.1 });
      expect(Math.abs(loss / sigmoid.forward(one.logits, one.targets) - 1)).toBeLessThan(1e-6);
    }
  });

  it('says what looks like probabilities', async () => {
    const sigmoid = await readCsv(
      Array.from({ length: 40 }, (_, row) => `${row / 40},${row % 2}`).join('\n'),
      'sigmoid.csv',
    );
    expect(analyse(sigmoid, LOSS).diagnosis.advice.map(({ code }) => code)).toContain(
      'probabilities',
    );
    const shares = await readCsv('0.9,0.1,0\n0.25,0.75,1\n0.5,0.5,1\n', 'softmax.csv');
    expect(analyse(shares, LOSS).diagnosis.advice.map(({ code }) => code)).toContain(
      'probabilities',
    );
    expect(analyse(batch, LOSS).diagnosis.advice.map(({ code }) => code)).not.toContain(
      'probabilities',
    );
  });

  it('has the names of the classes, and what was made of the file', () => {
    const names = ['a', 'b', 'c'];
    const notes = ['One.'];
    expect(analyse({ ...batch, names, notes }, LOSS)).toMatchObject({ names, notes });
    expect(analyse(batch, LOSS)).toMatchObject({ names: ['0', '1', '2'], notes: [] });
  });

  it('is nothing to go by where they are probabilities, which is said first', () => {
    const { document } = parseHTML('<html></html>');
    vi.stubGlobal('document', document);
    const textOf = (logits: typeof batch.logits) =>
      describeFindings(analyse({ ...batch, logits }, LOSS)).children[0].textContent;
    expect(textOf(softmax(batch.logits, 3))).toMatch(/^The logits look like probabilities/);
    expect(textOf(batch.logits)).toMatch(/rows of 3 classes/);
    vi.unstubAllGlobals();
  });

  it('is exported row by row, over all parts', () => {
    const many = makeExample(10_001);
    const lines = [...rowsAsCsv(many, LOSS)].join('').trim().split('\n');
    expect(lines[0]).toBe('row,target,predicted,confidence,loss');
    expect(lines).toHaveLength(10_002);
    expect(lines.slice(1).map((line) => Number(line.split(',')[1]))).toEqual([...many.targets]);
    expect(lines.at(-1)).toMatch(/^10000,[012],[012],0\.\d+,\d/);
  });

  it('holds a sweep whose losses are those of the loss', async () => {
    const shares: number[] = [];
    const rows = await sweepBatch(batch, 0.1, (share) => shares.push(share));
    expect(rows).toHaveLength(63);
    expect(shares.at(-1)).toBe(1);
    for (const { alpha, gamma, labelSmoothing, loss } of rows) {
      const focal = new FocalLoss({ alpha, gamma, labelSmoothing });
      expect(Math.abs(loss / focal.forward(batch.logits, batch.targets) - 1)).toBeLessThan(1e-6);
    }
    expect(sweepAsCsv(rows).split('\n')[1]).toBe(`0.1,0,0.1,${rows[0].loss}`);
  });
});
