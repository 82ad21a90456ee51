import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Decodes a segment that must hold a JSON object written exactly as `JSON.stringify` writes it, and null otherwise.
 *
 * Keyturn's issuer writes headers and claims so. Demanding the very same text back closes a family of attacks at once,
 * because a text with more than one reading is refused: members given twice (RFC 7515 §4, RFC 7519 §4; two parsers take
 * different ones), white space, a byte order mark, escapes for plain characters, numbers that no double holds such as
 * `1e400` (JSON.parse reads Infinity) or `1.0`, and polyglots with another serialization (CVE-2022-39227).
 */
export function parseCanonicalJsonObject(segment: string): JsonObject | null {
  const bytes = Buffer.from(segment, 'base64url');
  // Invalid UTF-8 would decode to U+FFFD: different bytes, one text.
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isJsonObject(value) || JSON.stringify(value) !== text) return null;
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
