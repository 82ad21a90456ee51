/* MariaDB with the memory that a table of a million keys would be given in production. */
import { createConnection } from 'mysql2/promise';

const ROOMY = {
  innodb_buffer_pool_size: 2 ** 30,
  // Keys are random, and so are the index pages they are written to: with a small log the filling waits for the disk.
  innodb_log_file_size: 2 ** 29,
};

/** `giveBack` restores the settings and drops this suite's databases, whose size would be felt by what runs next. */
export async function makeRoom(bench) {
  const connection = await createConnection(await bench.database('room'));
  const names = Object.keys(ROOMY);
  const set = async (settings) => {
    for (const name of names) await connection.query(`SET GLOBAL ${name} = ${settings[name]}`);
  };
  const [[before]] = await connection.query(`SELECT ${names.map((name) => `@@${name} AS ${name}`)}`);
  await set(ROOMY);
  return {
    async giveBack() {
      const [databases] = await connection.query('SHOW DATABASES LIKE ?', [`bench\\_${bench.suite}\\_%`]);
      for (const [name] of databases.map(Object.values)) await connection.query(`DROP DATABASE ${name}`);
      await set(before);
      await connection.end();
    },
  };
}
