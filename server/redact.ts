/**
 * Forms of our own secrets, of JWTs, and of the credentials of a URL. Whatever an alternative has scanned no later attempt
 * scans again, so that no input costs more than its length.
 */
const SECRETS = /kt[krs]_[A-Za-z0-9_-]{8,}|eyJ[A-Za-z0-9_.-]{8,}|(?<=:\/\/)[^/@\s]*(?=@)/g;

/** `text` with whatever looks like a secret taken out; for what goes to a log and may carry a client's words. */
export function redactSecrets(text: string): string {
  return text.replace(SECRETS, '[redacted]');
}

const LOGGABLE_SEGMENT = /^(v1|[a-z.][a-z._-]{0,39}|(prj|wsp|rol|key|usr|ses|evt)_[0-9a-z]{26})$/;

/**
 * `path` as it may stand in a log: whatever a client put where an id or a name belongs could be its secret, so what is
 * neither a plain lower-case word nor an id of ours becomes `*`. No secret passes: a generated one has digits and capitals,
 * a chosen one at least three kinds of characters.
 */
export function redactPath(path: string): string {
  return path
    .split('/')
    .map((segment) => (segment === '' || LOGGABLE_SEGMENT.test(segment) ? segment : '*'))
    .join('/');
}
