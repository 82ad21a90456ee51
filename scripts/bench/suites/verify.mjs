/* The verifier: beside the floor, beside other verifiers, and on a route of Express.

   Every figure is operations per second of processor time. Some libraries verify on other threads, and by the clock they
   would be given a second core for nothing; a service would rather have that core for a second process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { closedLoop, requestBytes } from '../harness/load.mjs';
import { startProgram } from '../harness/program.mjs';
import { atLeast, atMost, interleave, ratio, row } from '../harness/rounds.mjs';
import { startContender } from '../verify/contender-process.mjs';
import { CALLER_IP, createIssuer, ENTITY, writePool } from '../verify/tokens.mjs';

/** How many tokens are new in a round, for each contender. */
const NEW_TOKENS = 5_000;
/** How many tokens come again and again. */
const SEEN_TOKENS = 100;
const SEEN_MS = 400;
const ROUTE_MS = 1_200;
const ROUTE_WARM_UP_MS = 2_500;
const route = fileURLToPath(new URL('../verify/express-route.mjs', import.meta.url));

const perCpuSecond = ({ operations, cpuUs }) => ({
  perSecond: (operations / cpuUs) * 1_000_000,
  cpuUs: cpuUs / operations,
});

/** Each in a process of its own; what they are asked for is `jobOf(how often before)`. */
async function compareContenders(bench, contenders, jobOf) {
  const started = [];
  try {
    for (const { name, file, ...given } of contenders) {
      started.push({ name, ...(await startContender(file, given)) });
    }
    const samples = await interleave(
      started.map(({ name, run }) => {
        let times = 0;
        return {
          name,
          async measure() {
            times += 1;
            return perCpuSecond(await run(jobOf(times - 1)));
          },
        };
      }),
      bench,
    );
    return samples;
  } finally {
    for (const { stop } of started) stop();
  }
}

const NEW_CONTENDERS = {
  floor: 'floor',
  keyturn: 'keyturn',
  'keyturn without memory': 'keyturn-without-memory',
  jose: 'jose',
  'fast-jwt': 'fast-jwt',
  'fast-jwt with cache': 'fast-jwt-cache',
  'aws-jwt-verify': 'aws-jwt-verify',
};

/** No token is verified twice by anybody: the warm-up and each round have their own. */
async function compareOnNewTokens(bench, { issuer, setup, folder }) {
  const count = NEW_TOKENS * (bench.rounds + 1);
  const pool = writePool(
    folder,
    'new',
    Array.from({ length: count }, () => issuer.mint()),
  );
  const contenders = Object.entries(NEW_CONTENDERS).map(([name, file]) => ({ name, file, setup, pool }));
  const samples = await compareContenders(bench, contenders, (time) => ({
    from: time * NEW_TOKENS,
    operations: NEW_TOKENS,
  }));
  return {
    rows: rowsOf('new token', samples, 'keyturn'),
    bars: [
      barOf(samples, 'new token', 'keyturn', 'floor', 0.9),
      barOf(samples, 'new token', 'keyturn', 'jose', 1.2),
      barOf(samples, 'new token', 'keyturn', 'fast-jwt with cache', 1),
      barOf(samples, 'new token', 'keyturn without memory', 'fast-jwt', 1),
      barOf(samples, 'new token', 'keyturn', 'aws-jwt-verify', 1),
    ],
  };
}

const SEEN_CONTENDERS = {
  keyturn: 'keyturn',
  'keyturn, its Express middleware': 'keyturn-express',
  'fast-jwt with cache': 'fast-jwt-cache',
  'fast-jwt with cache by token': 'fast-jwt-cache-by-token',
  'aws-jwt-verify': 'aws-jwt-verify',
  'express-oauth2-jwt-bearer': 'express-oauth2-jwt-bearer',
  'express-jwt': 'express-jwt',
  'passport-jwt': 'passport-jwt',
};

async function compareOnSeenTokens(bench, { issuer, setup, folder }) {
  const pool = writePool(
    folder,
    'seen',
    Array.from({ length: SEEN_TOKENS }, () => issuer.mint()),
  );
  const contenders = Object.entries(SEEN_CONTENDERS).map(([name, file]) => ({ name, file, setup, pool }));
  const samples = await compareContenders(bench, contenders, () => ({ durationMs: SEEN_MS }));
  const middleware = 'keyturn, its Express middleware';
  return {
    rows: rowsOf('seen token', samples, 'keyturn'),
    bars: [
      barOf(samples, 'seen token', 'keyturn', 'fast-jwt with cache', 2),
      barOf(samples, 'seen token', middleware, 'express-oauth2-jwt-bearer', 50),
    ],
  };
}

const ONE = { permissions: 1 };
const HUNDRED_PERMISSIONS = { permissions: 100 };
const ONE_ENTRY = { permissions: 1, allowlist: 1 };
const HUNDRED_ENTRIES = { permissions: 1, allowlist: 100 };

/** A token with more in it is longer too, and every character of it has to be looked at: so for each
    there is one of the same length, to tell what is compared from what is compiled. */
