import { showBenchmark } from './benchmark/panel.js';
import { showCode } from './code.js';
import { bindControls } from './controls.js';
import { showCurves } from './curves.js';
import { showData } from './data/panel.js';
import { showDecisions } from './decisions/panel.js';
import { showRace } from './race/panel.js';
import { Store } from './store.js';

const store = new Store();
bindControls(store);
showCode(store);
showCurves(store);
showRace(store);
showData(store);
showDecisions(store);
showBenchmark(store);
