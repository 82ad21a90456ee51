import type { Bootstrapped } from '../../server/access-control/bootstrap.ts';

/** Wire format of what an empty store was given. */
export function bootstrappedJson({ projectId, clientId, clientSecret, setupUrl }: Bootstrapped) {
  return { project_id: projectId, client_id: clientId, client_secret: clientSecret, setup_url: setupUrl };
}
