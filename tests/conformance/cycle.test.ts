/** What Cycle's page tells that no other suite shows; README.md has the rest. */
import { describe, expect, it } from '@jest/globals';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const TWO_HOURS_MS = 7_200_000;

describe.each(keyturnStorages)('Cycle on $name', (kind) => {
  let offsetMs = 0;
  const keyturn = keyturnFor(kind, { clock: { nowMs: () => Date.now() + offsetMs } });
  const me = (token: string) => keyturn().api('GET', '/v1/me', undefined, token);

  it('passes the JWT as a header for two hours, and never the API key', async () => {
    const { clientSecret } = await keyturn().createKey();
    const { body } = await keyturn().exchange(clientSecret);
    const statuses: number[] = [];
    // Verifiers allow a clock that is off by a minute at most.
    for (const afterMs of [0, TWO_HOURS_MS - 5_000, TWO_HOURS_MS + 61_000]) {
      offsetMs = afterMs;
      statuses.push((await me(body.access_token)).status);
    }
    offsetMs = 0;
    expect(statuses).toEqual([200, 200, 401]);
    expect((await me(clientSecret)).status).toBe(401);
  });
});
