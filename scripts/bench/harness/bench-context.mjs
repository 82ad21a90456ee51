/* What a suite is given. */
import { createConnection } from 'mysql2/promise';

/**
 * @returns `suite` its name; `rounds`, `onRound` for {@link interleave}; `connections` of the load; `redisUrl`;
 *   `database(name)` the URL of a new and empty database
 */
export function createBench({ suite, services, rounds, connections }) {
  const serverUrl = services.environment.TEST_DATABASE_URL;
  return {
    suite,
    rounds,
    onRound: (round) => process.stderr.write(`${suite}: round ${round} of ${rounds}\n`),
    connections,
    redisUrl: services.environment.TEST_REDIS_URL,
    async database(name) {
      const unique = `bench_${suite}_${name}`;
      const connection = await createConnection(serverUrl);
      await connection.query(`DROP DATABASE IF EXISTS \`${unique}\``);
      await connection.query(`CREATE DATABASE \`${unique}\``);
      await connection.end();
      const url = new URL(serverUrl);
      url.pathname = `/${unique}`;
      return url.href;
    },
  };
}
