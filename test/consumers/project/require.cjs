const library = require('focal-loss');
const { NotInitializedError } = require('focal-loss/slim');

if (require('focal-loss/package.json').name !== 'focal-loss' || !NotInitializedError)
  throw new Error('an entry is missing');
import('./battery.js').then(({ battery, runBattery }) => {
  console.log(runBattery(library, battery));
});
