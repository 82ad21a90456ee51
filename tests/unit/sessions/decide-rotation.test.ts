import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideRotation } from '../../../server/sessions/decide-rotation.ts';
import type { Session } from '../../../server/sessions/session.ts';

const NOW = 1_800_000_000_000;

function session(changes: Partial<Session> = {}): Session {
  return {
    id: 'ses_1',
    keyId: 'key_1',
    secretVersion: 1,
    generation: 5,
    attemptId: 'made-5',
    rotatedAtMs: NOW - 10_000,
    endsAtMs: null,
    lastIp: '203.0.113.7',
    grant: { permissions: null, permissionSet: 'x', resource: null },
    ...changes,
  };
}

function attempt(changes: Partial<Parameters<typeof decideRotation>[1]> = {}) {
  return { generation: 5, attemptId: 'now', ip: '203.0.113.7', retrySeconds: 0, ...changes };
}

describe('decideRotation', () => {
  it.each<[string, ReturnType<typeof decideRotation>, Partial<Session>, Parameters<typeof attempt>[0]]>([
    ['the newest token', 'rotate', {}, {}],
    ['the newest token from elsewhere', 'rotate', {}, { ip: '192.0.2.1' }],
    ['a token that the store does not know yet', 'rollback', {}, { generation: 6 }],
    ['a token far ahead, by the attempt that made the newest', 'rollback', {}, { generation: 9, attemptId: 'made-5' }],
    ['the predecessor, by the attempt that rotated it', 'repeat', {}, { generation: 4, attemptId: 'made-5' }],
    ['an older one, by the attempt that made the newest', 'reuse', {}, { generation: 3, attemptId: 'made-5' }],
    ['the predecessor without a window', 'reuse', {}, { generation: 4 }],
    ['the predecessor without a window, at once', 'reuse', { rotatedAtMs: NOW }, { generation: 4 }],
    ['the predecessor in the window', 'retry', {}, { generation: 4, retrySeconds: 30 }],
    ['the predecessor in the last millisecond', 'retry', {}, { generation: 4, retrySeconds: 10 }],
    ['the predecessor a millisecond late', 'reuse', { rotatedAtMs: NOW - 10_001 }, { generation: 4, retrySeconds: 10 }],
    ['the predecessor from elsewhere', 'reuse', {}, { generation: 4, retrySeconds: 30, ip: '192.0.2.1' }],
    ['the predecessor from nowhere', 'reuse', { lastIp: null }, { generation: 4, retrySeconds: 30, ip: null }],
    ['an older one in the window', 'reuse', {}, { generation: 3, retrySeconds: 30 }],
  ])('%s: %s', (_, decision, stored, presented) => {
    expect(decideRotation(session(stored), attempt(presented), NOW)).toBe(decision);
  });

  const anyAttempt = fc.record({
    generation: fc.integer({ min: 1, max: 10 }),
    attemptId: fc.constantFrom('made-5', 'now'),
    ip: fc.constantFrom(null, '203.0.113.7', '192.0.2.1'),
    retrySeconds: fc.integer({ min: 0, max: 30 }),
  });
  const anySession = fc
    .record({ rotatedAtMs: fc.integer({ min: NOW - 60_000, max: NOW }), lastIp: fc.constantFrom(null, '203.0.113.7') })
    .map(session);

  it('rotates exactly the newest generation, whatever else is presented', () => {
    fc.assert(
      fc.property(anySession, anyAttempt, (stored, presented) => {
        const isNewest = presented.generation === stored.generation;
        expect(decideRotation(stored, presented, NOW) === 'rotate').toBe(isNewest);
      }),
    );
  });

  it('is lenient to nothing but the newest generation’s predecessor', () => {
    fc.assert(
      fc.property(anySession, anyAttempt, (stored, presented) => {
        const decision = decideRotation(stored, presented, NOW);
        if (decision !== 'retry' && decision !== 'repeat') return;
        expect(presented.generation).toBe(stored.generation - 1);
        if (decision === 'retry') expect(presented.ip).toBe(stored.lastIp);
      }),
    );
  });

  it('serves the predecessor for as long as asked, to the millisecond', () => {
    const milliseconds = fc.integer({ min: 0, max: 40_000 });
    fc.assert(
      fc.property(milliseconds, fc.integer({ min: 0, max: 30 }), (ageMs, retrySeconds) => {
        const decision = decideRotation(
          session({ rotatedAtMs: NOW - ageMs }),
          attempt({ generation: 4, retrySeconds }),
          NOW,
        );
        expect(decision).toBe(retrySeconds > 0 && ageMs <= retrySeconds * 1000 ? 'retry' : 'reuse');
      }),
    );
  });
});
