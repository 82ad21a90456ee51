/* A thread that sends wrong chosen secrets: what measures the others' exchanges must not be busy with it. */
import { randomBytes } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { openLoop } from '../harness/load.mjs';
import { tokenRequest } from './token-request.mjs';

/** Never the same twice: equal ones could share a comparison. Of the form that chosen secrets have. */
const wrongSecret = () => `Wr0ng-${randomBytes(12).toString('hex')}`;
/** Of the form that client_ids have. */
const strangerId = () => `stranger_${randomBytes(13).toString('hex').slice(0, 25)}`;

/**
 * @param clientId whose secret is guessed; null: each time that of another who does not exist
 * @returns how many were answered 401, how many 429 with Retry-After, and how many otherwise
 */
async function flood({ port, clientId, perSecond, durationMs }) {
  const answers = { refused: 0, busy: 0, other: 0 };
  await openLoop({
    port,
    next: () => tokenRequest(clientId ?? strangerId(), wrongSecret()),
    perSecond,
    durationMs,
    onAnswer(status, _latencyMs, { head }) {
      if (status === 401) answers.refused += 1;
      else if (status === 429 && /\r\nretry-after: *[1-9]\d*(\r\n|$)/i.test(head)) answers.busy += 1;
      else answers.other += 1;
    },
  });
  return answers;
}

parentPort.on('message', async (options) => parentPort.postMessage(await flood(options)));
