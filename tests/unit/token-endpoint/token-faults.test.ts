import { describe, expect, test } from '@jest/globals';
import { OAUTH_ERROR_CODES } from '@keyturn/lib/protocol';
import {
  describeTokenFault,
  TOKEN_FAULTS,
  TokenFault,
  type TokenFaultReason,
} from '../../../server/token-endpoint/token-faults.ts';

const reasons = Object.keys(TOKEN_FAULTS) as TokenFaultReason[];

describe('token faults', () => {
  test.each(reasons)('%s has an RFC error and a description in the characters of RFC 6749 §5.2', (reason) => {
    expect(OAUTH_ERROR_CODES).toContain(TOKEN_FAULTS[reason].error);
    expect(describeTokenFault(new TokenFault(reason))).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]{20,}$/);
    expect(describeTokenFault(new TokenFault(reason))).not.toContain('?');
  });

  test('every RFC error is used by some fault, but the one that no grant of ours gives', () => {
    const used = new Set(reasons.map((reason) => TOKEN_FAULTS[reason].error));
    expect(OAUTH_ERROR_CODES.filter((code) => !used.has(code))).toEqual(['unauthorized_client']);
  });

  test('401 stands for a client that is not proven, and for nothing else (RFC 6749 §5.2)', () => {
    for (const reason of reasons)
      expect([reason, TOKEN_FAULTS[reason].status === 401]).toEqual([
        reason,
        TOKEN_FAULTS[reason].error === 'invalid_client',
      ]);
  });

  test('a detail cannot leave the characters of an error_description, nor make it long', () => {
    const text = describeTokenFault(new TokenFault('scope_malformed', `"\r\nSet-Cookie: x\\é${'a'.repeat(10_000)}`));
    expect(text).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(text.length).toBeLessThan(600);
  });
});
