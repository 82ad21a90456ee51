/** Room for some hundred keys. */
const MAX_JWKS_BYTES = 64 * 1024;

export interface JwksRequest {
  readonly uri: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
}

/**
 * Gets the JWKS document. Redirects are refused: only the configured address is ever asked (CVE-2024-21643). The
 * time-out spans the body too, and its timer does not keep the process alive.
 *
 * @throws {Error} whatever went wrong
 */
export async function fetchJwks({ uri, fetch, timeoutMs }: JwksRequest): Promise<unknown> {
  const response = await fetch(uri, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${uri} answered ${response.status}`);
  }
  return JSON.parse(await readBounded(response, uri));
}

async function readBounded(response: Response, uri: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by a throw cancels the stream and with it the connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > MAX_JWKS_BYTES) throw new Error(`${uri} answered more than ${MAX_JWKS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
