import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { createPool } from 'focal-loss/pool';
import { root } from '../bootstrap/paths.mjs';
import { allocationsTable, measureAllocations } from './allocations.js';
import { ANALYSIS_SHAPES, analysisTable, measureAnalysis } from './analysis.js';
import { benchCase, type CaseResults } from './bench.js';
import { CASES, selectCases } from './cases.js';
import { comparisonChart, scalingChart } from './chart.js';
import { BEFORE, buildIn, focalLoss } from './contenders/focal-loss.js';
import { focalLossResident } from './contenders/focal-loss-resident.js';
import { ENTRIES, loadContenders, poolEntries } from './contenders/index.js';
import { plainJs } from './contenders/plain-js/index.js';
import { withoutSharing } from './contenders/shared.js';
import { judgedTable, measureJudgements } from './judged.js';
import {
  handlingText,
  measureHandling,
  measurePaused,
  measurePool,
  PAUSED_SHAPES,
  POOL_SHAPES,
  pausedTable,
  poolTable,
} from './pool.js';
import { measurePoolAnalysis, POOL_ANALYSIS_SHAPES, poolAnalysisTable } from './pool-analysis.js';
import { describeMachine, ratioTable, summary, targetTable, toJson, writeFile } from './report.js';
import { measureScaling, scalingTable } from './scaling.js';
import { judge, parseTargets, targetsJson } from './targets.js';

const HELP = `Times the losses of this package and of others side by side, value and gradient, in one run.

npm run bench [-- options]
  --only <text>          only cases whose name holds this: '[65536,2]', 'float64'
  --contenders <list>    only contenders whose names hold one of these, separated by commas: 'plain,jax'
  --rounds <n>           samples of every contender and case (default 21)
  --quick                the cases that have targets of their own, in 5 rounds
  --output <folder>      where figures and chart go (default bench-results)
  --chart                also replaces the charts and figures in docs/
  --install-peers        first installs PyTorch, JAX and scikit-learn (5 GB)
  --scaling              instead: time per row and memory as the batch grows
  --allocations          instead: garbage per call
  --analysis             instead: what the functions of focal-loss/analysis take, also beside
                         scikit-learn
  --pool                 instead: focal-loss/pool beside one thread, on all cores, with PyTorch
                         and JAX on as many threads as they take by themselves, and with as many
                         processes that share nothing, which is what the machine allows
  --before <folder>      without others or with --analysis: also beside the build in this folder
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    contenders: { type: 'string', default: '' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    chart: { type: 'boolean', default: false },
    output: { type: 'string', default: join(root, 'bench-results') },
    'install-peers': { type: 'boolean', default: false },
    scaling: { type: 'boolean', default: false },
    allocations: { type: 'boolean', default: false },
    analysis: { type: 'boolean', default: false },
    pool: { type: 'boolean', default: false },
    before: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const targets = parseTargets(
  targetsJson,
  CASES.map(({ name }) => name),
  [...ENTRIES.map(({ name }) => name), BEFORE],
);
const casesWithTargets = Object.keys(targets);

async function compare(rounds: number): Promise<void> {
  const cases = selectCases(options.only).filter(
    ({ name }) => !options.quick || casesWithTargets.includes(name),
  );
  if (cases.length === 0) throw new Error(`no case has "${options.only}" in its name`);
  const patterns = options.contenders.split(',').filter(Boolean);
  const { contenders, missing } = await loadContenders(patterns);
  if (options.before) contenders.splice(1, 0, await buildIn(options.before));

  const results: CaseResults[] = [];
  const progress = makeProgress(cases.length * rounds);
  for (const one of cases) {
    progress.show(one.name);
    results.push(await benchCase(one, contenders, rounds, () => progress.step(one.name)));
  }
  progress.stop();
  for (const { close } of contenders) close?.();

  const verdicts = judge(results, targets, ENTRIES);
  const names = contenders.map(({ name }) => name);
  const { cpu, node } = describeMachine();
  console.log(
    `${cpu}, Node ${node}, one core; medians of ${rounds} rounds in which all take turns.`,
  );
  console.log(
    'Focal loss, value and gradient, float32, gamma 2, alpha 0.25 unless it says otherwise.',
  );
  console.log(
    'JavaScript contenders: from and to ordinary typed arrays, all copies included. All columns after',
  );
  console.log(`"M rows/s": how many times as long as ${contenders[0].name} it takes.`);
  console.log(ratioTable(results, names));
  for (const { name, about } of contenders) console.log(`${name}: ${about}`);
  console.log(
    `\nTargets: the ratio / what it should be, at least; 1 for every peer where there is no other. ${summary(verdicts)}`,
  );
  console.log(targetTable(verdicts, names));
  for (const { name, reason } of missing) console.log(`Not measured: ${name}: ${reason}`);
  reportProblems(results);

  const about = contenders.map((contender) => ({ name: contender.name, about: contender.about }));
  save('benchmark', 'latest', { rounds, contenders: about, missing, results }, () =>
    comparisonChart(results, ENTRIES, casesWithTargets),
  );
}

async function scale(rounds: number): Promise<void> {
  const progress = makeProgress(rounds);
  const points = await measureScaling(focalLoss, rounds, () => progress.step('scaling'));
  progress.stop();
  console.log('Focal loss, value and gradient, float32, gamma 2, as the batch grows.');
  console.log(scalingTable(points));
  save('scaling', 'scaling', { rounds, points }, () => scalingChart(points));
}

async function allocate(): Promise<void> {
  const results = await measureAllocations([focalLoss, focalLossResident, plainJs], (name) =>
    console.error(`${name} …`),
  );
  console.log('Garbage of a million calls, with a buffer for the gradient where there is one.');
  console.log(allocationsTable(results));
  save('allocations', 'allocations', { results });
}

async function analyse(rounds: number): Promise<void> {
  const progress = makeProgress((ANALYSIS_SHAPES.length + 3) * rounds);
  const judged = await measureJudgements(options.before, rounds, () => progress.step('figures'));
  const results = await measureAnalysis(rounds, () => progress.step('analysis'));
  progress.stop();
  console.log('Figures of a classifier, beside a build before and scikit-learn, one thread.');
  console.log(judgedTable(judged.results));
  for (const { name, reason } of judged.missing) console.log(`Not measured: ${name}: ${reason}`);
  console.log('Functions of focal-loss/analysis on float32 logits, beside the focal loss alone.');
  console.log(analysisTable(results));
  save('analysis', 'analysis', { rounds, results, judged });
}

async function pool(rounds: number): Promise<void> {
  const size = availableParallelism();
  const workers = await createPool({ size });
  const copying = await withoutSharing(() => createPool({ size }));
  const patterns = options.contenders.split(',').filter(Boolean);
  const { contenders, missing } = await loadContenders(patterns, poolEntries(workers, copying));
  const shapes = POOL_SHAPES.length + PAUSED_SHAPES.length + 3 * POOL_ANALYSIS_SHAPES.length;
  const progress = makeProgress(shapes * rounds);
  const results = await measurePool(contenders, rounds, () => progress.step('pool'));
  const pauses = await measurePaused(size, rounds, () => progress.step('pauses'));
  const analysis = await measurePoolAnalysis(size, rounds, () => progress.step('analysis'));
  const handling = await measureHandling(size, rounds);
  progress.stop();
  for (const { close } of contenders) close?.();
  await Promise.all([workers.close(), copying.close()]);

  const { cpu, node } = describeMachine();
  console.log(`${cpu}, Node ${node}, ${size} cores; medians of ${rounds} rounds.`);
  console.log('Focal loss, value and gradient into a buffer, float32, gamma 2, alpha 0.25.');
  console.log(`How many times as fast as one thread. What ${size} processes reach is the limit.`);
  console.log(
    poolTable(
      results,
      contenders.map(({ name }) => name),
    ),
  );
  for (const { name, about } of contenders) console.log(`${name}: ${about}`);
  for (const { name, reason } of missing) console.log(`Not measured: ${name}: ${reason}`);
  reportProblems(results);
  console.log('The same where all threads have slept before each call.');
  console.log(pausedTable(pauses));
  console.log(
    'The same of functions of focal-loss/analysis. What as many pools of one worker reach,',
  );
  console.log('each of which does all of it, is the limit.');
  console.log(poolAnalysisTable(analysis));
  console.log(handlingText(handling));
  save('pool', 'pool', { rounds, size, missing, results, pauses, analysis, handling });
}

/** Says which contenders were left out; with any, the run fails. */
function reportProblems(results: readonly CaseResults[]): void {
  const problems = results.flatMap((one) => one.problems);
  for (const problem of problems) console.log(`LEFT OUT: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

