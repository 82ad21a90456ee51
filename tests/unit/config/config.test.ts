import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigError, type ConfigFault, parseConfig } from '../../../server/config.ts';
import { SETTINGS, type SettingName } from '../../../server/settings.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'keyturn-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

function reportOf(environment: Record<string, string>): ConfigError {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('these settings were accepted');
}

const faultOf = (name: SettingName, text: string): ConfigFault | undefined =>
  reportOf({ [name]: text }).faults.find((fault) => fault.name === name);

function file(name: string, text: string): string {
  const made = path.join(folder, name);
  writeFileSync(made, text);
  return made;
}

describe('defaults', () => {
  it('are those of the documentation', () => {
    expect(parseConfig({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      databaseUrl: 'sqlite:./data/keyturn.db',
      isEmbedded: true,
      isProduction: false,
      redisUrl: null,
      issuer: 'http://127.0.0.1:8080',
      masterKey: null,
      masterKeyPath: path.resolve('data/master.key'),
      trustedProxies: [],
      accessTokenSeconds: 7200,
      refreshGraceSeconds: 3600,
      sessionMaxSeconds: null,
      refreshRetrySeconds: 0,
      signingAlgorithm: 'ES256',
      signingRotationDays: 30,
      opsPort: null,
      logLevel: 'info',
      unknownSettings: [],
    });
  });

  it('hold for variables that are set to nothing', () => {
    const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
    expect(parseConfig(empty)).toEqual(parseConfig({}));
  });

  it('follow from other settings: the issuer from the port, the master key from the database', () => {
    expect(parseConfig({ PORT: '9000' }).issuer).toBe('http://127.0.0.1:9000');
    expect(parseConfig({ DATABASE_URL: 'sqlite:/var/lib/k/k.db' }).masterKeyPath).toBe('/var/lib/k/master.key');
  });

  it('the config can not be changed', () => {
    expect(Object.isFrozen(parseConfig({}))).toBe(true);
  });
});

describe('faults', () => {
  const wrong = {
    PORT: '0',
    HOST: 'not a host',
    DATABASE_URL: 'postgres://u:s3cret-a@h/db',
    REDIS_URL: 'http://:s3cret-b@h',
    KEYTURN_ISSUER: 'ftp://h',
    KEYTURN_MASTER_KEY: 's3cret-c',
    KEYTURN_TRUSTED_PROXIES: 'true',
    KEYTURN_ACCESS_TOKEN_SECONDS: '59',
    KEYTURN_REFRESH_GRACE_SECONDS: '86401',
    KEYTURN_SESSION_MAX_SECONDS: '-1',
    KEYTURN_REFRESH_RETRY_SECONDS: '31',
    KEYTURN_SIGNING_ALG: 'HS256',
    KEYTURN_SIGNING_ROTATION_DAYS: '1.5',
    KEYTURN_OPS_PORT: '70000',
    KEYTURN_LOG_LEVEL: 'loud',
  } satisfies Record<SettingName, string>;

  it('are all in one report, one line each, without a secret', () => {
    const { faults, message } = reportOf(wrong);
    expect(faults.map(({ name }) => name)).toEqual(Object.keys(SETTINGS));
    expect(message.split('\n')).toHaveLength(1 + faults.length);
    expect(message + JSON.stringify(faults)).not.toContain('s3cret');
    expect(message).toContain('PORT must be at least 1 (is "0")');
  });

  it.each(Object.entries(wrong))('%s alone is told alone', (name, text) => {
    expect(reportOf({ [name]: text }).faults).toEqual([
      {
        name,
        message: expect.any(String),
        found: name in { DATABASE_URL: 1, REDIS_URL: 1, KEYTURN_MASTER_KEY: 1 } ? null : text,
      },
    ]);
  });

  it.each([
    ['PORT', '80a'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '8e3'],
    ['DATABASE_URL', 'sqlite:'],
    ['DATABASE_URL', 'mysql://h'],
    ['KEYTURN_ISSUER', 'https://h/'],
    ['KEYTURN_ISSUER', 'https://h?a=b'],
    ['KEYTURN_ISSUER', 'https://h#a'],
    ['KEYTURN_ISSUER', 'h.example'],
    ['KEYTURN_MASTER_KEY', `${MASTER_KEY},`],
    ['KEYTURN_MASTER_KEY', MASTER_KEY.slice(1)],
    ['KEYTURN_SIGNING_ALG', 'none'],
    ['KEYTURN_SIGNING_ALG', 'es256'],
  ] as const)('%s=%s is refused', (name, text) => {
    expect(faultOf(name, text)).toBeDefined();
  });

  it.each([
    ['PORT', '1'],
    ['PORT', '65535'],
    ['KEYTURN_ACCESS_TOKEN_SECONDS', '60'],
    ['KEYTURN_ACCESS_TOKEN_SECONDS', '86400'],
    ['KEYTURN_REFRESH_RETRY_SECONDS', '30'],
    ['KEYTURN_SIGNING_ROTATION_DAYS', '0'],
    ['KEYTURN_MASTER_KEY', `${MASTER_KEY},${Buffer.alloc(32, 8).toString('base64')}`],
    ['KEYTURN_ISSUER', 'https://h.example/keys'],
    ['REDIS_URL', 'redis+sentinel://a:1,b:2/main'],
    ['DATABASE_URL', 'sqlite:/var/lib/keyturn/my keys.db'],
    ['DATABASE_URL', 'mysql://u:p%40@[::1]:3307/db'],
  ] as const)('%s=%s is taken', (name, text) => {
    expect(() => parseConfig({ [name]: text })).not.toThrow();
  });

  it('the ops port must be another one', () => {
    expect(reportOf({ PORT: '9000', KEYTURN_OPS_PORT: '9000' }).faults).toMatchObject([{ name: 'KEYTURN_OPS_PORT' }]);
  });
});

describe('trusted proxies', () => {
  it.each(['true', '1', '2', 'loopback', '*', '10.0.0.0/8,true', '0.0.0.0/0', '::/0', '010.0.0.0/8', '10/8', ','])(
    '%s is refused',
    (text) => {
      expect(faultOf('KEYTURN_TRUSTED_PROXIES', text)).toMatchObject({ message: expect.stringContaining('CIDR') });
    },
  );

  it('are addresses and CIDRs of both families', () => {
    const { trustedProxies } = parseConfig({ KEYTURN_TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8,192.0.2.1' });
    expect(trustedProxies.map(({ prefix }) => prefix)).toEqual([8, 8, 32]);
  });
});

describe('NAME_FILE', () => {
  it('is read for every setting, without the newline at its end', () => {
    const config = parseConfig({
      PORT_FILE: file('port', '9001\n'),
      DATABASE_URL_FILE: file('database', 'mysql://u:p@h:3306/db\n'),
      KEYTURN_MASTER_KEY_FILE: file('master', `${MASTER_KEY}\n`),
    });
    expect(config).toMatchObject({ port: 9001, databaseUrl: 'mysql://u:p@h:3306/db', masterKey: MASTER_KEY });
    expect(config.unknownSettings).toEqual([]);
  });

  it('and NAME are not both taken', () => {
    const { faults, message } = reportOf({
      REDIS_URL: 'redis://:s3cret@h',
      REDIS_URL_FILE: file('redis', 'redis://h'),
    });
    expect(faults).toMatchObject([{ name: 'REDIS_URL', message: expect.stringContaining('REDIS_URL_FILE') }]);
    expect(message).not.toContain('s3cret');
  });

  it('that can not be read is named, with the other faults', () => {
    const { faults } = reportOf({ KEYTURN_MASTER_KEY_FILE: path.join(folder, 'absent'), PORT: 'x' });
    expect(faults.map(({ name }) => name)).toEqual(['PORT', 'KEYTURN_MASTER_KEY']);
    expect(faults[1]?.message).toContain('ENOENT');
  });

  it.each(['DATABASE_URL', 'KEYTURN_MASTER_KEY', 'REDIS_URL'])(
    'that is empty does not count as not set: %s',
    (name) => {
      const { faults } = reportOf({ [`${name}_FILE`]: file(`empty-${name}`, ' \n') });
      expect(faults).toMatchObject([{ name, message: expect.stringContaining('is empty') }]);
    },
  );

  it('with a wrong value in it does not show a secret', () => {
    const { message } = reportOf({ KEYTURN_MASTER_KEY_FILE: file('wrong', 's3cret') });
    expect(message).toContain('KEYTURN_MASTER_KEY has an entry 1 that is not 32 bytes in base64');
    expect(message).not.toContain('s3cret');
  });
});

describe('production', () => {
  const production = { NODE_ENV: 'production', KEYTURN_ISSUER: 'https://keys.example' };

  it('demands an https issuer', () => {
    expect(reportOf({ NODE_ENV: 'production' }).faults).toMatchObject([{ name: 'KEYTURN_ISSUER' }]);
    expect(reportOf({ ...production, KEYTURN_ISSUER: 'http://h' }).faults).toMatchObject([
      { name: 'KEYTURN_ISSUER', found: 'http://h' },
    ]);
    expect(parseConfig(production)).toMatchObject({ issuer: 'https://keys.example', isProduction: true });
  });

  it('demands a master key where storage is not embedded', () => {
    const shared = { ...production, DATABASE_URL: 'mysql://u:p@h/db' };
    expect(reportOf(shared).faults).toMatchObject([{ name: 'KEYTURN_MASTER_KEY', found: null }]);
    expect(parseConfig({ ...shared, KEYTURN_MASTER_KEY: MASTER_KEY }).masterKey).toBe(MASTER_KEY);
  });

  it('a fault is told once, though two rules see it', () => {
    const { faults } = reportOf({
      NODE_ENV: 'production',
      KEYTURN_ISSUER: 'http://h/',
      DATABASE_URL: 'mysql://h/d',
      KEYTURN_MASTER_KEY: 'x',
    });
    expect(faults.map(({ name }) => name)).toEqual(['KEYTURN_ISSUER', 'KEYTURN_MASTER_KEY']);
  });
});

it('settings that mean nothing here are named, those of the client commands are not', () => {
  const environment = {
    KEYTURN_PORT: '1',
    KEYTURN_API_KEY_FILE: 'f',
    KEYTURN_URL: 'u',
    KEYTURN_LOG_LEVEL: 'warn',
    PATH: '/',
  };
  expect(parseConfig(environment).unknownSettings).toEqual(['KEYTURN_PORT']);
});

describe('what a later parser would refuse is refused at start', () => {
  it.each([
    ['KEYTURN_ISSUER', ' http://h'],
    ['KEYTURN_ISSUER', 'http:h'],
    ['KEYTURN_ISSUER', 'http://h?'],
    ['KEYTURN_ISSUER', 'http://h#'],
    ['KEYTURN_ISSUER', 'http://H'],
    ['KEYTURN_ISSUER', 'http://h/'],
    ['KEYTURN_ISSUER', 'http://u:s3cret@h'],
    ['DATABASE_URL', 'mysql://u:s3cret@h/db?x=1'],
    ['DATABASE_URL', 'mysql://u:s3cret@h'],
    ['DATABASE_URL', 'mysql://u:s3cret@h:99999/db'],
    ['DATABASE_URL', 'mysql://u:s3cret%zz@h/db'],
    ['DATABASE_URL', 'sqlite::memory:'],
    ['REDIS_URL', 'redis+sentinel://:s3cret@h'],
    ['REDIS_URL', 'redis://a,b'],
    ['KEYTURN_MASTER_KEY', `${MASTER_KEY},${MASTER_KEY}`],
    ['KEYTURN_MASTER_KEY', `${MASTER_KEY.slice(0, 42)}B=`],
  ])('%s=%s', (name, value) => {
    const { faults, message } = reportOf({ [name]: value });
    expect(faults.map((fault) => fault.name)).toEqual([name]);
    expect(message).not.toContain('s3cret');
    expect(JSON.stringify(faults)).not.toContain('s3cret');
  });

  it.each(['http://h', 'https://keys.example.com:8443', 'https://example.com/keyturn', 'http://[::1]:8080'])(
    'but not the issuer %s',
    (issuer) => {
      expect(parseConfig({ KEYTURN_ISSUER: issuer }).issuer).toBe(issuer);
    },
  );
});
