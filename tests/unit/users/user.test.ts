import { describe, expect, it } from '@jest/globals';
import { parseIp } from '@keyturn/lib/protocol';
import { addressName } from '../../../server/users/attempt-limit.ts';
import { idleEndMs, isLive, newConsoleSession } from '../../../server/users/console-session.ts';
import { isInstallationPermission, normalizeEmail } from '../../../server/users/user.ts';

const MINUTE_MS = 60_000;

describe('an address as failed sign-ins are counted by it', () => {
  const nameOf = (text: string) => addressName(parseIp(text));

  it('is all that one household has of IPv6, and one address of IPv4', () => {
    expect(nameOf('2001:db8:1:2::1')).toBe(nameOf('2001:db8:1:2:ffff::9'));
    expect(nameOf('2001:db8:1:2::1')).not.toBe(nameOf('2001:db8:1:3::1'));
    expect(nameOf('192.0.2.1')).not.toBe(nameOf('192.0.2.2'));
    expect(nameOf('::ffff:192.0.2.1')).toBe(nameOf('192.0.2.1'));
  });
});

describe('a console session', () => {
  const { session } = newConsoleSession('usr_1', 0, { ip: null, userAgent: null });

  it('ends when idle, and at last whatever is done', () => {
    expect(isLive(session, 30 * MINUTE_MS - 1)).toBe(true);
    expect(isLive(session, 30 * MINUTE_MS)).toBe(false);
    const busy = { ...session, lastSeenAtMs: 719 * MINUTE_MS };
    expect(idleEndMs(busy)).toBe(720 * MINUTE_MS);
    expect(isLive(busy, 720 * MINUTE_MS - 1)).toBe(true);
    expect(isLive(busy, 720 * MINUTE_MS)).toBe(false);
  });
});

describe('a user', () => {
  it.each([
    ['*:keyturn-installation', true],
    ['read:keyturn-installation/user', true],
    ['*:*', false],
    ['*:keyturn', false],
    ['*:keyturn-installation-x', false],
    ['read:a/keyturn-installation', false],
    ['*:keyturn-installation*', false],
  ])('holds %s by themselves: %s', (permission, expected) => {
    expect(isInstallationPermission(permission)).toBe(expected);
  });

  it('has one address, however it is written', () => {
    expect(normalizeEmail(' Ada@EXAMPLE.com ')).toBe('ada@example.com');
    expect(normalizeEmail('u\u0308@x.example')).toBe(normalizeEmail('Ü@x.example'));
  });
});
