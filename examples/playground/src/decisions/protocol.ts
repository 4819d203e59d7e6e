import type { DecisionSettings, Decisions } from './decide.js';

/** The requests of the page to the worker. A new one only follows when the last has ended. */
export type Request =
  | { readonly kind: 'open'; readonly files: readonly File[]; readonly settings: DecisionSettings }
  | { readonly kind: 'cohort'; readonly settings: DecisionSettings }
  | { readonly kind: 'decide'; readonly settings: DecisionSettings };

/** The replies of the worker before a request ends. A share is missing where nobody knows. */
export type Reply =
  | { readonly kind: 'progress'; readonly stage: string; readonly share?: number }
  | { readonly kind: 'decisions'; readonly decisions: Decisions };
