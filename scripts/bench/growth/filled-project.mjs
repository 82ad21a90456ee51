/* A project with as many keys as wanted, with the spread of a real one: owners, expiry, use, roles, words of names. */
import { createConnection } from 'mysql2/promise';
import { startKeyturn } from '../harness/keyturn.mjs';
import { insertKeys, keyIdOf, secretOf } from './numbered-keys.mjs';

const PATTERN = 'pattern';
const DAY_MS = 86_400_000;
/** So many keys have what is rare, whatever the size of the project. */
const RARE = 20;
const PROJECT = '/v1/projects/default';
const HELD_BY_MOST = 'read:credential/prod-*';
const HELD_BY_FEW = 'write:release';

/** A whole number below `bound`, SQL, that follows from the key's number and from nothing else of the key. */
const spread = (what, bound) => `(CONV(LEFT(MD5(CONCAT('${what}', seq)), 8), 16, 10) % ${bound})`;

function columnsOf(keyCount, nowMs) {
  const isRare = `seq % ${keyCount / RARE} = 0`;
  const kind = `IF(${isRare}, 'audit', ELT(1 + ${spread('kind', 4)}, 'ci', 'ci', 'deploy', 'backup'))`;
  const team = `CONCAT('team', LPAD(${spread('team', 50)}, 2, '0'))`;
  const region = `ELT(1 + ${spread('region', 4)}, 'eu', 'us', 'ap', 'sa')`;
  const expiry = `${nowMs} + (${spread('expiry', 730 * 24)} - ${365 * 24}) * 3600000`;
  return {
    name: `CONCAT_WS('-', ${kind}, ${team}, ${region}, LPAD(seq, 6, '0'))`,
    // One has half of them, one each hundredth.
    owner_id: `CASE WHEN ${spread('owner', 100)} < 50 THEN 'usr_most' WHEN ${spread('owner', 100)} = 50 THEN 'usr_few' ELSE 'usr_other' END`,
    is_valid: `${spread('valid', 10)} > 0`,
    expires_at_ms: `IF(${spread('expires', 10)} < 4, NULL, ${expiry})`,
    created_at_ms: `${nowMs - 500 * DAY_MS} + seq`,
    last_used_at_ms: `IF(${spread('used', 10)} < 3, NULL, ${nowMs} - ${spread('use', 400 * 24)} * 3600000)`,
    permissions: `IF(${isRare}, '["${HELD_BY_FEW}"]', '["${HELD_BY_MOST}"]')`,
  };
}

/** Every word of a name, and the random end of the client_id: as server/api-keys/search-words.ts has them. */
const WORDS = [
  "SUBSTRING_INDEX(name, '-', 1)",
  "SUBSTRING_INDEX(SUBSTRING_INDEX(name, '-', 2), '-', -1)",
  "SUBSTRING_INDEX(SUBSTRING_INDEX(name, '-', 3), '-', -1)",
  "SUBSTRING_INDEX(name, '-', -1)",
  'client_id_suffix',
];
const NUMBERED = "FROM api_keys WHERE name LIKE '%-team%'";

async function insertWordsAndRoles(databaseUrl, { most, few, workspace }) {
  const connection = await createConnection(databaseUrl);
  await connection.query('SET SESSION unique_checks = 0, foreign_key_checks = 0');
  for (const word of WORDS)
    await connection.query(
      `INSERT INTO api_key_words (project_id, word, key_id) SELECT project_id, ${word}, id ${NUMBERED}`,
    );
  const place = `IF(client_id_suffix < '4', '${workspace}', '')`;
  const assign = (role, condition) =>
    connection.query(
      `INSERT INTO api_key_roles (key_id, role_id, workspace_id) SELECT id, '${role}', ${place} ${NUMBERED} AND ${condition}`,
    );
  await assign(most, "client_id_suffix < 'a'");
  await assign(few, "name LIKE 'audit-%'");
  await connection.query('ANALYZE TABLE api_keys, api_key_words, api_key_roles');
  await connection.end();
}

