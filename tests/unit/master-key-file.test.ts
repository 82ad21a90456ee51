import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeMasterKey, readMasterKey } from '../../server/master-key-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'keyturn-master-key-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('master key file', () => {
  test('is made once, for its owner alone, and read afterwards', () => {
    const file = path.join(folder, 'data', 'master.key');
    expect(readMasterKey(file)).toBeNull();
    expect(makeMasterKey(file)).toBe(true);
    const text = readMasterKey(file) ?? '';
    expect(Buffer.from(text, 'base64')).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
    expect(makeMasterKey(file)).toBe(false);
    expect(readMasterKey(file)).toBe(text);
    expect(readdirSync(path.dirname(file))).toEqual(['master.key']);
  });

  test('of several processes that start at once is one', async () => {
    const file = path.join(folder, 'master.key');
    const module = new URL('../../server/master-key-file.ts', import.meta.url).href;
    const script = `const { makeMasterKey, readMasterKey } = await import(${JSON.stringify(module)});
      const wasMade = makeMasterKey(${JSON.stringify(file)});
      process.stdout.write(JSON.stringify({ wasMade, text: readMasterKey(${JSON.stringify(file)}) }));`;
    const tsx = import.meta.resolve('tsx');
    const runs = Array.from({ length: 5 }, () =>
      promisify(execFile)(process.execPath, ['--import', tsx, '--input-type=module', '-e', script]),
    );
    const results = (await Promise.all(runs)).map(({ stdout }) => JSON.parse(stdout));
    expect(new Set(results.map(({ text }) => text))).toEqual(new Set([readFileSync(file, 'utf8').trim()]));
    expect(results.filter(({ wasMade }) => wasMade)).toHaveLength(1);
  });

  test('that holds something else is left as it is, and not shown', () => {
    const file = path.join(folder, 'master.key');
    writeFileSync(file, 'half a key');
    expect(() => readMasterKey(file)).toThrow(/does not hold 32 bytes/);
    expect(() => readMasterKey(file)).not.toThrow(/half a key/);
    expect(readFileSync(file, 'utf8')).toBe('half a key');
  });
});
