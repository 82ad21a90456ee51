/* The floor: the least that any token endpoint of this kind has to do for one request, on bare node:http. Parse the form, one
   SHA-256, one ES256 signature, one pipelined Redis command, answer 900 bytes. No error handling, no logs, no checks; and
   every trick that Keyturn plays. */
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { createServer } from 'node:http';
import Redis from 'ioredis';

const redis = new Redis(process.env.REDIS_URL);
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signingKey = { key: privateKey, dsaEncoding: 'ieee-p1363' };
const header = `${Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'floor' })).toString('base64url')}.`;
const REFRESH_MS = 10_800_000;
/** So that the answer has 900 bytes, as Keyturn's for a key of a few permissions. */
const SCOPE = 'read:credential/prod-db read:credential/prod-cache create:backup';

let count = 0;
let isGathering = false;

/** The commands of one turn of the event loop in one system call: cheaper than ioredis's auto-pipelining. */
function gatherWrites() {
  if (isGathering) return;
  isGathering = true;
  redis.stream.cork();
  setImmediate(() => {
    isGathering = false;
    redis.stream.uncork();
  });
}

function answer(response, secretHash) {
  const payload = JSON.stringify({
    iss: 'https://keyturn.example',
    sub: 'key_01jd0000000000000000000000',
    client_id: 'ci-runner_l2j4391xlw0k2ipwx5ejmdor8',
    aud: 'https://keyturn.example',
    iat: 1_800_000_000,
    exp: 1_800_007_200,
    jti: secretHash.slice(0, 22),
    scope: SCOPE,
    project: 'prj_01jd0000000000000000000000',
    sid: 'ses_01jd0000000000000000000000',
  });
  const input = header + Buffer.from(payload).toString('base64url');
  const signature = sign('sha256', Buffer.from(input, 'latin1'), signingKey).toString('base64url');
  const body = JSON.stringify({
    access_token: `${input}.${signature}`,
    token_type: 'Bearer',
    expires_in: 7200,
    refresh_token: `ktr_${secretHash}${secretHash.slice(0, 37)}`,
    refresh_token_expires_in: 10_800,
    scope: SCOPE,
  });
  response.writeHead(200, {
    'Content-Type': 'application/json;charset=UTF-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  response.end(body, 'latin1');
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString('latin1'));
    const secret = form.get('client_secret') ?? form.get('refresh_token');
    const secretHash = hash('sha256', secret, 'base64url');
    count += 1;
    gatherWrites();
    await redis.set(`floor:${count % 100_000}`, secretHash, 'PX', REFRESH_MS);
    answer(response, secretHash);
  });
});

await redis.ping();
server.listen(0, '127.0.0.1', () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const secret = `ktk_l2j4391xlw0k2ipwx5ejmdor8_${'0'.repeat(49)}`;
  const ready = {
    port: server.address().port,
    version: `node:http of Node ${process.versions.node}`,
    exchange: { path: '/', headers, body: `grant_type=client_credentials&client_secret=${secret}` },
    refresh: {
      path: '/',
      headers,
      bodyBefore: 'grant_type=refresh_token&refresh_token=',
      tokens: Array.from({ length: Number(process.env.CONNECTIONS ?? 1) }, () => 'first'),
    },
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
