import { expect, test } from '@jest/globals';
import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';
import { isOfLivingSecret, isOfLivingVersion } from '../../../server/api-keys/ready-api-key.ts';
import { formatTypeId } from '../../../server/type-id.ts';

const NOW = 1_000_000;

function sessionBegunAt(ms: number): string {
  const uuid = Buffer.alloc(16);
  uuid.writeUIntBE(ms, 0, 6);
  return formatTypeId('ses', uuid);
}

const key = (changes: Partial<ApiKeyForExchange>) =>
  ({ secretVersion: 3, secretCreatedAtMs: 900_000, previousSecret: null, ...changes }) as ApiKeyForExchange;
const overlapping = (expiresAtMs: number) => ({ previousSecret: { createdAtMs: 500_000, expiresAtMs } as never });

test.each([
  ['of the only secret there was', key({ secretVersion: 1 }), 1, true],
  ['of the current secret', key({}), 900_000, true],
  ['of a replaced secret', key({}), 899_999, false],
  ['of the previous secret within the overlap', key(overlapping(NOW + 1)), 500_000, true],
  ['of the previous secret at the end of the overlap', key(overlapping(NOW)), 500_000, false],
  ['of the secret before the previous one', key(overlapping(NOW + 1)), 499_999, false],
  ['of the current secret, after the overlap', key(overlapping(NOW)), 900_000, true],
] as const)('an access token of a session %s', (_, apiKey, beganAtMs, isLiving) => {
  // A refresh issues it later than its session began.
  const accessToken = { sessionId: sessionBegunAt(beganAtMs), issuedAtSeconds: NOW / 1000 };
  expect(isOfLivingSecret(apiKey, accessToken, NOW)).toBe(isLiving);
});

test.each([
  ['within the second of the change', 900, true],
  ['before', 899, false],
])('an access token without a session, issued %s', (_, issuedAtSeconds, isLiving) => {
  expect(isOfLivingSecret(key({}), { sessionId: null, issuedAtSeconds }, NOW)).toBe(isLiving);
});

test.each([
  ['of the current secret', key({}), 3, true],
  ['of a newer one, of which this instance has not heard', key({}), 4, true],
  ['of a replaced secret', key({}), 2, false],
  ['of the previous secret within the overlap', key(overlapping(NOW + 1)), 2, true],
  ['of the previous secret at the end of the overlap', key(overlapping(NOW)), 2, false],
  ['of the secret before the previous one', key(overlapping(NOW + 1)), 1, false],
] as const)('a session %s', (_, apiKey, sessionSecretVersion, isLiving) => {
  expect(isOfLivingVersion(apiKey, sessionSecretVersion, NOW)).toBe(isLiving);
});
