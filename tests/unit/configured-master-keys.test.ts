import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../server/config.ts';
import { configuredMasterKeys } from '../../server/configured-master-keys.ts';
import { createLogger } from '../../server/logging.ts';
import { MasterKeyMissing } from '../../server/master-key-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyturn-master-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const keysIn = (environment: Record<string, string> = {}) =>
  configuredMasterKeys(
    parseConfig({ DATABASE_URL: `sqlite:${path.join(folder, 'keyturn.db')}`, ...environment }),
    createLogger('silent'),
  );
const file = () => path.join(folder, 'master.key');

describe('the master keys', () => {
  test('of the settings leave no file', () => {
    const keys = keysIn({ KEYTURN_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') });
    expect(keys.decrypt(keys.encrypt(Buffer.from('x'), 'kid'), 'kid').toString()).toBe('x');
    expect(existsSync(file())).toBe(false);
  });

  test('are made when something is encrypted, not before, and are the same afterwards', () => {
    const keys = keysIn();
    expect(existsSync(file())).toBe(false);
    const envelope = keys.encrypt(Buffer.from('x'), 'kid');
    expect(existsSync(file())).toBe(true);
    expect(keysIn().decrypt(envelope, 'kid').toString()).toBe('x');
    expect(keysIn().refreshTokenMacKeys()).toEqual(keys.refreshTokenMacKeys());
  });

  test('that are lost are not replaced: what they encrypted would be lost with them', () => {
    const envelope = keysIn().encrypt(Buffer.from('x'), 'kid');
    renameSync(file(), `${file()}.elsewhere`);
    expect(() => keysIn().decrypt(envelope, 'kid')).toThrow(MasterKeyMissing);
    expect(existsSync(file())).toBe(false);
    renameSync(`${file()}.elsewhere`, file());
    expect(keysIn().decrypt(envelope, 'kid').toString()).toBe('x');
  });

  test('behind a link to where nothing is are missing, and the link is left', () => {
    symlinkSync(path.join(folder, 'unmounted', 'master.key'), file());
    expect(() => keysIn().encrypt(Buffer.from('x'), 'kid')).toThrow(MasterKeyMissing);
    expect(() => readFileSync(file())).toThrow('ENOENT');
  });
});
