/* A filled Keyturn under load, with what a request costs the servers behind it. */
import { closedLoop } from '../harness/load.mjs';
import { atMost, figureRow, interleave, ratio } from '../harness/rounds.mjs';

/** Not less than the pause between two batches of last uses, which are part of the cost. */
const MEASURE_MS = 2_000;
const WARM_UP_MS = 1_500;
/** For what leaves no uses behind, or those of one key. */
export const SHORT = { measureMs: 300, warmUpMs: 500 };

/** @param next makes the bytes of the next request; @param before runs before each measurement, uncounted */
export function costContender(name, options) {
  const { store, connections, next, before = async () => {} } = options;
  const { measureMs = MEASURE_MS, warmUpMs = WARM_UP_MS } = options;
  const clients = Array.from({ length: connections }, () => ({ next }));
  return {
    name,
    async measure(isWarmUp) {
      await before();
      const cpuBefore = await store.cpuUs();
      const durationMs = isWarmUp ? warmUpMs : measureMs;
      const { requests, seconds } = await closedLoop({ port: store.keyturn.port, clients, durationMs });
      const cpu = await store.cpuUs();
      const usOf = (part) => (cpu[part] - cpuBefore[part]) / requests;
      const [cpuUs, redisUs, sqlUs] = ['keyturn', 'redis', 'sql'].map(usOf);
      return {
        perSecond: requests / seconds,
        cpuUs,
        redisUs,
        sqlUs,
        tokenUs: cpuUs + redisUs,
        managementUs: cpuUs + sqlUs,
        allUs: cpuUs + redisUs + sqlUs,
      };
    },
  };
}

/** Short windows, and more of them: what disturbs the machine for a second then spoils fewer. */
export function interleaveShort(contenders, { rounds, onRound }) {
  return interleave(contenders, { rounds: 2 * rounds, onRound: (round) => round % 2 === 0 && onRound(round / 2) });
}

/**
 * The bars of growth compare processor time, of Keyturn and of what it asks. Throughput stands in the rows: on two cores
 * that are shared with the load and everybody else it differs more from round to round than what is to be shown.
 *
 * @param figure `tokenUs`: of Keyturn and Redis, for requests that make no SQL; `managementUs`: of Keyturn and MariaDB
 */
export const costAtMost = (name, { samples, base, figure, bound }) =>
  atMost(`growth: CPU of ${name}`, ratio(samples, base, figure), bound);

/* What a request costs behind Keyturn. */
const serverRow = (server, figure) => (name, samples) =>
  figureRow(
    `… CPU µs of ${server}, ${name}`,
    samples.map((sample) => sample[figure]),
  );
export const redisRow = serverRow('Redis', 'redisUs');
export const sqlRow = serverRow('MariaDB', 'sqlUs');
