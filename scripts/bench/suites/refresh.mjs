/* refresh_token with rotation: every answer's token is the next request's. */

import { compareTokenEndpoints } from '../harness/token-endpoints.mjs';
import { refreshClients } from '../harness/token-load.mjs';

export function run(bench) {
  return compareTokenEndpoints(bench, {
    contenders: [],
    clientsOf: ({ refresh }) => refresh && refreshClients(refresh),
    bars: { floor: 0.8 },
  });
}
