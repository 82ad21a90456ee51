import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import {
  EnvelopeRejected,
  MasterKeyMismatch,
  type MasterKeys,
  parseMasterKeys,
} from '../../../server/crypto/master-key.ts';

const newKeyText = () => randomBytes(32).toString('base64');
const plaintext = Buffer.from('a private key');
/** The name of the key that encrypts, as envelopes carry it. */
const keyIdOf = (keys: MasterKeys) => keys.encrypt(plaintext, 'kid-a').split('.')[1] ?? '';

describe('parseMasterKeys', () => {
  test('takes a list, spaces and a final newline included', () => {
    const [first, second] = [newKeyText(), newKeyText()];
    const keys = parseMasterKeys(`${first}, ${second}\n`);
    expect(keys.refreshTokenMacKeys()).toEqual(
      [first, second].flatMap((text) => parseMasterKeys(text).refreshTokenMacKeys()),
    );
  });

  test('derives the same from the same text, and other MAC keys from other text', () => {
    const text = newKeyText();
    const [first] = parseMasterKeys(text).refreshTokenMacKeys();
    expect(first).toHaveLength(32);
    expect(parseMasterKeys(text).refreshTokenMacKeys()).toEqual([first]);
    expect(parseMasterKeys(newKeyText()).refreshTokenMacKeys()).not.toEqual([first]);
    expect(first?.toString('base64')).not.toBe(text);
  });

  const short = randomBytes(31).toString('base64');
  const strayBits = `${'A'.repeat(42)}B=`;
  test.each([
    ['nothing', ''],
    ['31 bytes', short],
    ['33 bytes', randomBytes(33).toString('base64')],
    ['hexadecimal', randomBytes(32).toString('hex')],
    ['base64url', `${'-_'.repeat(21)}A=`],
    ['stray bits in the last character', strayBits],
    ['a missing pad', newKeyText().slice(0, 43)],
  ])('refuses %s, says which entry and how to make one, and does not show it', (_, entry) => {
    const parse = () => parseMasterKeys(`${newKeyText()},${entry}`);
    expect(parse).toThrow(RangeError);
    expect(parse).toThrow(/^has an entry 2 that .* openssl rand -base64 32$/);
    if (entry !== '') expect(parse).not.toThrow(entry);
  });

  test('refuses an entry that stands twice', () => {
    const text = newKeyText();
    expect(() => parseMasterKeys(`${text},${newKeyText()},${text}`)).toThrow('has an entry 3 that repeats');
  });

  test('shows no key to inspect or JSON', () => {
    const text = newKeyText();
    const keys = parseMasterKeys(text);
    const macKey = keys.refreshTokenMacKeys()[0];
    for (const shown of [inspect(keys, { depth: 9, showHidden: true }), JSON.stringify(keys)]) {
      expect(shown).not.toContain(text);
      expect(shown).not.toContain(macKey?.toString('hex').slice(0, 8));
    }
  });
});

describe('encrypt and decrypt', () => {
  test('round trip, another envelope each time', () => {
    const keys = parseMasterKeys(newKeyText());
    const envelope = keys.encrypt(plaintext, 'kid-a');
    expect(envelope).toMatch(/^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    expect(keys.encrypt(plaintext, 'kid-a')).not.toBe(envelope);
    expect(keys.decrypt(envelope, 'kid-a')).toEqual(plaintext);
  });

  test('the first key encrypts and every key decrypts, so that a new one can be put in front', () => {
    const [oldText, newText] = [newKeyText(), newKeyText()];
    const oldKeys = parseMasterKeys(oldText);
    const both = parseMasterKeys(`${newText},${oldText}`);
    expect(both.decrypt(oldKeys.encrypt(plaintext, 'kid-a'), 'kid-a')).toEqual(plaintext);
    const renewed = both.encrypt(plaintext, 'kid-a');
    expect(parseMasterKeys(newText).decrypt(renewed, 'kid-a')).toEqual(plaintext);
    expect(() => oldKeys.decrypt(renewed, 'kid-a')).toThrow(MasterKeyMismatch);
  });

  test('names the master key that is missing', () => {
    const lost = parseMasterKeys(newKeyText());
    const envelope = lost.encrypt(plaintext, 'kid-a');
    const decrypt = () => parseMasterKeys(newKeyText()).decrypt(envelope, 'kid-a');
    expect(decrypt).toThrow(MasterKeyMismatch);
    expect(decrypt).toThrow(`KEYTURN_MASTER_KEY lacks the key ${keyIdOf(lost)},`);
  });

  test('refuses what belongs to another object, and what was changed anywhere', () => {
    const keys = parseMasterKeys(newKeyText());
    const envelope = keys.encrypt(plaintext, 'kid-a');
    expect(() => keys.decrypt(envelope, 'kid-b')).toThrow(EnvelopeRejected);
    const [version, keyId, iv = '', sealed = ''] = envelope.split('.');
    const flip = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    for (const changed of [
      [version, keyId, flip(iv), sealed],
      [version, keyId, iv, flip(sealed)],
      [version, keyId, iv, sealed.slice(0, -4)],
      [version, keyId, iv, sealed.slice(0, 10)],
      [version, keyId, iv],
      ['v2', keyId, iv, sealed],
      [version, keyId, iv, sealed, ''],
    ]) {
      expect(() => keys.decrypt(changed.join('.'), 'kid-a')).toThrow(EnvelopeRejected);
    }
  });
});
