/* client_credentials with a generated secret: Keyturn, the floor, and what one would take instead. */

import { compareTokenEndpoints } from '../harness/token-endpoints.mjs';
import { exchangeClients } from '../harness/token-load.mjs';

export function run(bench) {
  return compareTokenEndpoints(bench, {
    contenders: ['oidc-provider', 'node-oauth2-server', 'jmondi-oauth2-server', 'better-auth'],
    clientsOf: ({ exchange }) => exchange && exchangeClients(exchange, bench.connections),
    bars: { floor: 0.8, 'oidc-provider': 2.8, 'better-auth': 18 },
  });
}
