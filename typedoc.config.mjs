import { entries } from './scripts/build/entries.mjs';

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  entryPoints: entries.map(({ source }) => source),
  tsconfig: 'tsconfig.lib.json',
  out: 'docs/api',
  includeVersion: true,
  excludeInternal: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  // The types of which these are a part say what they are: they follow the runtime's.
  intentionallyNotExported: ['Disposer', 'Float16', 'FreshFloat16', 'CompiledModule', 'Made'],
  treatWarningsAsErrors: true,
  disableSources: true,
};
