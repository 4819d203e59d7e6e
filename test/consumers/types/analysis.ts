// One set of types: a loss of one entry is what another takes; and the analysis needs the types of
// no runtime.
import { type Criterion, FocalLoss } from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import * as analysisSlim from 'focal-loss/analysis/slim';
import * as slim from 'focal-loss/slim';

const logits = new Float32Array(4);
const targets = new Int32Array(2);

for (const criterion of [new FocalLoss(), new slim.FocalLoss(), new analysis.FocalLoss()]) {
  const taken: analysis.Criterion = criterion;
  const givenBack: Criterion = taken;
  analysis.diagnose(logits, targets, criterion);
  analysisSlim.compareLosses(logits, targets, { criterion });
  new analysis.LossMeter(criterion).update(logits, targets);
  givenBack.forward(logits, targets);
}
