/* What nobody can leave out: the signature, and both JSON texts. Nothing is checked of what they say. */
import { createPublicKey, verify } from 'node:crypto';

export function create({ jwk }) {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return (authorization) => {
    const token = authorization.slice('Bearer '.length);
    const [header, payload, signature] = token.split('.');
    JSON.parse(Buffer.from(header, 'base64url').toString());
    const input = Buffer.from(`${header}.${payload}`);
    const isValid = verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    if (!isValid) throw new Error('the signature is not valid');
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  };
}
