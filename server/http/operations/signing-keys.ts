/** `/v1/signing-keys`. */
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { SigningKeyRing } from '../../signing-keys/signing-key-ring.ts';
import { type SigningKeySummary, summarizeSigningKeys } from '../../signing-keys/summarize-signing-keys.ts';
import { toTime } from '../instant.ts';
import { listSchema } from '../list-query.ts';
import { installationOperation, type Operation } from '../operation.ts';
import { Problem } from '../problem.ts';

const tag = 'Signing keys';
const resource = 'signing-key';

const signingKeySchema = z
  .object({
    kid: z.string(),
    state: z.enum(['pending', 'active', 'retiring', 'retired']).meta({
      description: 'pending: published, signs later; active: signs; retiring: verifies; retired: out of the key set',
    }),
    algorithm: z.string(),
    created_at: z.iso.datetime(),
    active_from: z.iso.datetime(),
    retiring_from: z.iso.datetime().nullable().meta({ description: 'Null: no successor yet' }),
    retired_from: z.iso.datetime().nullable(),
  })
  .meta({ id: 'SigningKey' });

const toTimeOrNull = (atMs: number | null): string | null => (atMs === null ? null : toTime(atMs));

const toJson = (key: SigningKeySummary) => ({
  kid: key.kid,
  state: key.state,
  algorithm: key.algorithm,
  created_at: toTime(key.createdAtMs),
  active_from: toTime(key.activeFromMs),
  retiring_from: toTimeOrNull(key.retiringFromMs),
  retired_from: toTimeOrNull(key.retiredFromMs),
});

export function createSigningKeyOperations({
  signingKeys,
  clock,
}: {
  readonly signingKeys: Pick<SigningKeyRing, 'list' | 'rotate' | 'revoke'>;
  readonly clock: Clock;
}): readonly Operation[] {
  const summaries = async () => summarizeSigningKeys(await signingKeys.list(), clock.nowMs()).map(toJson);
  const one = async (kid: string) => (await summaries()).find((key) => key.kid === kid);

  const list = installationOperation({
    id: 'listSigningKeys',
    method: 'GET',
    path: '/signing-keys',
    tag,
    summary: 'List the keys that sign access tokens, the oldest first',
    action: 'read',
    resource,
    answers: { 200: listSchema(signingKeySchema) },
    async handle() {
      const data = await summaries();
      // One a month: never more than one page.
      const body = { data, next_cursor: null, total_count: data.length, exceeds_total_count: false };
      return { status: 200, body };
    },
  });

  const rotate = installationOperation({
    id: 'rotateSigningKey',
    method: 'POST',
    path: '/signing-keys/rotate',
    tag,
    summary: 'Publish a new signing key, which takes over 15 minutes later',
    action: 'update',
    resource,
    answers: { 201: signingKeySchema },
    problems: ['signing_key_pending'],
    async handle(_, { actor }) {
      const { kid } = await signingKeys.rotate(actor);
      return { status: 201, body: await one(kid) };
    },
  });

  const revoke = installationOperation({
    id: 'revokeSigningKey',
    method: 'POST',
    path: '/signing-keys/{kid}/revoke',
    tag,
    summary: 'Take a signing key out of the key set at once, as after a leak',
    description:
      'Tokens that it signed are refused as soon as a verifier reads the key set again, within 10 minutes. Where no other ' +
      'key is left, one is made.',
    action: 'update',
    resource,
    answers: { 200: signingKeySchema },
    problems: ['not_found'],
    async handle({ params }, { actor }) {
      const kid = params['kid'] ?? '';
      if (!(await signingKeys.revoke(kid, actor)))
        throw new Problem('not_found', 'no such signing key, or it has retired already');
      return { status: 200, body: await one(kid) };
    },
  });

  return [list, rotate, revoke];
}
