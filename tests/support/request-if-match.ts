import { type Keyturn, type Reply, readReply } from './keyturn-server.ts';

/** A request of the administrator's, meant for one version of the object. */
export async function requestIfMatch(
  { url, exchange }: Keyturn,
  ifMatch: string,
  [method, path, json]: readonly [method: string, path: string, json?: unknown],
): Promise<Reply> {
  const { body } = await exchange();
  const headers = {
    authorization: `Bearer ${body.access_token}`,
    'content-type': 'application/json',
    'if-match': ifMatch,
  };
  return readReply(
    await fetch(url + path, { method, headers, body: json === undefined ? null : JSON.stringify(json) }),
  );
}
