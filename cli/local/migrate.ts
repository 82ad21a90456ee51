import { openDatabase } from '../../db/sql/database.ts';
import { migrateToHead, migrationStatus } from '../../db/sql/migrate.ts';
import { parseConfig } from '../../server/config.ts';
import type { Output } from '../output.ts';
import { formatTable } from '../table.ts';

export async function migrate(
  output: Output,
  { status: isStatus = false }: { readonly status?: boolean },
): Promise<void> {
  const database = openDatabase(parseConfig(process.env).databaseUrl);
  try {
    if (isStatus) {
      const { applied, pending } = await migrationStatus(database);
      const rows = [...applied.map((name) => [name, 'applied']), ...pending.map((name) => [name, 'pending'])];
      output.result({ applied, pending }, formatTable(['migration', 'state'], rows));
      return;
    }
    const { applied } = await migrateToHead(database);
    const text = applied.length === 0 ? 'The schema is at head.' : `Applied ${applied.join(', ')}.`;
    output.result({ applied }, text);
  } finally {
    await database.close();
  }
}
