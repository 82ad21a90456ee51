import { connect, createServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Database, openDatabase } from '../../db/sql/database.ts';
import { migrateToHead, migrationStatus } from '../../db/sql/migrate.ts';
import { SqlApiKeyStore } from '../../db/sql/sql-api-key-store.ts';
import { SqlAuditEventStore } from '../../db/sql/sql-audit-event-store.ts';
import { SqlChangeStore } from '../../db/sql/sql-change-store.ts';
import { SqlProjectStore } from '../../db/sql/sql-project-store.ts';
import { SqlSessionStore } from '../../db/sql/sql-session-store.ts';
import { SqlSigningKeyStore } from '../../db/sql/sql-signing-key-store.ts';
import { type ServerWithUrl, startMariadb } from '../../scripts/services.mjs';
import { DependencyUnavailable } from '../../server/dependency-unavailable.ts';
import type { NewSession } from '../../server/sessions/session-store.ts';
import type { SigningKey } from '../../server/signing-keys/signing-key.ts';
import { anApiKey, anEvent, anInstallation, aTrail, changing, deleting } from '../contract/api-key-store-records.ts';
import { describeOn } from '../support/services.ts';

/** The requirement: a dead dependency is answered within a second and a half. */
const BOUND_MS = 1500;

const attempt = {
  sessionId: 'ses_1',
  generation: 1,
  attemptId: 'attempt',
  ip: null,
  refreshTokenSeconds: 100,
  retrySeconds: 0,
};

const aSigningKey: SigningKey = {
  kid: 'a',
  sequence: 1,
  algorithm: 'ES256',
  publicJwk: {},
  encryptedPrivateKey: 'a',
  createdAtMs: 1,
  activeFromMs: 1,
  retiringFromMs: null,
  retiredFromMs: null,
};

/** Every method of every store, by name. */
function everyCall(database: Database): Record<string, () => Promise<unknown>> {
  const [keys, sessions] = [new SqlApiKeyStore(database, aTrail()), new SqlSessionStore(database)];
  const [projects, signingKeys] = [new SqlProjectStore(database, aTrail()), new SqlSigningKeyStore(database)];
  const [audit, changes] = [new SqlAuditEventStore(database, aTrail()), new SqlChangeStore(database)];
  const use = { keyId: 'key_1', usedAtMs: 1, usedIp: null, deniedAtMs: null, deniedReason: null, secretUses: [] };
  return {
    'keys.insert': () => keys.insert(anApiKey(), anEvent(anApiKey())),
    'keys.findByClientId': () => keys.findByClientId('a'),
    'keys.findByClientIdSuffix': () => keys.findByClientIdSuffix('a'),
    'keys.findById': () => keys.findById('a'),
    'keys.findInProject': () => keys.findInProject('prj_1', 'a'),
    'keys.list': () => keys.list('prj_1', {}, { limit: 1, sort: 'created_at', isDescending: false, after: null }),
    'keys.update': () => keys.update('prj_1', 'a', changing({ isValid: false })),
    'keys.delete': () => keys.delete('prj_1', ['a'], deleting),
    'keys.findPermissionSet': () => keys.findPermissionSet('a'),
    'keys.recordUses': () => keys.recordUses([use]),
    'projects.find': () => projects.find('default'),
    'projects.isEmpty': () => projects.isEmpty(),
    'projects.bootstrap': () => projects.bootstrap(anInstallation()),
    'signingKeys.list': () => signingKeys.list(),
    'signingKeys.add': () => signingKeys.add(aSigningKey, []),
    'signingKeys.retire': () => signingKeys.retire([{ kid: 'a', retiringFromMs: 1, retiredFromMs: 2 }]),
    'audit.append': () => audit.append([anEvent(anApiKey())]),
    'sessions.begin': () => sessions.begin(aSession('ses_2')),
    'sessions.find': () => sessions.find('ses_1'),
    'sessions.rotate': () => sessions.rotate(attempt),
    'sessions.revoke': () => sessions.revoke('ses_1'),
    'sessions.deleteExpired': () => sessions.deleteExpired(10),
    'sessions.ping': () => sessions.ping(),
    'changes.latest': () => changes.latest(),
    'changes.changedObjects': () => changes.changedObjects(0, 1),
    migrationStatus: () => migrationStatus(database),
  };
}

function aSession(id: string): NewSession {
  const grant = { permissions: ['read:a'], permissionSet: null, resource: null };
  return {
    id,
    keyId: 'key_1',
    secretVersion: 1,
    attemptId: 'a',
    ip: null,
    grant,
    refreshTokenSeconds: 100,
    sessionMaxSeconds: null,
  };
}

/** All calls at once and each twice, so that they also queue for a connection; how each ended, and the slowest. */
async function outcomes(database: Database) {
  const start = performance.now();
  const calls = Object.entries(everyCall(database));
  const ended = await Promise.all(
    [...calls, ...calls].map(async ([name, call]) => {
      const error = await call().then(
        () => null,
        (reason: unknown) => reason,
      );
      return { name, error, tookMs: performance.now() - start };
    }),
  );
  return {
    wrong: ended.filter(({ error }) => !(error instanceof DependencyUnavailable)),
    slow: ended.filter(({ tookMs }) => tookMs > BOUND_MS),
  };
}

const allUnavailable = { wrong: [], slow: [] };

