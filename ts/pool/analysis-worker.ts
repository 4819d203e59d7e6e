// The code of a worker that knows what focal-loss/analysis has for pools. It becomes a text there.

import { give } from '../module/given.js';
import { listen } from './listen.js';
import { TASKS } from './tasks.js';

listen({ give, tasks: () => TASKS });
