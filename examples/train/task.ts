import { fileURLToPath } from 'node:url';
import { readTable } from './csv.js';
import { countClasses, type Part, type Parts, split, type Table } from './data.js';
import { Random } from './random.js';
import { syntheticCohort } from './synthetic.js';

const TEST_SHARE = 0.3;

/** A table to learn from, and how its minority class is thinned. */
export interface Task {
  readonly table: Table;
  /** Share of the training part's class 1 that is kept. */
  readonly keepPositives: number;
}

/** The table that comes with the examples. */
export function realTask(): Task {
  const path = fileURLToPath(new URL('../data/breast-cancer-wisconsin.csv', import.meta.url));
  return { table: readTable(path, 'Breast Cancer Wisconsin (Diagnostic)'), keepPositives: 0.1 };
}

/** An invented cohort. */
export function syntheticTask(positives?: number): Task {
  return { table: syntheticCohort(900, positives), keepPositives: 1 };
}

/** The reader's own table. */
export function fileTask(file: string): Task {
  return { table: readTable(file), keepPositives: 1 };
}

export function splitTask(
  { table, keepPositives }: Task,
  seed: number,
  validationShare = 0,
): Parts {
  return split(table, new Random(seed), { testShare: TEST_SHARE, validationShare, keepPositives });
}

/** A class as the reader knows it. */
export function nameClass({ labelColumn, classes }: Table, label: number): string {
  return `${labelColumn} = ${classes[label]}`;
}

/** A summary of the table and its parts, in a few lines. */
export function describeTask(task: Task, validationShare = 0): string {
  const { table, keepPositives } = task;
  const minority = nameClass(table, 1);
  const sizes = countClasses(table.labels, table.classes.length).map(
    (size, label) => `${size} ${nameClass(table, label)}`,
  );
  const { train, validation, test } = splitTask(task, 1, validationShare); // every seed's parts have these sizes
  const parts = { training: train, ...(validationShare > 0 ? { validation } : {}), test };
  const rows = {
    whole: `${table.labels.length} rows, ${table.columns.length} features; ${sizes.join(', ')}`,
    ...Object.fromEntries(
      Object.entries(parts).map(([title, part]) => [title, describePart(part, minority)]),
    ),
  };
  const width = Math.max(...Object.keys(rows).map((title) => title.length));
  const lines = Object.entries(rows).map(([title, text]) => `${title.padEnd(width)} ${text}`);
  if (keepPositives < 1) {
    lines.push(
      `To make the classes imbalanced, the training part keeps one in ${1 / keepPositives} of its ${minority} rows.`,
      'The test part keeps all of them, so that recall is measured on more than a handful of rows;',
      'its accuracy, precision and F1 therefore hold for its own balance, not for that of the training part.',
    );
    if (validationShare > 0)
      lines.push('So does the validation part, whose balance is that of the test part.');
  }
  return lines.join('\n');
}

function describePart({ targets }: Part, minority: string): string {
  const positives = targets.filter((target) => target === 1).length;
  const percent = ((100 * positives) / targets.length).toFixed(1);
  return `${targets.length} rows, ${positives} of them ${minority} (${percent} %)`;
}
