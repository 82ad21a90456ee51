import { describe, expect, it } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { type CreatedKey, keyturnFor } from '../support/keyturn-server.ts';
import { keyturnStorages } from '../support/keyturn-storage.ts';

// Both libraries form-encode Basic credentials as RFC 6749 §2.3.1 says; this secret reads otherwise when one doesn't.
const CHOSEN_SECRET = 'Ch0sen %41+:/é=&';
const PERMISSIONS = ['read:a', 'read:b'];

const METHODS = [
  ['client_secret_basic', openid.ClientSecretBasic, oauth.ClientSecretBasic],
  ['client_secret_post', openid.ClientSecretPost, oauth.ClientSecretPost],
] as const;

describe.each(keyturnStorages)('OAuth clients on $name', (kind) => {
  const keyturn = keyturnFor(kind);
  const createKey = (fields = {}): Promise<CreatedKey> => keyturn().createKey({ permissions: PERMISSIONS, ...fields });

  describe.each([['oauth2'], ['oidc']] as const)('openid-client, discovery as %s', (algorithm) => {
    const discover = (clientId: string, authentication: openid.ClientAuth) =>
      openid.discovery(new URL(keyturn().url), clientId, undefined, authentication, {
        algorithm,
        execute: [openid.allowInsecureRequests],
      });

    it.each(METHODS)('exchanges, narrows and refreshes with %s', async (_, authenticate, _oauth) => {
      const { clientId, clientSecret } = await createKey();
      const client = await discover(clientId, authenticate(clientSecret));
      const tokens = await openid.clientCredentialsGrant(client, { scope: 'read:a' });
      expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 7200, scope: 'read:a' });
      const refreshed = await openid.refreshTokenGrant(client, tokens.refresh_token ?? '');
      expect(refreshed.access_token).not.toBe(tokens.access_token);
      const reused = openid.refreshTokenGrant(client, tokens.refresh_token ?? '');
      await expect(reused).rejects.toMatchObject({ error: 'invalid_grant', status: 400 });
    });

    it('refreshes as a public client, without the secret', async () => {
      const { clientId, clientSecret } = await createKey();
      const { body } = await keyturn().exchange(clientSecret);
      const client = await discover(clientId, openid.None());
      expect(await openid.refreshTokenGrant(client, body.refresh_token)).toMatchObject({ expires_in: 7200 });
    });

    it('understands a wrong secret', async () => {
      const { clientId } = await createKey();
      const client = await discover(clientId, openid.ClientSecretPost('Wrong-Secret-1'));
      await expect(openid.clientCredentialsGrant(client)).rejects.toMatchObject({ status: 401 });
    });
  });

  it.each(METHODS)('oauth4webapi exchanges and refreshes a chosen secret with %s', async (_, _openid, authenticate) => {
    const { clientId } = await createKey({ client_secret: CHOSEN_SECRET });
    const insecure = { [oauth.allowInsecureRequests]: true };
    const client = { client_id: clientId };
    const authentication = authenticate(CHOSEN_SECRET);
    for (const algorithm of ['oauth2', 'oidc'] as const) {
      const issuer = new URL(keyturn().url);
      const found = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
      const server = await oauth.processDiscoveryResponse(issuer, found);
      const granted = await oauth.clientCredentialsGrantRequest(server, client, authentication, {}, insecure);
      const tokens = await oauth.processClientCredentialsResponse(server, client, granted);
      expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 7200 });
      const again = await oauth.refreshTokenGrantRequest(
        server,
        client,
        authentication,
        tokens.refresh_token ?? '',
        insecure,
      );
      expect(await oauth.processRefreshTokenResponse(server, client, again)).toMatchObject({ expires_in: 7200 });
    }
  });
});
