import { timingSafeEqual } from 'node:crypto';
import { formatTypeId, writeTypeIdBytes } from '../type-id.ts';
import { createHmacSha256 } from './hmac-sha256.ts';

/** What a refresh token says of itself; all of it is under the MAC. */
export interface RefreshTokenContent {
  /** `ses_…` */
  readonly sessionId: string;
  /** `key_…`, so that the key can be judged before anything is spent. */
  readonly keyId: string;
  /** From 1. */
  readonly generation: number;
}

const PREFIX = 'ktr_';
const CONTENT_BYTES = 36;
/** 192 bits: RFC 6749 §10.10 asks for a guess to succeed with a probability of at most 2^-160. */
const MAC_BYTES = 24;
/** 60 bytes are 80 base64url characters with no spare bits: one token has one spelling. */
const FORM = /^ktr_[A-Za-z0-9_-]{80}$/;

/**
 * Writes and reads refresh tokens: `ktr_` + base64url(session, key, generation, MAC). The MAC makes a guessed token
 * worth nothing, not even the revocation of the session it names; and since the token follows from the session and the
 * generation alone, a store that holds both still holds no usable token, and the successor that a lost answer carried
 * can be made once more.
 *
 * @param macKeys 32 bytes each; the first signs, all verify.
 */
export function createRefreshTokenCodec(macKeys: readonly Buffer[]) {
  const macs = macKeys.map(createHmacSha256);
  const [mac] = macs;
  if (mac === undefined) throw new TypeError('a refresh token codec needs at least one MAC key');
  return {
    format({ sessionId, keyId, generation }: RefreshTokenContent): string {
      const bytes = Buffer.allocUnsafe(CONTENT_BYTES + MAC_BYTES);
      writeTypeIdBytes(sessionId, bytes, 0);
      writeTypeIdBytes(keyId, bytes, 16);
      bytes.writeUInt32BE(generation, 32);
      mac(bytes.subarray(0, CONTENT_BYTES)).copy(bytes, CONTENT_BYTES, 0, MAC_BYTES);
      return PREFIX + bytes.toString('base64url');
    },

    /** Null for anything that was not made with one of the MAC keys. */
    parse(token: string): RefreshTokenContent | null {
      if (!FORM.test(token)) return null;
      const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url');
      const content = bytes.subarray(0, CONTENT_BYTES);
      const presented = bytes.subarray(CONTENT_BYTES);
      if (!macs.some((macOf) => timingSafeEqual(macOf(content).subarray(0, MAC_BYTES), presented))) return null;
      return {
        sessionId: formatTypeId('ses', content, 0),
        keyId: formatTypeId('key', content, 16),
        generation: content.readUInt32BE(32),
      };
    },
  };
}

export type RefreshTokenCodec = ReturnType<typeof createRefreshTokenCodec>;
