import type { ExitCode } from './exit-codes.ts';

/** Why a command did not do what it was asked to, in words for people and a code for scripts. Never holds a secret. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;
  /** Further members of the JSON form, in wire format. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(exitCode: ExitCode, code: string, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
    this.code = code;
    this.members = members;
  }
}
