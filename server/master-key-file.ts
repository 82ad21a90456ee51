import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomBase64url, randomBytes } from './random.ts';

/** The file is not there, and what it would decrypt is. */
export class MasterKeyMissing extends Error {
  constructor(file: string) {
    super(`${file} is missing or leads nowhere, and what it has encrypted is there: restore it from the backup`);
    this.name = 'MasterKeyMissing';
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
const isThere = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST';

/**
 * The master key in `file`, 32 bytes in base64; null when there is no such file.
 *
 * @throws {Error} when the file holds something else or can't be read.
 */
export function readMasterKey(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  if (/^[A-Za-z0-9+/]{43}=(,[A-Za-z0-9+/]{43}=)*$/.test(text)) return text;
  throw new Error(`${file} does not hold 32 bytes in base64; put the right key back, or nothing can be decrypted`);
}

/**
 * Makes a master key in `file` (0600, in a folder of 0700), unless one is there. Of several processes that start at once
 * all end up with the same key: it is written aside and linked into place, which fails where one is already.
 *
 * @returns true when this call made it.
 */
export function makeMasterKey(file: string): boolean {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBase64url(6)}`;
  writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (!isThere(error)) throw error;
    return false;
  } finally {
    rmSync(draft);
  }
}
