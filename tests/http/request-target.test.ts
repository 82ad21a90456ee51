import { describe, expect, it } from '@jest/globals';
import { keyturnFor } from '../support/keyturn-server.ts';
import { sqliteStorage } from '../support/keyturn-storage.ts';
import { sendRaw } from '../support/raw-http.ts';

const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';

describe('the target of a request', () => {
  const keyturn = keyturnFor(sqliteStorage);
  const post = (target: string) =>
    sendRaw(keyturn().url, [`POST ${target} HTTP/1.1`, FORM_TYPE], 'grant_type=client_credentials');

  it.each(['/oauth/token', '/oauth/token?', 'http://test/oauth/token', 'http://test:80/oauth/token?x=1'])(
    '%s is the token endpoint (RFC 9112 §3.2)',
    async (target) => {
      const { status, text } = await post(target);
      expect(status).toBe(401);
      expect(text).toContain('"invalid_client"');
    },
  );

  it.each([
    '//oauth/token',
    '/oauth//token',
    '/oauth/../oauth/token',
    '/oauth/%74oken',
    '/oauth/token/',
    '/OAUTH/token',
    '/oauth/token;x=1',
    '*',
  ])('%s is not, whatever something in front may make of it', async (target) => {
    const { status, text } = await post(target);
    expect([404, 400]).toContain(status);
    expect(text).not.toContain('invalid_client');
  });
});
