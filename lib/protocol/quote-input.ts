const MAX_QUOTED_CHARACTERS = 200;

/**
 * Untrusted text for an error message: in single quotes, at most about 200 characters. What `error_description` may not
 * hold (RFC 6749 §5.2: anything but printable ASCII, `"` and `\`) becomes `<U+000A>`, so the message is safe in JSON, in a
 * `WWW-Authenticate` header and in a log line as it stands.
 */
export function quoteInput(text: string): string {
  let quoted = '';
  for (const character of text.slice(0, MAX_QUOTED_CHARACTERS)) {
    if (quoted.length >= MAX_QUOTED_CHARACTERS) return `'${quoted}...'`;
    quoted += isQuotable(character) ? character : `<U+${hexOf(character)}>`;
  }
  return text.length > MAX_QUOTED_CHARACTERS ? `'${quoted}...'` : `'${quoted}'`;
}

function isQuotable(character: string): boolean {
  return character >= ' ' && character <= '~' && character !== '"' && character !== '\\';
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
