import { migrateToHead } from '../../db/sql/migrate.ts';
import { bootstrap } from '../../server/access-control/bootstrap.ts';
import { systemClock } from '../../server/clock.ts';
import { CommandFailure } from '../command-failure.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { formatFields } from '../table.ts';
import { bootstrappedJson } from './bootstrapped-json.ts';
import { withStorage } from './with-storage.ts';

export async function bootstrapStore(
  output: Output,
  { email = null }: { readonly email?: string | null },
): Promise<void> {
  const made = await withStorage(output, async (storage, { issuer }) => {
    await migrateToHead(storage.database);
    return bootstrap({ ...storage, clock: systemClock }, { issuer, email });
  });
  if (made === null) {
    const message = 'the store is not empty, and nothing was changed; make further keys with keyturn keys create';
    throw new CommandFailure(EXIT_CODES.failed, 'store_not_empty', message);
  }
  const fields = bootstrappedJson(made);
  output.result(fields, formatFields(fields));
  output.note('The client_secret is the API key; it is shown only now.');
  output.note('The set-up link is for the web console, which a later version brings.');
}
