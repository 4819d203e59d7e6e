/**
 * The code of a worker of `focal-loss/pool`, for pages whose policy forbids to make it from a text:
 * the option `worker` of `createPool` starts it. It exports nothing.
 *
 * @module focal-loss/worker
 */

import { listen } from './pool/listen.js';

listen();
