/** Exit codes of every command, for scripts to branch on. */
export const EXIT_CODES = {
  ok: 0,
  failed: 1,
  /** Arguments or settings are wrong; nothing was tried. */
  usage: 2,
  /** HTTP 403. */
  denied: 3,
  /** HTTP 401: the API key is missing, wrong, revoked or expired. */
  notAuthenticated: 4,
  /** The service, the database or Redis doesn't answer. */
  unreachable: 5,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
