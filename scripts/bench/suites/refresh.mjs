/* refresh_token with rotation: every answer's token is the next request's. */

import { compareTokenEndpoints } from '../harness/token-endpoints.mjs';
import { refreshClients } from '../harness/token-load.mjs';

export function run(bench) {
  return compareTokenEndpoints(bench, {
    contenders: ['oidc-provider', 'node-oauth2-server', 'jmondi-oauth2-server'],
    clientsOf: ({ refresh }) => refresh && refreshClients(refresh),
    bars: { floor: 0.8, 'oidc-provider': 5 },
  });
}
