/**
 * The number to take off the logit of class 1 so that F1 of class 1 is largest on these rows. For
 * two classes that is a threshold for its probability, {@link thresholdOf}; 0 stands for 0.5. Of
 * equally good cuts it is the one nearest to 0.
 */
export function chooseCut(logits: Float32Array, targets: Int32Array, classes: number): number {
  const margins = Float64Array.from(targets.keys(), (row) =>
    margin(logits, row * classes, classes),
  );
  const order = [...margins.keys()].sort((a, b) => margins[b] - margins[a]);
  const positives = targets.filter((target) => target === 1).length;
  let best = { f1: -1, cut: 0 };
  let found = 0;
  for (const [i, row] of order.entries()) {
    if (targets[row] === 1) found++;
    const next = i + 1 < order.length ? margins[order[i + 1]] : margins[row] - 2;
    if (next === margins[row]) continue; // equal rows stay together
    // The rows up to this one are called class 1: the cut lies between it and the next.
    const cut = (margins[row] + next) / 2;
    const f1 = (2 * found) / (i + 1 + positives);
    if (f1 > best.f1 || (f1 === best.f1 && Math.abs(cut) < Math.abs(best.cut))) best = { f1, cut };
  }
  return best.cut;
}

/** The height of class 1's logit above all others of its row. */
function margin(logits: Float32Array, start: number, classes: number): number {
  let others = -Infinity;
  for (let j = 0; j < classes; j++) if (j !== 1) others = Math.max(others, logits[start + j]);
  return logits[start + 1] - others;
}

/** The logits with the cut taken off that of class 1: their largest is the prediction. */
export function applyCut(logits: Float32Array, classes: number, cut: number): Float64Array {
  return Float64Array.from(logits, (logit, i) => (i % classes === 1 ? logit - cut : logit));
}

/** The probability from which on a row is called class 1, where there are two classes. */
export function thresholdOf(cut: number): number {
  return 1 / (1 + Math.exp(-cut));
}
