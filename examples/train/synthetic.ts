import type { Table } from './data.js';
import { Random } from './random.js';

interface Measure {
  readonly name: string;
  /** Mean and deviation in the healthy. */
  readonly mean: number;
  readonly deviation: number;
  /** Correlation with the severity of the disease. */
  readonly loading: number;
}

// Invented numbers of a plausible size. They describe no study and no person.
const MEASURES: readonly Measure[] = [
  { name: 'age (years)', mean: 73, deviation: 6.5, loading: 0.25 },
  { name: 'education (years)', mean: 16, deviation: 2.7, loading: -0.15 },
  { name: 'hippocampal volume (mm³)', mean: 3700, deviation: 450, loading: -0.7 },
  { name: 'entorhinal thickness (mm)', mean: 3.3, deviation: 0.3, loading: -0.6 },
  { name: 'ventricular volume (ml)', mean: 40, deviation: 18, loading: 0.45 },
  { name: 'glucose uptake (ratio)', mean: 1.3, deviation: 0.12, loading: -0.6 },
  { name: 'words recalled', mean: 8, deviation: 2.5, loading: -0.7 },
  { name: 'trail making (s)', mean: 80, deviation: 30, loading: 0.5 },
];

/**
 * The distance of the mean severity of the ill above that of the healthy, in deviations: the two
 * groups overlap.
 */
const SEVERITY_GAP = 1.8;

/**
 * An invented cohort of cognitively normal people (CN) and people with Alzheimer's disease (AD),
 * who are the minority.
 */
export function syntheticCohort(normal = 900, ill = 100): Table {
  const random = new Random(2024);
  const rows = normal + ill;
  const labels = new Int32Array(rows).fill(1, normal);
  const features = new Float64Array(rows * MEASURES.length);
  let at = 0;
  for (const label of labels) {
    // One hidden severity drives all measures, so that they are correlated, as in life, and no sum
    // of them decides.
    const severity = random.normal() + label * SEVERITY_GAP;
    for (const { mean, deviation, loading } of MEASURES) {
      const score = loading * severity + Math.sqrt(1 - loading ** 2) * random.normal();
      features[at++] = mean + deviation * score;
    }
  }
  return {
    title: `Synthetic cohort: ${normal} cognitively normal (CN), ${ill} with Alzheimer's disease (AD); invented numbers`,
    columns: MEASURES.map(({ name }) => name),
    features,
    labels,
    labelColumn: 'diagnosis',
    classes: ['CN', 'AD'],
  };
}
