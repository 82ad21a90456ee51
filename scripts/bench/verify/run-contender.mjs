/* A verifier in a process of its own: `run-contender.mjs <name>`, told by its parent what to verify and answering what it cost. */
import { readFileSync } from 'node:fs';
import { verificationOf } from './guarded-request.mjs';

/** Small enough to stay in the processor's caches, as the header of a request that has just come in does. */
const BATCH = 16;

const contender = await import(`./${process.argv[2]}.mjs`);

/** Each time new strings, as an HTTP server makes them out of what came in: V8 knows nothing of them yet. */
function freshHeaders({ pool, bytes }, from, count) {
  const total = pool.length / bytes;
  return Array.from({ length: count }, (_, index) => {
    const at = ((from + index) % total) * bytes;
    return pool.latin1Slice(at, at + bytes);
  });
}

/** All of them under way at once, as in a server: those who verify on other threads must not be made to wait in turn. */
async function verifyAll(verify, headers) {
  const underWay = headers.map(verify);
  for (const outcome of underWay) await outcome;
}

async function assertVerifies(verify, header) {
  await verify(header);
  const [signedPart, signature] = [header.slice(0, header.lastIndexOf('.')), header.slice(header.lastIndexOf('.') + 1)];
  const forged = `${signedPart}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  let isForgedAccepted = true;
  try {
    await verify(forged);
  } catch {
    isForgedAccepted = false;
  }
  if (isForgedAccepted) throw new Error(`${process.argv[2]} accepts a forged token`);
}

/** @param job `from` which token, and how many `operations`, or for how many milliseconds (`durationMs`) */
async function measure(verify, tokens, { from = 0, operations = Number.POSITIVE_INFINITY, durationMs }) {
  let done = 0;
  let cpuUs = 0;
  const endsMs = durationMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + durationMs;
  while (done < operations && performance.now() < endsMs) {
    const headers = freshHeaders(tokens, from + done, Math.min(BATCH, operations - done));
    const before = process.cpuUsage();
    await verifyAll(verify, headers);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    done += headers.length;
  }
  return { operations: done, cpuUs };
}

let verify;
let tokens;

async function prepare({ setup, pool: { file, bytes } }) {
  verify = 'createGuards' in contender ? verificationOf(contender.createGuards(setup)) : contender.create(setup);
  tokens = { pool: readFileSync(file), bytes };
  await assertVerifies(verify, setup.probe);
  return {};
}

process.on('message', async ({ prepare: preparation, job }) => {
  try {
    process.send(preparation ? await prepare(preparation) : await measure(verify, tokens, job));
  } catch (error) {
    process.send({ error: error.stack });
  }
});
process.on('disconnect', () => process.exit(0));
process.send({});
