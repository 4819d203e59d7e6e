import { bindControls } from './controls.js';
import { showCurves } from './curves.js';
import { showData } from './data/panel.js';
import { Store } from './store.js';

const store = new Store();
bindControls(store);
showCurves(store);
showData(store);
