import { describe, expect, jest, test } from '@jest/globals';
import { type AuditEvent, KEYTURN_ITSELF, newAuditEvent } from '../../../server/audit/audit-event.ts';
import { createAuditLog } from '../../../server/audit/audit-log.ts';
import { createEventQueue } from '../../../server/audit/event-queue.ts';
import { DependencyUnavailable } from '../../../server/dependency-unavailable.ts';

const newEvent = (objectId: string): AuditEvent =>
  newAuditEvent({ nowMs: () => 1 }, 'api_key.denied', KEYTURN_ITSELF, { projectId: null, objectId });

function setUp() {
  const stored: string[][] = [];
  const lost: string[] = [];
  let fault: Error | null = null;
  const poisoned = new Set<string>();
  const options = {
    events: {
      async append(events: readonly AuditEvent[]) {
        if (fault !== null) throw fault;
        if (events.some(({ objectId }) => poisoned.has(objectId))) throw new Error('refused');
        stored.push(events.map(({ objectId }) => objectId));
      },
    },
    onLost: (_: unknown, { objectId }: AuditEvent) => void lost.push(objectId),
    pauseMs: 1,
    retryMs: 1,
  };
  const setFault = (value: Error | null): void => {
    fault = value;
  };
  return { options, stored, lost, poisoned, setFault };
}

const unavailable = () => new DependencyUnavailable('database', new Error('down'));
/** For a condition that some turns of the event loop make true. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !isSo(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(isSo()).toBe(true);
}

describe('event queue', () => {
  test('stores in order and in batches, off the path of who adds', async () => {
    const { options, stored, lost } = setUp();
    const queue = createEventQueue(options);
    const names = Array.from({ length: 450 }, (_, index) => `key_${index}`);
    for (const name of names) queue.add(newEvent(name));
    expect(stored).toEqual([]);
    await until(() => stored.flat().length === 450);
    expect(stored.map((batch) => batch.length)).toEqual([200, 200, 50]);
    expect(stored.flat()).toEqual(names);
    expect(lost).toEqual([]);
  });

  test('tries again what a store out of reach could not take', async () => {
    const { options, stored, lost, setFault } = setUp();
    const append = jest.spyOn(options.events, 'append');
    const queue = createEventQueue(options);
    setFault(unavailable());
    queue.add(newEvent('key_1'));
    await until(() => append.mock.calls.length >= 2);
    queue.add(newEvent('key_2'));
    setFault(null);
    await until(() => stored.flat().length === 2);
    expect(stored.flat()).toEqual(['key_1', 'key_2']);
    expect(lost).toEqual([]);
  });

  test('gives up an event that the store refuses, and that one alone', async () => {
    const { options, stored, lost, poisoned } = setUp();
    const queue = createEventQueue(options);
    poisoned.add('key_2');
    for (const name of ['key_1', 'key_2', 'key_3']) queue.add(newEvent(name));
    await until(() => stored.flat().length === 2);
    expect(stored.flat()).toEqual(['key_1', 'key_3']);
    expect(lost).toEqual(['key_2']);
  });

  test('keeps ten thousand, and tells of each that is more', async () => {
    const { options, lost } = setUp();
    const queue = createEventQueue({ ...options, pauseMs: 1_000_000 });
    for (let added = 0; added < 10_003; added += 1) queue.add(newEvent(`key_${added}`));
    expect(lost).toEqual(['key_10000', 'key_10001', 'key_10002']);
  });

  test('writes at the end what waits, and tells of what it could not', async () => {
    const { options, stored, lost, setFault } = setUp();
    const first = createEventQueue({ ...options, pauseMs: 1_000_000 });
    for (let added = 0; added < 250; added += 1) first.add(newEvent(`key_${added}`));
    await first.close();
    expect(stored.flat()).toHaveLength(250);
    setFault(unavailable());
    const second = createEventQueue({ ...options, pauseMs: 1_000_000 });
    second.add(newEvent('key_x'));
    await second.close();
    expect(lost).toEqual(['key_x']);
  });
});

test('an event that can not be stored now waits, and what it tells of does not fail', async () => {
  const { options, stored, setFault } = setUp();
  const audit = createAuditLog({ ...options, clock: { nowMs: () => 5 } });
  setFault(unavailable());
  await audit.recordNow('session.revoked', KEYTURN_ITSELF, { projectId: null, objectId: 'ses_1' });
  expect(stored).toEqual([]);
  setFault(null);
  await audit.close();
  expect(stored).toEqual([['ses_1']]);
});
