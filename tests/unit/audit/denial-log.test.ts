import { afterEach, describe, expect, test } from '@jest/globals';
import { createDenialLog, type DenialLog } from '../../../server/audit/denial-log.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const MINUTE = 60_000;
const opened: DenialLog[] = [];
afterEach(() => {
  for (const denials of opened.splice(0)) denials.close();
});

function setUp() {
  const clock = createFakeClock();
  const told: unknown[] = [];
  const audit = {
    record: (
      type: string,
      { ip }: { ip: string | null },
      { objectId, detail }: { objectId: string; detail?: object },
    ): void => void told.push({ type, ip, key: objectId, ...detail }),
  };
  const denials = createDenialLog({ audit, clock });
  opened.push(denials);
  const deny = (ip: string | null, { key = 'key_1', reason = 'api_key_expired' } = {}) =>
    denials.record({ keyId: key, projectId: 'prj_1', reason, origin: { ip, requestId: 'request-1' } });
  return { clock, told, denials, deny };
}

const event = (ip: string | null, count: number, key = 'key_1', reason = 'api_key_expired') => ({
  type: 'api_key.denied',
  ip,
  key,
  reason,
  count,
});

describe('denial log', () => {
  test('tells the first of a key, reason and address at once', () => {
    const { told, deny } = setUp();
    deny('10.0.0.1');
    deny('10.0.0.1');
    deny('10.0.0.2');
    deny('10.0.0.1', { reason: 'ip_not_allowed' });
    deny(null, { key: 'key_2' });
    expect(told).toEqual([
      event('10.0.0.1', 1),
      event('10.0.0.2', 1),
      event('10.0.0.1', 1, 'key_1', 'ip_not_allowed'),
      event(null, 1, 'key_2'),
    ]);
  });

  test('tells the others at most once a minute, by their number', () => {
    const { clock, told, denials, deny } = setUp();
    for (let denied = 0; denied < 1_000; denied += 1) deny('10.0.0.1');
    clock.advance(MINUTE - 1);
    denials.tellDue();
    expect(told).toEqual([event('10.0.0.1', 1)]);
    clock.advance(1);
    denials.tellDue();
    denials.tellDue();
    expect(told).toEqual([event('10.0.0.1', 1), event('10.0.0.1', 999)]);
    deny('10.0.0.1');
    expect(told).toHaveLength(2);
    clock.advance(MINUTE);
    denials.tellDue();
    expect(told).toHaveLength(3);
  });

  test('forgets who has been quiet for a minute', () => {
    const { clock, told, denials, deny } = setUp();
    deny('10.0.0.1');
    clock.advance(MINUTE);
    denials.tellDue();
    deny('10.0.0.1');
    expect(told).toEqual([event('10.0.0.1', 1), event('10.0.0.1', 1)]);
  });

  test('tells twenty addresses of a key apart, and the rest as one', () => {
    const { clock, told, denials, deny } = setUp();
    for (let address = 0; address < 1_000; address += 1) deny(`2001:db8::${address}`);
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toEqual(event('2001:db8::20', 1));
    clock.advance(MINUTE);
    denials.tellDue();
    expect(told).toHaveLength(22);
    expect(told.at(-1)).toEqual(event(null, 979));
  });

  test('keeps ten thousand keys, so that no flood fills the memory', () => {
    const { told, deny } = setUp();
    for (let key = 0; key < 10_005; key += 1) deny(null, { key: `key_${key}` });
    expect(told).toHaveLength(10_000);
  });

  test('tells at the end what it has counted', () => {
    const { told, denials, deny } = setUp();
    for (let denied = 0; denied < 3; denied += 1) deny('10.0.0.1');
    denials.close();
    denials.close();
    expect(told).toEqual([event('10.0.0.1', 1), event('10.0.0.1', 2)]);
  });
});
