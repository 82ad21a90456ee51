/**
 * TypeIDs: a prefix and a 128-bit UUID in 26 characters of Crockford's base 32 (https://github.com/jetify-com/typeid,
 * version 0.3). typeid-js does the same, and the tests hold the two together; here it was a tenth of an exchange, which
 * reads or writes five of them.
 */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const UUID_BYTES = 16;
const SUFFIX_CHARACTERS = 26;

/** By character code; 255 for what is not in the alphabet. */
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = ALPHABET.indexOf(String.fromCharCode(code));
  return value < 0 ? 255 : value;
});
const PAIRS = Array.from({ length: 1024 }, (_, ten) => ALPHABET.charAt(ten >> 5) + ALPHABET.charAt(ten & 31));

/** @param bytes of which the 16 from `at` on are taken */
export function formatTypeId(prefix: string, bytes: Uint8Array, at = 0): string {
  let text = `${prefix}_`;
  // 130 bits, the first two of them zero: 13 pairs of five bits each.
  let buffered = 0;
  let bits = 2;
  for (let index = 0; index < UUID_BYTES; index += 1) {
    buffered = (buffered << 8) | (bytes[at + index] as number);
    bits += 8;
    if (bits < 10) continue;
    bits -= 10;
    text += PAIRS[buffered >>> bits] as string;
    buffered &= (1 << bits) - 1;
  }
  return text;
}

/** When the UUIDv7 of a TypeID was made (RFC 9562 §5.7), in milliseconds since the epoch. Throws RangeError for other text. */
export function typeIdTimeMs(typeId: string): number {
  const uuid = Buffer.alloc(UUID_BYTES);
  writeTypeIdBytes(typeId, uuid);
  return uuid.readUIntBE(0, 6);
}

/**
 * Writes the UUID of a TypeID, whatever its prefix, into `target` from `at` on.
 *
 * @throws {RangeError} when the text ends in anything but 26 characters of a TypeID
 */
export function writeTypeIdBytes(typeId: string, target: Uint8Array, at = 0): void {
  const start = typeId.length - SUFFIX_CHARACTERS;
  let buffered = 0;
  let bits = -2;
  let written = 0;
  for (let index = 0; index < SUFFIX_CHARACTERS; index += 1) {
    const value = VALUES[typeId.charCodeAt(start + index)] ?? 255;
    // A first character above 7 would need a 129th bit.
    if (value === 255 || (index === 0 && value > 7)) throw new RangeError('this is no TypeID');
    buffered = (buffered << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    target[at + written] = buffered >>> bits;
    written += 1;
    buffered &= (1 << bits) - 1;
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The UUID in a TypeID, as RFC 9562 §4 writes it.
 *
 * @throws {RangeError} for what is no TypeID
 */
export function uuidOfTypeId(typeId: string): string {
  const bytes = Buffer.alloc(UUID_BYTES);
  writeTypeIdBytes(typeId, bytes);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Null for what is no UUID. */
export function typeIdOfUuid(prefix: string, uuid: string): string | null {
  return UUID.test(uuid) ? formatTypeId(prefix, Buffer.from(uuid.replaceAll('-', ''), 'hex')) : null;
}
