// The WebAssembly module where it is part of the bundle. In `focal-loss/slim`, absent.ts takes this
// file's place.

import file from '../../crate/pkg/focal_loss_bg.wasm';
import { fromPrintable } from './base91.js';
import { fromStreams } from './streams.js';

/**
 * The module. What the bundler makes of the import is text; TypeScript goes by the declarations
 * beside the file.
 */
export function moduleBytes(): Uint8Array<ArrayBuffer> {
  return fromStreams((file as unknown as string).split('!').map(fromPrintable));
}