/**
 * Queries of the list of keys, by what they ask for. The answer of each holds as many keys in a project of a thousand as in a
 * larger one: what holds for a few there asks for no more here.
 */
function readsOf({ keyCount, nowMs, most, few, workspace }) {
  const cursor = (sort, value, id) => Buffer.from(JSON.stringify([sort, value, id])).toString('base64url');
  const late = keyIdOf(Math.ceil(0.9 * keyCount));
  const daysAgo = (days) => new Date(nowMs - days * DAY_MS).toISOString();
  const [, suffix] = secretOf(keyCount / 2).split('_');
  return {
    list: {
      'first page': {},
      'a page after nine tenths': { cursor: cursor('created_at', null, late) },
      'newest first': { sort: '-created_at' },
      'by name': { sort: 'name' },
      'by name, a page after three quarters': { sort: 'name', cursor: cursor('name', 'deploy-', late) },
      'by last use, latest first': { sort: '-last_used_at' },
      'by expiry': { sort: 'expires_at' },
    },
    filter: {
      'an owner of half of the keys': { owner_id: 'usr_most' },
      'an owner of a hundredth, 5 keys': { owner_id: 'usr_few', limit: 5 },
      'valid ones': { is_valid: 'true' },
      'valid ones by name': { is_valid: 'true', sort: 'name' },
      'revoked ones by last use': { is_valid: 'false', sort: '-last_used_at' },
      'expired ones': { expires_before: daysAgo(0) },
      'expired for 250 days': { expires_before: daysAgo(250) },
      'expired for 360 days, 3 keys': { expires_before: daysAgo(360), limit: 3 },
      'unused for 90 days': { unused_since: daysAgo(90) },
      'unused for 399 days': { unused_since: daysAgo(399) },
      'a role of most': { role_id: most },
      'a role of few': { role_id: few },
      'a workspace': { workspace_id: workspace },
      'a permission of most': { permission: 'read:credential/prod-db' },
      'a permission of few': { permission: HELD_BY_FEW },
      'an owner, valid, unused, by expiry': {
        ...{ owner_id: 'usr_most', is_valid: 'true', unused_since: daysAgo(90), sort: 'expires_at' },
      },
    },
    search: {
      'a word of half of the names': { q: 'ci' },
      'a word of half, by last use': { q: 'ci', sort: '-last_used_at' },
      'a word of few': { q: 'audit' },
      'two words': { q: 'deploy eu' },
      'two words that few have, 3 keys': { q: 'team07 eu', limit: 3 },
      'a beginning that nearly all have': { q: 'team' },
      'the end of a client_id': { q: suffix },
      'a word, an owner, revoked ones': { q: 'ci', owner_id: 'usr_most', is_valid: 'false' },
    },
  };
}

/** Without Redis: a list asks SQL alone. */
export async function startFilledProject(bench, { name, keyCount }) {
  const databaseUrl = await bench.database(name);
  const keyturn = await startKeyturn({ databaseUrl });
  const url = `http://127.0.0.1:${keyturn.port}`;
  await keyturn.createKey({ name: PATTERN });
  const role = async (slug) => (await keyturn.manage('POST', 'roles', { name: slug, permissions: ['read:defect'] })).id;
  const workspace = (await keyturn.manage('POST', 'workspaces', { name: 'bench' })).id;
  const ids = { most: await role('most'), few: await role('few'), workspace };
  const nowMs = Date.now();
  await insertKeys(databaseUrl, { pattern: PATTERN, count: keyCount, columns: columnsOf(keyCount, nowMs) });
  await insertWordsAndRoles(databaseUrl, ids);
  return {
    keyturn,
    databaseUrl,
    authorization: await keyturn.authorization(),
    reads: readsOf({ keyCount, nowMs, ...ids }),
    pathOf: (query) => `${PROJECT}/keys?${new URLSearchParams(query)}`,
    async get(path) {
      const response = await fetch(url + path, { headers: { authorization: await keyturn.authorization() } });
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    stop: () => keyturn.stop(),
  };
}
