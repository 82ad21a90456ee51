import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { randomBytes } from '../random.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_TEXT = /^[A-Za-z0-9+/]{43}=$/;
const ENVELOPE = /^v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

/** What is derived from KEYTURN_MASTER_KEY. The keys themselves don't come out, nor into a log by `inspect` or JSON. */
export interface MasterKeys {
  /** HMAC keys for refresh tokens, 32 bytes each: the first makes MACs, all are accepted. */
  refreshTokenMacKeys(): readonly Buffer[];
  /** HMAC keys of the audit chain and their public names: the first makes MACs, all are accepted. */
  auditMacKeys(): readonly { readonly id: string; readonly key: Buffer }[];
  /**
   * AES-256-GCM under the first key: `v1.<key id>.<iv>.<ciphertext and tag>`, base64url. `associatedData` says what the
   * plaintext belongs to; the envelope opens only with the same.
   */
  encrypt(plaintext: Uint8Array, associatedData: string): string;
  /** Throws {@link MasterKeyMismatch} when no key of the list made it, {@link EnvelopeRejected} when it was changed. */
  decrypt(envelope: string, associatedData: string): Buffer;
}

/** Something in the store was encrypted under a master key that is not in the list. */
export class MasterKeyMismatch extends Error {
  readonly keyId: string;

  constructor(keyId: string) {
    super(
      `KEYTURN_MASTER_KEY lacks the key ${keyId}, under which a stored signing key is encrypted: add that key to the list`,
    );
    this.name = 'MasterKeyMismatch';
    this.keyId = keyId;
  }
}

/** The envelope is malformed, was changed, or belongs to another object. */
export class EnvelopeRejected extends Error {
  constructor() {
    super('an encrypted value in the store was changed or belongs to another object');
    this.name = 'EnvelopeRejected';
  }
}

interface DerivedKey {
  /** Public name, 8 hexadecimal digits. */
  readonly id: string;
  readonly encryptionKey: KeyObject;
  readonly macKey: Buffer;
  readonly auditMacKey: Buffer;
}

/**
 * @param text the value of KEYTURN_MASTER_KEY: 32 bytes in base64 each, separated by commas; the first encrypts, all decrypt.
 * @throws RangeError that names the entry and never shows it; the message follows the name of the setting.
 */
export function parseMasterKeys(text: string): MasterKeys {
  const keys = text.split(',').map((entry, index) => deriveKey(parseEntry(entry.trim(), index + 1)));
  const keyIds = keys.map(({ id }) => id);
  const repeated = keyIds.findIndex((id, index) => keyIds.indexOf(id) !== index);
  if (repeated !== -1) throw new RangeError(`has an entry ${repeated + 1} that repeats an earlier one`);
  return createMasterKeys(keys);
}

function parseEntry(entry: string, position: number): Buffer {
  const bytes = Buffer.from(entry, 'base64');
  // Comparing with the canonical text also refuses stray bits in the last character, which decoders drop silently.
  if (KEY_TEXT.test(entry) && bytes.toString('base64') === entry) return bytes;
  throw new RangeError(
    `has an entry ${position} that is not ${KEY_BYTES} bytes in base64 (it has ${entry.length} characters ` +
      `instead of 44, or characters that are not base64); make one with: openssl rand -base64 ${KEY_BYTES}`,
  );
}

/** HKDF (RFC 5869), one info string for each use, so that no two uses share a key. */
function deriveKey(masterKey: Buffer): DerivedKey {
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', masterKey, '', `keyturn/v1/${use}`, KEY_BYTES));
  return {
    id: createHash('sha256').update(derive('master-key-id')).digest('hex').slice(0, 8),
    encryptionKey: createSecretKey(derive('signing-key-encryption')),
    macKey: derive('refresh-token-mac'),
    auditMacKey: derive('audit-chain-mac'),
  };
}

function createMasterKeys(keys: readonly DerivedKey[]): MasterKeys {
  const [first] = keys;
  if (first === undefined) throw new RangeError('at least one master key is needed');
  return {
    refreshTokenMacKeys: () => keys.map(({ macKey }) => macKey),
    auditMacKeys: () => keys.map(({ id, auditMacKey }) => ({ id, key: auditMacKey })),
    encrypt(plaintext, associatedData) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', first.encryptionKey, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(associatedData));
      const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      return `v1.${first.id}.${iv.toString('base64url')}.${sealed.toString('base64url')}`;
    },
    decrypt(envelope, associatedData) {
      const [, keyId = '', iv = '', sealed = ''] = ENVELOPE.exec(envelope) ?? [];
      if (keyId === '') throw new EnvelopeRejected();
      const key = keys.find(({ id }) => id === keyId);
      if (key === undefined) throw new MasterKeyMismatch(keyId);
      return open(key, Buffer.from(iv, 'base64url'), Buffer.from(sealed, 'base64url'), associatedData);
    },
  };
}

function open(key: DerivedKey, iv: Buffer, sealed: Buffer, associatedData: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key.encryptionKey, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(associatedData));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new EnvelopeRejected();
  }
}