/** Writes figures and chart among the results and, with --chart, into the documentation. */
function save(docsName: string, name: string, figures: object, chart?: () => string): void {
  const json = toJson(figures);
  console.log(`\nFigures: ${writeFile(options.output, `${name}.json`, json)}`);
  if (!chart) return;
  const svg = chart();
  console.log(`Chart: ${writeFile(options.output, `${name}.svg`, svg)}`);
  if (!options.chart) return;
  writeFile(join(root, 'docs'), `${docsName}.svg`, svg);
  writeFile(join(root, 'docs'), `${docsName}.json`, json);
}

/** For what takes long: drawn on stderr; where that is no terminal, a line now and then. */
function makeProgress(total: number) {
  const format = '{bar} {percentage} %, {what}, {eta_formatted} left';
  const look = {
    format,
    barsize: 24,
    clearOnComplete: true,
    linewrap: true,
    noTTYOutput: true,
    notTTYSchedule: 15_000,
  };
  const bar = new SingleBar(look, Presets.shades_grey);
  bar.start(total, 0, { what: 'starting' });
  return {
    step: (what: string) => bar.increment({ what }),
    show: (what: string) => bar.update({ what }),
    stop: () => bar.stop(),
  };
}

const rounds = Number(options.rounds ?? (options.quick ? 5 : 21));
if (options.help) {
  console.log(HELP);
} else if (!(Number.isInteger(rounds) && rounds > 0)) {
  console.error(`--rounds must be a whole number from 1 on, not "${options.rounds}"`);
  process.exitCode = 1;
} else if (options.scaling) {
  await scale(rounds);
} else if (options.allocations) {
  await allocate();
} else if (options.analysis) {
  await analyse(rounds);
} else if (options.pool) {
  await pool(rounds);
} else {
  await compare(rounds);
}
