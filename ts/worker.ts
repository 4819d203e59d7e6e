/**
 * The code of a worker of `focal-loss/pool`, for pages whose policy forbids to make it from a text:
 * the option `worker` of `createPool` starts it. It exports nothing.
 *
 * @module focal-loss/worker
 */

import { give } from './module/given.js';
import { listen } from './pool/listen.js';
import { provided } from './pool/provided.js';

listen({ give, tasks: provided });
