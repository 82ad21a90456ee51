/** What every generated secret begins with, so that secret scanners and people know one. */
export const GENERATED_SECRET_PREFIX = 'ktk_';

/** In order of value, 0 to 61. */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SUFFIX_CHARACTERS = 25;
const CHECKSUM_CHARACTERS = 6;
const SUFFIX = /^[0-9a-z]{25}$/;
const RANDOM = /^[0-9A-Za-z]{43}$/;
const GENERATED_SECRET = /^ktk_([0-9a-z]{25})_[0-9A-Za-z]{49}$/;
const GENERATED_SECRET_CHARACTERS = 79;
const CLIENT_ID = /^[0-9A-Za-z._~-]{1,40}_[0-9a-z]{25}$/;
const MAX_CLIENT_ID_CHARACTERS = 66;

const MIN_CHOSEN_CHARACTERS = 10;
const MAX_CHOSEN_CHARACTERS = 30;
/** bcrypt ignores what follows, without a word. */
const MAX_CHOSEN_BYTES = 72;
const MIN_CHOSEN_CLASSES = 3;

/**
 * `ktk_<suffix>_<random><checksum>`, 79 characters: the whole API key and at the same time its client_secret. The checksum
 * is CRC-32 (IEEE 802.3) over all before it, in six base-62 digits (`0-9A-Za-z`), most significant first, zero-padded:
 * a typing error is refused without a look into storage.
 * @param clientIdSuffix the 25 random characters of the client_id
 * @param random 43 base-62 characters (256 bits)
 * @throws {RangeError} when either has another form; the values are not in the message
 */
export function formatGeneratedSecret(clientIdSuffix: string, random: string): string {
  if (!SUFFIX.test(clientIdSuffix)) throw new RangeError('clientIdSuffix must be 25 lower-case letters and digits');
  if (!RANDOM.test(random)) throw new RangeError('random must be 43 base-62 characters');
  const body = `${GENERATED_SECRET_PREFIX}${clientIdSuffix}_${random}`;
  return body + checksumOf(body);
}

/** Reads a generated secret; null for another form or a wrong checksum. Says nothing about whether the key exists. */
export function parseGeneratedSecret(text: string): { clientIdSuffix: string } | null {
  if (text.length !== GENERATED_SECRET_CHARACTERS) return null;
  const clientIdSuffix = GENERATED_SECRET.exec(text)?.[1];
  if (clientIdSuffix === undefined) return null;
  const body = text.slice(0, -CHECKSUM_CHARACTERS);
  return checksumOf(body) === text.slice(-CHECKSUM_CHARACTERS) ? { clientIdSuffix } : null;
}

/** Whether the text claims to be a generated secret; {@link parseGeneratedSecret} says whether it can be one. */
export function isGeneratedSecretForm(text: string): boolean {
  return text.startsWith(GENERATED_SECRET_PREFIX);
}

/** The random part of a client_id (`<slug of 1 to 40 characters>_<25 characters>`), or null when it has another form. */
export function clientIdSuffixOf(clientId: string): string | null {
  if (clientId.length > MAX_CLIENT_ID_CHARACTERS || !CLIENT_ID.test(clientId)) return null;
  return clientId.slice(-SUFFIX_CHARACTERS);
}

/** Why a secret chosen by a user is refused, with what to do about it. Never holds the secret. */
export const CHOSEN_SECRET_FAULT_MESSAGES = {
  too_short: `a chosen secret has at least ${MIN_CHOSEN_CHARACTERS} characters: make it longer`,
  too_long: `a chosen secret has at most ${MAX_CHOSEN_CHARACTERS} characters: shorten it, or let Keyturn generate one`,
  too_many_bytes: `a chosen secret has at most ${MAX_CHOSEN_BYTES} bytes in UTF-8: use fewer characters outside ASCII`,
  control_character: 'a chosen secret has no control characters and no broken Unicode: remove them',
  too_few_classes: `a chosen secret mixes at least ${MIN_CHOSEN_CLASSES} of upper case, lower case, digits and special characters`,
  looks_generated: `a chosen secret does not begin with ${GENERATED_SECRET_PREFIX}: that marks generated ones`,
} as const;

export type ChosenSecretFault = keyof typeof CHOSEN_SECRET_FAULT_MESSAGES;

/** Each matches a code point of its class; special is whatever is none of the other three. */
const CLASSES = [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{Lu}\p{Ll}\p{Nd}]/u];

/**
 * The first rule a chosen secret breaks, or null for a good one: 10 to 30 code points, at most 72 bytes of UTF-8, no
 * control characters, three of four classes, not the form of a generated secret.
 */
export function checkChosenSecret(secret: string): ChosenSecretFault | null {
  // A code point has at most two UTF-16 units: a megabyte is refused without being walked.
  if (secret.length > 2 * MAX_CHOSEN_CHARACTERS) return 'too_long';
  const characters = [...secret].length;
  if (characters < MIN_CHOSEN_CHARACTERS) return 'too_short';
  if (characters > MAX_CHOSEN_CHARACTERS) return 'too_long';
  if (new TextEncoder().encode(secret).length > MAX_CHOSEN_BYTES) return 'too_many_bytes';
  // Lone surrogates too: UTF-8 turns each into U+FFFD, and different secrets would hash alike.
  if (/[\p{Cc}\p{Cs}]/u.test(secret)) return 'control_character';
  if (CLASSES.filter((characterClass) => characterClass.test(secret)).length < MIN_CHOSEN_CLASSES) {
    return 'too_few_classes';
  }
  return isGeneratedSecretForm(secret) ? 'looks_generated' : null;
}

function checksumOf(asciiText: string): string {
  let rest = crc32(asciiText);
  let digits = '';
  for (let digit = 0; digit < CHECKSUM_CHARACTERS; digit++) {
    digits = BASE62.charAt(rest % BASE62.length) + digits;
    rest = Math.floor(rest / BASE62.length);
  }
  return digits;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

function crc32(asciiText: string): number {
  let remainder = 0xffffffff;
  for (let at = 0; at < asciiText.length; at++) {
    remainder = (remainder >>> 8) ^ (CRC_TABLE[(remainder ^ asciiText.charCodeAt(at)) & 255] as number);
  }
  return (remainder ^ 0xffffffff) >>> 0;
}
