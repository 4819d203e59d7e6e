import { fileURLToPath } from 'node:url';
import { readTable } from './csv.js';
import { countClasses, type Part, split, type Table } from './data.js';
import type { Options } from './options.js';
import { Random } from './random.js';
import { syntheticCohort } from './synthetic.js';

const TEST_SHARE = 0.3;

/** A table to learn from, and how its minority class is thinned. */
export interface Task {
  readonly table: Table;
  /** Share of the training part's class 1 that is kept. */
  readonly keepPositives: number;
}

export function chooseTask({ file, synthetic }: Pick<Options, 'file' | 'synthetic'>): Task {
  if (file !== undefined) return { table: readTable(file), keepPositives: 1 };
  if (synthetic) return { table: syntheticCohort(), keepPositives: 1 };
  const path = fileURLToPath(new URL('../data/breast-cancer-wisconsin.csv', import.meta.url));
  return { table: readTable(path, 'Breast Cancer Wisconsin (Diagnostic)'), keepPositives: 0.1 };
}

export function splitTask({ table, keepPositives }: Task, seed: number): { train: Part; test: Part } {
  return split(table, new Random(seed), { testShare: TEST_SHARE, keepPositives });
}

/** A class as the reader knows it. */
export function nameClass({ labelColumn, classes }: Table, label: number): string {
  return `${labelColumn} = ${classes[label]}`;
}

/** The table and its parts in a few lines. */
export function describeTask(task: Task): string {
  const { table, keepPositives } = task;
  const minority = nameClass(table, 1);
  const sizes = countClasses(table.labels, table.classes.length).map(
    (size, label) => `${size} ${nameClass(table, label)}`,
  );
  const lines = [
    table.title,
    `whole    ${table.labels.length} rows, ${table.columns.length} features; ${sizes.join(', ')}`,
  ];
  const { train, test } = splitTask(task, 1); // every seed's parts have these sizes
  for (const [title, { targets }] of Object.entries({ training: train, test })) {
    const positives = targets.filter((target) => target === 1).length;
    const percent = ((100 * positives) / targets.length).toFixed(1);
    lines.push(`${title.padEnd(8)} ${targets.length} rows, ${positives} of them ${minority} (${percent} %)`);
  }
  if (keepPositives < 1) {
    lines.push(
      `To make the classes imbalanced, the training part keeps one in ${1 / keepPositives} of its ${minority} rows.`,
      'The test part keeps all of them, so that recall is measured on more than a handful of rows;',
      'its accuracy, precision and F1 therefore hold for its own balance, not for that of the training part.',
    );
  }
  return lines.join('\n');
}
