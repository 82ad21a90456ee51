import { createHmac, timingSafeEqual } from 'node:crypto';
import { TypeID } from 'typeid-js';

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

function macOf(content: Buffer, key: Buffer): Buffer {
  return createHmac('sha256', key).update(content).digest().subarray(0, MAC_BYTES);
}

function typeIdBytes(id: string): Uint8Array {
  return TypeID.fromString(id).toUUIDBytes();
}

/**
 * Writes and reads refresh tokens: `ktr_` + base64url(session, key, generation, MAC). The MAC makes a guessed token
 * worth nothing, not even the revocation of the session it names; and since the token follows from the session and the
 * generation alone, a store that holds both still holds no usable token, and the successor that a lost answer carried
 * can be made once more.
 *
 * @param macKeys 32 bytes each; the first signs, all verify.
 */
export function createRefreshTokenCodec(macKeys: readonly Buffer[]) {
  const [signingKey] = macKeys;
  if (signingKey === undefined) throw new TypeError('a refresh token codec needs at least one MAC key');
  return {
    format({ sessionId, keyId, generation }: RefreshTokenContent): string {
      const content = Buffer.alloc(CONTENT_BYTES);
      content.set(typeIdBytes(sessionId), 0);
      content.set(typeIdBytes(keyId), 16);
      content.writeUInt32BE(generation, 32);
      return PREFIX + Buffer.concat([content, macOf(content, signingKey)]).toString('base64url');
    },

    /** Null for anything that was not made with one of the MAC keys. */
    parse(token: string): RefreshTokenContent | null {
      if (!FORM.test(token)) return null;
      const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url');
      const content = bytes.subarray(0, CONTENT_BYTES);
      const mac = bytes.subarray(CONTENT_BYTES);
      if (!macKeys.some((key) => timingSafeEqual(macOf(content, key), mac))) return null;
      return {
        sessionId: TypeID.fromUUIDBytes('ses', content.subarray(0, 16)).toString(),
        keyId: TypeID.fromUUIDBytes('key', content.subarray(16, 32)).toString(),
        generation: content.readUInt32BE(32),
      };
    },
  };
}

export type RefreshTokenCodec = ReturnType<typeof createRefreshTokenCodec>;
