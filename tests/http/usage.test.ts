import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-problem.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2027, 0, 31, 10, 20);

describe.each(keyturnStorages)('usage on $name', (kind) => {
  const clock = createFakeClock(NOW);
  const keyturn = keyturnFor(kind, { clock });

  const usageOf = (id: string, query = '') => keyturn().api('GET', `/v1/projects/default/keys/${id}/usage${query}`);
  /** Counts are written every two seconds. */
  async function counted(id: string, isEnough: (totals: Record<string, number>) => boolean) {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      const { body } = await usageOf(id, '?since=2027-01-31T00:00:00Z');
      if (isEnough(body.totals)) return body;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('the counts were never written');
  }

  it('counts exchanges, refreshes and denials of a key by the hour', async () => {
    const { id, clientSecret } = await keyturn().createKey();
    const { body } = await keyturn().exchange(clientSecret);
    await keyturn().exchange(clientSecret);
    expect((await keyturn().refresh(body.refresh_token)).status).toBe(200);
    await keyturn().exchange(`${clientSecret}x`);
    clock.advance(HOUR);
    await keyturn().api('PATCH', `/v1/projects/default/keys/${id}`, { is_valid: false });
    const denied = await keyturn().exchange(clientSecret);
    expect(denied.status).toBe(401);
    const usage = await counted(id, ({ denials }) => denials === 1);
    clock.advance(-HOUR);
    expect(usage).toEqual({
      data: [
        { hour: '2027-01-31T10:00:00.000Z', exchanges: 2, refreshes: 1, denials: 0 },
        { hour: '2027-01-31T11:00:00.000Z', exchanges: 0, refreshes: 0, denials: 1 },
      ],
      totals: { exchanges: 2, refreshes: 1, denials: 1 },
    });
    const oneHour = await usageOf(id, '?since=2027-01-31T11:59:00%2B01:00&until=2027-01-31T11:00:00Z');
    expect(oneHour.body).toMatchObject({ data: [{ exchanges: 2 }], totals: { denials: 0 } });
  });

  it('refuses a period that is upside down or longer than usage is kept', async () => {
    const { id } = await keyturn().createKey();
    for (const query of ['?since=2027-01-31T11:00:00Z', '?since=2026-01-01T00:00:00Z', '?until=now', '?hours=3'])
      expectProblem(await usageOf(id, query), { status: 400, code: 'validation_failed' });
    const days = '?since=2026-11-02T10:20:00Z&until=2027-01-31T10:20:00Z';
    expect((await usageOf(id, days)).body).toEqual({ data: [], totals: { exchanges: 0, refreshes: 0, denials: 0 } });
  });

  it('knows no key of another project', async () => {
    expectProblem(await usageOf('key_01h0000000000000000000000'), { status: 404, code: 'not_found' });
  });
});
