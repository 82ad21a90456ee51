import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ApiKeyForExchange } from '../../../server/api-keys/api-key.ts';
import { createApiKeyCache } from '../../../server/api-keys/api-key-cache.ts';
import type { ReadyApiKey } from '../../../server/api-keys/ready-api-key.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { createHeldStore, HELD_FAILURE, keyOf, LOOKUPS, type Lookup, lookups, settle } from './held-api-key-store.ts';

const LETTERS = ['a', 'b'] as const;
type Letter = (typeof LETTERS)[number];

const BELIEVED_MS = 60_000;
/** A store answers or fails in about a second, and whoever asks meanwhile shares the answer. */
const READ_MS = 1_000;
/** What is nobody's is believed for less than that. */
const ABSENT_MS = READ_MS;

const letter = fc.constantFrom(...LETTERS);
const names = LETTERS.flatMap((each) => lookups.map((lookup) => LOOKUPS[lookup](keyOf(each))));
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('look' as const), lookup: fc.constantFrom(...lookups), letter }),
  },
  // Under any name, also one that is somebody's in another lookup.
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('lookAny' as const),
      lookup: fc.constantFrom(...lookups),
      name: fc.constantFrom(...names),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(),
      how: fc.constantFrom('beginning' as const, 'now' as const, 'failed' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('write' as const), letter, isDeletion: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), letter: fc.option(letter) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 1_000, 30_000, 59_500) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);

interface State {
  readonly key: ApiKeyForExchange | null;
  readonly sinceMs: number;
}

/** All that each key ever was, and which of it may still be seen. */
function createModel(nowMs: () => number) {
  const histories = { a: [{ key: null, sinceMs: 0 }] as State[], b: [{ key: null, sinceMs: 0 }] as State[] };
  const forgottenAt = { a: 0, b: 0 };
  /** Of the states of a key, which one was the newest then. */
  const inForceAt = (of: Letter, atMs: number) =>
    Math.max(
      0,
      histories[of].findLastIndex(({ sinceMs }) => sinceMs <= atMs),
    );

  return {
    write(of: Letter, isDeletion: boolean): ApiKeyForExchange | null {
      const key = isDeletion ? null : keyOf(of, { secretVersion: histories[of].length });
      histories[of].push({ key, sinceMs: nowMs() });
      return key;
    },
    forget(of: Letter): void {
      forgottenAt[of] = histories[of].length - 1;
    },
    /** Whether a lookup that begins now may have this result once it ends. */
    expectation(lookup: Lookup, name: string): (result: ReadyApiKey | null) => boolean {
      const of = LETTERS.find((each) => LOOKUPS[lookup](keyOf(each)) === name);
      if (of === undefined) return (result) => result === null;
      const oldest = Math.max(forgottenAt[of], inForceAt(of, nowMs() - BELIEVED_MS));
      const oldestAbsence = Math.max(forgottenAt[of], inForceAt(of, nowMs() - ABSENT_MS));
      return (result) =>
        result === null
          ? histories[of].slice(oldestAbsence).some(({ key }) => key === null)
          : histories[of].slice(oldest).some(({ key }) => key?.secretVersion === result.secretVersion) &&
            LOOKUPS[lookup](result) === name;
    },
  };
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(steps: readonly Step[], maxKeys: number): Promise<void> {
  const clock = createFakeClock(0);
  const store = createHeldStore({ nowMs: clock.nowMs });
  const model = createModel(clock.nowMs);
  const cache = createApiKeyCache({ apiKeys: store.apiKeys, clock, maxKeys });
  const wrong: unknown[] = [];
  let openLookups = 0;

  function look(lookup: Lookup, name: string): void {
    const isRight = model.expectation(lookup, name);
    openLookups += 1;
    void cache.reader[lookup](name)
      .then(
        (result) => {
          if (!isRight(result)) wrong.push({ lookup, name, result });
        },
        (error) => {
          if (error !== HELD_FAILURE) wrong.push({ lookup, name, error });
        },
      )
      .finally(() => {
        openLookups -= 1;
      });
  }

  async function wait(ms: number): Promise<void> {
    for (const read of store.pending()) if (clock.nowMs() + ms - read.beganAtMs >= READ_MS) read.end('beginning');
    await settle();
    clock.advance(ms);
  }

  for (const next of steps) {
    if (next.do === 'look') look(next.lookup, LOOKUPS[next.lookup](keyOf(next.letter)));
    if (next.do === 'lookAny') look(next.lookup, next.name);
    if (next.do === 'end') {
      const pending = store.pending();
      const read = pending[next.which % Math.max(1, pending.length)];
      if (next.how === 'failed') read?.fail();
      else read?.end(next.how);
    }
    if (next.do === 'write') {
      const key = model.write(next.letter, next.isDeletion);
      if (key === null) store.keys.delete(keyOf(next.letter).id);
      else store.put(key);
    }
    if (next.do === 'forget') {
      for (const each of LETTERS) if (next.letter === null || next.letter === each) model.forget(each);
      cache.forget(next.letter === null ? null : [keyOf(next.letter).id]);
    }
    if (next.do === 'wait') await wait(next.ms);
    if (next.do === 'settle') await settle();
  }
  for (const read of store.pending()) read.end('beginning');
  await settle();
  expect({ wrong, openLookups }).toEqual({ wrong: [], openLookups: 0 });
}

test('no lookup sees what was forgotten before it began, or was no longer so a minute before', async () => {
  const steps = fc.array(step, { minLength: 20, maxLength: 80, size: 'max' });
  const maxKeys = fc.constantFrom(1, 50);
  await fc.assert(fc.asyncProperty(steps, maxKeys, play), { numRuns: 500 });
}, 60_000);
