import type { VerificationErrorCode } from '../protocol/index.ts';

/** What a failed check saw and wanted. Never the token's text or signature. */
export interface FailedCheck {
  /** The header parameter or claim at fault. */
  readonly claim?: string;
  readonly actual?: unknown;
  readonly expected?: unknown;
  readonly cause?: unknown;
}

const MAX_DETAIL_CHARACTERS = 100;

/** A token that was not accepted, or keys that could not be had. Switch on `code`: it is a closed union. */
export class VerificationError extends Error {
  readonly code: VerificationErrorCode;
  /** The header parameter or claim at fault. */
  readonly claim?: string;
  /** What was found there, at most 100 characters. Whoever made the token chose it: escape it where you print it. */
  readonly actual?: string;
  /** What would have been accepted. */
  readonly expected?: string;

  constructor(code: VerificationErrorCode, message: string, check: FailedCheck = {}) {
    super(message, check.cause === undefined ? undefined : { cause: check.cause });
    this.name = 'VerificationError';
    this.code = code;
    if (check.claim !== undefined) this.claim = check.claim;
    if (check.actual !== undefined) this.actual = detailText(check.actual);
    if (check.expected !== undefined) this.expected = detailText(check.expected);
  }
}

function detailText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
  return text.length > MAX_DETAIL_CHARACTERS ? `${text.slice(0, MAX_DETAIL_CHARACTERS - 1)}…` : text;
}
