// For bundlers: the file itself, whatever they make of it.
import source from 'focal-loss/focal-loss.wasm';
import { init } from 'focal-loss/slim';

export const started: Promise<void> = init(source);