const SIZES = {
  '1 permission': ONE,
  '100 permissions': HUNDRED_PERMISSIONS,
  '1 permission, as long as 100': { ...ONE, asLongAs: HUNDRED_PERMISSIONS },
  '1 allowlist entry': ONE_ENTRY,
  '100 allowlist entries': HUNDRED_ENTRIES,
  '1 allowlist entry, as long as 100': { ...ONE_ENTRY, asLongAs: HUNDRED_ENTRIES },
};

async function compareSizes(bench, { issuer, setup, folder }) {
  const contenders = Object.entries(SIZES).map(([name, size], index) => {
    const pool = writePool(
      folder,
      `size-${index}`,
      Array.from({ length: SEEN_TOKENS }, () => issuer.mint(size)),
    );
    return { name, file: 'keyturn', setup, pool };
  });
  const samples = await compareContenders(bench, contenders, () => ({ durationMs: SEEN_MS }));
  return {
    rows: rowsOf('seen token', samples, '1 permission'),
    bars: [
      growthBar('seen token', samples, '100 permissions', '1 permission'),
      growthBar('seen token', samples, '100 allowlist entries', '1 allowlist entry'),
    ],
  };
}

const ROUTES = {
  unprotected: 'unprotected',
  keyturn: 'keyturn-express',
  'express-oauth2-jwt-bearer': 'express-oauth2-jwt-bearer',
  'express-jwt': 'express-jwt',
  'passport-jwt': 'passport-jwt',
};

/** Over HTTP, the same requests for all: the unprotected route is sent tokens too. */
async function compareRoutes(bench, { issuer, setup }) {
  const requests = requestsWith(issuer);
  const servers = new Map();
  try {
    for (const [name, file] of Object.entries(ROUTES)) servers.set(name, await startRoute(file, setup));
    const contenders = [...servers].map(([name, server]) => routeContender(name, server, requests, bench.connections));
    const samples = await interleave(contenders, bench);
    return {
      rows: rowsOf('Express route', samples, 'keyturn'),
      bars: [barOf(samples, 'Express route', 'keyturn', 'unprotected', 0.9)],
    };
  } finally {
    await Promise.all([...servers.values()].map(({ stop }) => stop()));
  }
}

async function compareSizesOnRoute(bench, { issuer, setup }) {
  const server = await startRoute('keyturn-express', setup);
  try {
    const sizes = {
      '1 permission': ONE,
      '100 permissions': HUNDRED_PERMISSIONS,
      '100 allowlist entries': HUNDRED_ENTRIES,
    };
    const contenders = Object.entries(sizes).map(([name, size]) =>
      routeContender(name, server, requestsWith(issuer, size), bench.connections),
    );
    const samples = await interleave(contenders, bench);
    return {
      rows: rowsOf('Express route', samples, '1 permission'),
      bars: [
        growthBar('Express route', samples, '100 permissions', '1 permission'),
        growthBar('Express route', samples, '100 allowlist entries', '1 permission'),
      ],
    };
  } finally {
    await server.stop();
  }
}

function startRoute(file, setup) {
  return startProgram({ args: [route, file], env: { NODE_ENV: 'production', VERIFY_SETUP: JSON.stringify(setup) } });
}

function requestsWith(issuer, size) {
  return Array.from({ length: SEEN_TOKENS }, () =>
    requestBytes({
      method: 'GET',
      path: `/credentials/${ENTITY}`,
      headers: { authorization: `Bearer ${issuer.mint(size)}` },
    }),
  );
}

function routeContender(name, { ready, cpuUs }, requests, connections) {
  let sent = 0;
  const next = () => {
    sent += 1;
    return requests[sent % requests.length];
  };
  return {
    name,
    async measure(isWarmUp) {
      const before = cpuUs();
      const clients = Array.from({ length: connections }, () => ({ next }));
      const durationMs = isWarmUp ? ROUTE_WARM_UP_MS : ROUTE_MS;
      const { requests: operations } = await closedLoop({ port: ready.port, clients, durationMs });
      return perCpuSecond({ operations, cpuUs: cpuUs() - before });
    },
  };
}

/** The ratio of a row is to the one named `base`. */
function rowsOf(group, samples, base) {
  return Object.entries(samples).map(([name, list]) => row(`${group}: ${name}`, list, samples[base]));
}

function barOf(samples, group, ours, other, bound) {
  return atLeast(`verify: ${group}, ${ours} / ${other}`, ratio(samples[ours], samples[other]), bound);
}

/** How much more processor time the large takes than the small. */
function growthBar(group, samples, large, small) {
  return atMost(`verify: ${group}, cost of ${large} / ${small}`, ratio(samples[small], samples[large]), 1.1);
}

const GROUPS = [compareOnNewTokens, compareOnSeenTokens, compareSizes, compareRoutes, compareSizesOnRoute];

export async function run(bench) {
  const issuer = createIssuer();
  const folder = mkdtempSync(path.join(tmpdir(), 'keyturn-verify-'));
  const setup = { ...issuer.setup, ip: CALLER_IP, probe: `Bearer ${issuer.mint()}` };
  try {
    const groups = [];
    for (const compare of GROUPS) {
      groups.push(await compare(bench, { issuer, setup, folder }));
    }
    return { rows: groups.flatMap(({ rows }) => rows), bars: groups.flatMap(({ bars }) => bars) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
