import { describe, expect, it } from 'vitest';
import { parseTable, readTable } from '../../examples/train/csv.js';
import { countClasses } from '../../examples/train/data.js';

const parse = (...lines: string[]) => parseTable(lines.join('\n'), 'data.csv');

describe('a table from a CSV file', () => {
  it('has its names from the first line, its class from the last column', () => {
    const table = parse('age,score,diagnosis', '70,1.5,CN', '71,-2e-1,AD', '72,3,CN');
    expect(table.columns).toEqual(['age', 'score']);
    expect(table.labelColumn).toBe('diagnosis');
    expect([...table.features]).toEqual([70, 1.5, 71, -0.2, 72, 3]);
    expect(table.classes).toEqual(['CN', 'AD']);
    expect([...table.labels]).toEqual([0, 1, 0]);
  });

  it('needs no line of names', () => {
    const table = parse('1,2,0', '3,4,1', '5,6,0');
    expect(table.columns).toEqual(['column 1', 'column 2']);
    expect(table.labelColumn).toBe('class');
    expect(table.features.length).toBe(6);
  });

  it('may be separated by semicolons or tabs, quoted, with Windows line ends, blank lines and a byte order mark', () => {
    expect([...parse('a;b;y', '1;2;0', '3;4;1').features]).toEqual([1, 2, 3, 4]);
    expect([...parse('a\tb\ty', '1\t2\t0', '3\t4\t1').features]).toEqual([1, 2, 3, 4]);
    const table = parseTable('\ufeff"a, first",y\r\n"1",no\r\n\r\n 2 , yes \r\n', 'data.csv');
    expect(table.columns).toEqual(['a, first']);
    expect([...table.features]).toEqual([1, 2]);
    expect(table.classes).toEqual(['no', 'yes']);
  });

  it('makes the rarest class 1 and the most common one 0', () => {
    const table = parse('x,y', '1,a', '1,b', '1,b', '1,c', '1,c', '1,c');
    expect(table.classes).toEqual(['c', 'a', 'b']);
    expect([...table.labels]).toEqual([1, 2, 2, 0, 0, 0]);
    expect(parse('x,y', '1,0', '1,1').classes).toEqual(['0', '1']);
    expect(parse('x,y', '1,9', '1,10').classes).toEqual(['9', '10']);
  });

  it('takes 1 and 1.0 for the same class', () => {
    expect(parse('x,y', '1,1', '1,1.0', '1,0').classes).toEqual(['1', '0']);
  });

  it.each([
    ['no rows at all', [''], 'data.csv: the file is empty'],
    ['names alone', ['a,b,y'], 'data.csv: no rows after the line of column names'],
    [
      'one column',
      ['y', '1'],
      'data.csv, line 1: one column only; at least one feature and the class are needed',
    ],
    ['a short line', ['a,b,y', '1,2,0', '1,0'], 'data.csv, line 3: 2 columns, but line 1 has 3'],
    [
      'a long line after a blank one',
      ['a,b,y', '', '1,2,3,0'],
      'data.csv, line 3: 4 columns, but line 1 has 3',
    ],
    [
      'text for a number',
      ['a,b,y', '1,2,0', '1,NA,1'],
      'data.csv, line 3, column 2 (b): "NA" is not a finite number',
    ],
    [
      'an infinity',
      ['a,b,y', '1e999,2,0'],
      'data.csv, line 2, column 1 (a): "1e999" is not a finite number',
    ],
    ['a missing number', ['a,b,y', '1,,0'], 'data.csv, line 2, column 2 (b): the value is missing'],
    ['a missing class', ['a,b,y', '1,2,'], 'data.csv, line 2, column 3 (y): the class is missing'],
    [
      'one class',
      ['a,y', '1,no', '2,no'],
      'data.csv, last column (y): every row has the class no; two are needed',
    ],
  ])('reports %s', (_, lines, message) => {
    expect(() => parse(...lines)).toThrow(message);
  });

  it('reports a last column that is no class', () => {
    const lines = Array.from({ length: 101 }, (_, i) => `1,${i}.5`);
    expect(() => parse(...lines)).toThrow(
      'last column (class): 101 different values; the last column must be the class',
    );
  });

  it('reports a quote that is never closed, with its line', () => {
    expect(() => parse('a,y', '1,"no', '2,yes')).toThrow(/data\.csv: .*line/i);
  });

  it('reports a file that is not there', () => {
    expect(() => readTable('no/such/file.csv')).toThrow(
      /can't read the file: .*no\/such\/file\.csv/,
    );
  });
});

describe('the Breast Cancer Wisconsin (Diagnostic) table', () => {
  const table = readTable('examples/data/breast-cancer-wisconsin.csv');

  it('has 569 rows, 30 features, 357 benign and 212 malignant', () => {
    expect(table.columns.length).toBe(30);
    expect(table.features.length).toBe(569 * 30);
    expect(table.labelColumn).toBe('malignant');
    expect(table.classes).toEqual(['0', '1']);
    expect(countClasses(table.labels, 2)).toEqual([357, 212]);
  });

  it('calls the larger nuclei malignant', () => {
    const meanRadius = (label: number) => {
      const rows = [...table.labels.keys()].filter((row) => table.labels[row] === label);
      return rows.reduce((sum, row) => sum + table.features[row * 30], 0) / rows.length;
    };
    expect(meanRadius(0)).toBeCloseTo(12.147, 3);
    expect(meanRadius(1)).toBeCloseTo(17.463, 3);
  });
});
