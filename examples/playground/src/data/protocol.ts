import type { SweepRow } from 'focal-loss/analysis';
import type { Findings, LossSettings } from './analyse.js';

/** The requests of the page to the worker. A new one only follows when the last has ended. */
export type Request =
  | { readonly kind: 'open'; readonly files: readonly File[]; readonly loss: LossSettings }
  | { readonly kind: 'example'; readonly rows: number; readonly loss: LossSettings }
  | { readonly kind: 'analyse'; readonly loss: LossSettings }
  | { readonly kind: 'export'; readonly loss: LossSettings };

/** The replies of the worker before a request ends. A share is missing where nobody knows. */
export type Reply =
  | { readonly kind: 'progress'; readonly stage: string; readonly share?: number }
  | { readonly kind: 'findings'; readonly findings: Findings }
  | { readonly kind: 'sweep'; readonly rows: readonly SweepRow[] }
  | { readonly kind: 'exported'; readonly file: Blob };
