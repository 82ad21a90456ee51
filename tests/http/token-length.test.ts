import { describe, expect, it } from '@jest/globals';
import { keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

const permissionsOf = (count: number) => Array.from({ length: count }, (_, index) => `read:entity/number-${index}`);

describe.each(keyturnStorages)('the length of an access token on $name', (kind) => {
  const keyturn = keyturnFor(kind);

  it('is bounded whatever scope is asked for, and a refused exchange has begun nothing', async () => {
    const reply = await keyturn().exchange(undefined, { scope: permissionsOf(2000).join(' ') });
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    expect(reply.body.error_description).toMatch(/longer than 8192 characters.*: it would have \d+/);
    expect(reply.body.error_uri).toMatch(/token_too_long$/);
  });

  it('can be anything below: the longest scope that is granted makes a token that verifies', async () => {
    let longest = '';
    for (let count = 100; count < 400; count += 10) {
      const { status, body } = await keyturn().exchange(undefined, { scope: permissionsOf(count).join(' ') });
      if (status === 200) {
        longest = body.access_token;
        continue;
      }
      expect({ status, uri: body.error_uri }).toEqual({ status: 400, uri: expect.stringMatching(/token_too_long$/) });
      break;
    }
    expect(longest.length).toBeGreaterThan(7000);
    expect(longest.length).toBeLessThanOrEqual(8192);
    expect((await keyturn().api('GET', '/v1/me', undefined, longest)).status).toBe(200);
  });

  it('is bounded at refresh too, before the token is spent', async () => {
    const { body } = await keyturn().exchange();
    const tooLong = await keyturn().refresh(body.refresh_token, { scope: permissionsOf(2000).join(' ') });
    expect(tooLong).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    expect((await keyturn().refresh(body.refresh_token)).status).toBe(200);
  });
});
