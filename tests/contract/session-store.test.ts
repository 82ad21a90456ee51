import { SqlSessionStore } from '../../db/sql/sql-session-store.ts';
import { openRedisSessions } from '../support/redis-sessions.ts';
import { describeOn } from '../support/services.ts';
import { sqlDatabases } from '../support/sql-databases.ts';
import { describeSessionStore } from './session-store.ts';

for (const { name, open } of sqlDatabases) {
  describeSessionStore({
    name,
    async open() {
      const { database, close } = await open();
      return {
        store: new SqlSessionStore(database),
        async age(sessionId, milliseconds) {
          const columns = ['rotated_at_ms', 'expires_at_ms', 'ends_at_ms'];
          await database.run(async (knex) => {
            const earlier = columns.map((column) => [column, knex.raw('?? - ?', [column, milliseconds])]);
            await knex('sessions').where({ id: sessionId }).update(Object.fromEntries(earlier));
          });
        },
        close,
      };
    },
  });
}

for (const service of ['redis', 'redis-cluster', 'redis-sentinel'] as const) {
  describeOn(service, service, (url) => {
    describeSessionStore({ name: service, open: () => openRedisSessions(url) });
  });
}
