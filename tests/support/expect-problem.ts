import { expect } from '@jest/globals';
import type { Reply } from './keyturn-server.ts';

/** A whole problem of RFC 9457, of this status and code. */
export function expectProblem({ status, headers, body }: Reply, expected: { status: number; code: string }): void {
  expect({ status, code: body?.code }).toEqual(expected);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
  expect(body.type).toMatch(new RegExp(`/errors/${body.code}$`));
  expect(body.request_id).toBe(headers.get('x-request-id'));
}
