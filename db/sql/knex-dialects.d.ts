declare module 'knex/lib/dialects/better-sqlite3/index.js' {
  import knex from 'knex';

  export default class extends knex.Client {
    _query(connection: unknown, query: object): Promise<unknown>;
  }
}

declare module 'knex/lib/dialects/mysql2/index.js' {
  import knex from 'knex';

  export default class extends knex.Client {
    _query(connection: unknown, query: object): Promise<unknown>;
  }
}

declare module 'knex/lib/dialects/sqlite3/execution/sqlite-transaction.js' {
  export default class {
    constructor(client: unknown, ...rest: unknown[]);
    query(connection: unknown, sql: string): Promise<unknown>;
  }
}