describeOn('mariadb', 'MariaDB out of reach', () => {
  let server: ServerWithUrl;
  let database: Database;

  beforeAll(async () => {
    server = await startMariadb();
    database = openDatabase(server.url);
    await migrateToHead(database);
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  /** Connections in the pool, as many as calls at once have made. */
  const warmUp = () => Promise.all(Array.from({ length: 10 }, () => database.ping()));

  /** Works again, by itself and as it was: the session is where it was left. */
  const expectHealed = async () => {
    const sessions = new SqlSessionStore(database);
    await sessions.begin(aSession('ses_healed'));
    expect(await sessions.rotate({ ...attempt, sessionId: 'ses_healed' })).toMatchObject({ outcome: 'rotated' });
    expect(await sessions.revoke('ses_healed')).toBe(true);
    expect(await Promise.all(Array.from({ length: 20 }, () => sessions.find('ses_none')))).toEqual(
      Array(20).fill(null),
    );
  };

  it('hung: every call ends in time, and each works once the server does', async () => {
    await warmUp();
    server.pause();
    try {
      expect(await outcomes(database)).toEqual(allUnavailable);
      // A second time: now there is no connection left, and none can be made.
      expect(await outcomes(database)).toEqual(allUnavailable);
    } finally {
      server.resume();
    }
    await expectHealed();
  });

  it('killed: every call ends in time, and each works after a restart, with no restart of ours', async () => {
    await new SqlSessionStore(database).begin(aSession('ses_kept'));
    await warmUp();
    const inFlight = outcomes(database);
    await server.kill();
    expect((await inFlight).slow).toEqual([]);
    expect(await outcomes(database)).toEqual(allUnavailable);
    await server.restart();
    await expectHealed();
    expect(await new SqlSessionStore(database).find('ses_kept')).toMatchObject({ id: 'ses_kept', generation: 1 });
  });

  it('connections gone dead without a word are thrown away, and new ones serve', async () => {
    const pairs: Socket[][] = [];
    const proxy = createServer((near) => {
      const far = connect(server.port, '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => {});
      pairs.push([near, far]);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    const behindProxy = openDatabase(Object.assign(new URL(server.url), { port: String(port) }).href);
    const calls = () => Promise.allSettled(Array.from({ length: 10 }, () => behindProxy.ping()));
    try {
      await calls();
      expect(pairs).toHaveLength(10);
      // As a firewall that has forgotten the connection: it stays open, and nothing passes any more.
      for (const [near, far] of pairs) {
        near?.unpipe().pause();
        far?.unpipe().pause();
      }
      expect((await calls()).map(({ status }) => status)).toEqual(Array(10).fill('rejected'));
      expect((await calls()).map(({ status }) => status)).toEqual(Array(10).fill('fulfilled'));
    } finally {
      for (const socket of pairs.flat()) socket.destroy();
      await behindProxy.close();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });

  it('a row locked by somebody else: the call ends in time', async () => {
    const sessions = new SqlSessionStore(database);
    await sessions.begin(aSession('ses_locked'));
    const other = openDatabase(server.url);
    const start = performance.now();
    await other.transactionWithoutLimits(async (trx) => {
      await trx('sessions').where({ id: 'ses_locked' }).forUpdate();
      await expect(sessions.rotate({ ...attempt, sessionId: 'ses_locked' })).rejects.toThrow(DependencyUnavailable);
    });
    expect(performance.now() - start).toBeLessThan(BOUND_MS);
    await other.close();
    await expectHealed();
  });

  it('does not say a wrong password, nor its user', async () => {
    const url = Object.assign(new URL(server.url), { password: 'sentinel-password' }).href;
    const refused = openDatabase(url);
    const error = await refused.ping().catch((reason: unknown) => reason);
    await refused.close();
    expect(error).toBeInstanceOf(DependencyUnavailable);
    expect((error as Error).cause).toMatchObject({ message: 'ER_ACCESS_DENIED_ERROR' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/sentinel|Access denied for user/);
  });

  // The server itself raises them, by SIGNAL.
  it.each([
    [1021, 'ER_DISK_FULL'],
    [1040, 'ER_CON_COUNT_ERROR'],
    [1047, 'ER_UNKNOWN_COM_ERROR'],
    [1053, 'ER_SERVER_SHUTDOWN'],
    [1203, 'ER_TOO_MANY_USER_CONNECTIONS'],
    [1205, 'ER_LOCK_WAIT_TIMEOUT'],
    [1290, 'ER_OPTION_PREVENTS_STATEMENT'],
    [1317, 'ER_QUERY_INTERRUPTED'],
    [1836, 'ER_READ_ONLY_MODE'],
    [1969, 'ERRNO_1969'],
  ])('that says error %i can not serve now', async (errno, code) => {
    const statement = `SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'sentinel'`;
    const error = await database.run((knex) => knex.raw(statement)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DependencyUnavailable);
    expect((error as Error).cause).toMatchObject({ message: code });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('sentinel');
  });

  it('a connection killed in the middle of its statement: the call is unavailable', async () => {
    const own = openDatabase(server.url, { poolMax: 1 });
    await expect(own.run((knex) => knex.raw('KILL CONNECTION_ID()'))).rejects.toThrow(DependencyUnavailable);
    await own.close();
  });
});

describeOn('mariadb', 'A server that never speaks', () => {
  let silent: Server;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('is given up in time by every call', async () => {
    const { port } = silent.address() as { port: number };
    const database = openDatabase(`mysql://user:password@127.0.0.1:${port}/keyturn`);
    expect(await outcomes(database)).toEqual(allUnavailable);
    await database.close();
  });
});
