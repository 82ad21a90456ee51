import { TokenFault } from './token-faults.ts';

const CONTROL_CHARACTER = /\p{Cc}/u;
const FORM_TYPE = /^application\/x-www-form-urlencoded[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

/** Nothing to decode, and no control character: what nearly every name and value is. */
const PLAIN = /^[\w.~*-]*$/;

function decode(text: string): string {
  if (PLAIN.test(text)) return text;
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '));
    if (!CONTROL_CHARACTER.test(value)) return value;
  } catch {
    // A lone % or bytes that are not UTF-8: refused below, like a control character.
  }
  throw new TokenFault('body_malformed');
}

/**
 * Reads an `application/x-www-form-urlencoded` body (RFC 6749 appendix B) into one value a name. A parameter without
 * a value counts as absent (§3.2); a repeated one is refused, known or not, so that nothing in front of Keyturn can read
 * the request differently.
 *
 * @throws {TokenFault} body_not_form, body_malformed, parameter_repeated
 */
export function parseFormBody(contentType: string | undefined, body: Buffer): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  if (body.length === 0) return parameters;
  if (contentType === undefined || !FORM_TYPE.test(contentType)) throw new TokenFault('body_not_form');
  // The wire form is ASCII; a raw byte above it is left for `decode` to judge as what it is in Latin-1, and refused here.
  const text = body.toString('latin1');
  if (/[^\x20-\x7e]/.test(text)) throw new TokenFault('body_malformed');
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (parameters.has(name)) throw new TokenFault('parameter_repeated', name);
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === '') parameters.delete(name);
  return parameters;
}
