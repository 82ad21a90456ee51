import { DependencyUnavailable } from '../dependency-unavailable.ts';

/** Short of the 1.5 seconds within which a request is answered whatever its stores do. */
const DEADLINE_MS = 1_300;
/**
 * A chosen secret may wait its turn, and its thread has a lower priority than all else: on a machine that is busy with other
 * things a fifth of a second becomes several. No store is at fault for that.
 */
const HASHING_MS = 8_000;
/** Each further one of the same request, which are hashed one after the other. */
const FURTHER_HASHING_MS = 1_000;

/**
 * The result of `work`, or a refusal when it takes too long: each store call has a time-out, but several slow ones of one
 * request add up. What is under way when time is up may still take effect.
 *
 * @param hashCount how many chosen secrets the request may have to hash or compare; 0 to 10.
 * @param work gets a function that tells whether time is up: nothing should be begun then.
 * @throws {DependencyUnavailable}
 */
export function withDeadline<T>(hashCount: number, work: (isTooLate: () => boolean) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const onTimeUp = () => {
      isOver = true;
      reject(new DependencyUnavailable('stores', new Error('no answer in time')));
    };
    const hashingMs = hashCount === 0 ? 0 : HASHING_MS + (hashCount - 1) * FURTHER_HASHING_MS;
    const timer = setTimeout(onTimeUp, DEADLINE_MS + hashingMs);
    const settle =
      <Result>(end: (result: Result) => void) =>
      (result: Result) => {
        clearTimeout(timer);
        end(result);
      };
    work(() => isOver).then(settle(resolve), settle(reject));
  });
}
