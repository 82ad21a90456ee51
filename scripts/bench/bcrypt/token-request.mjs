import { requestBytes } from '../harness/load.mjs';

/** An exchange with a chosen secret; neither text may need percent-encoding. */
export const tokenRequest = (clientId, secret) =>
  requestBytes({
    path: '/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `grant_type=client_credentials&client_id=${clientId}&client_secret=${secret}`,
  });
