/** What the first process of `serve --workers` and its workers tell each other, by node's channel between them. */
import type { ExitCode } from '../exit-codes.ts';

/** Members of a CommandFailure, which as an object of a class would not arrive whole. */
export interface ReportedFailure {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly stack: string | undefined;
}

/** How a worker ends: `stop` as a service alone does, `retire` where others go on serving its port. */
export type Leaving = 'stop' | 'retire';

export type ToWorker =
  | { readonly kind: 'leave'; readonly how: Leaving }
  | { readonly kind: 'report-metrics'; readonly request: number }
  | { readonly kind: 'all-metrics'; readonly request: number; readonly text: string }
  | { readonly kind: 'farewell'; readonly request: number };

export type FromWorker =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly failure: ReportedFailure }
  | { readonly kind: 'metrics'; readonly request: number; readonly text: string }
  | { readonly kind: 'all-metrics-wanted'; readonly request: number }
  | { readonly kind: 'farewell'; readonly request: number };

/**
 * Set for workers alone: their number, from 1. Other programs fork node processes by node:cluster too (pm2 does), so
 * being such a process doesn't make one a worker.
 */
export const WORKER_VARIABLE = 'KEYTURN_WORKER';
