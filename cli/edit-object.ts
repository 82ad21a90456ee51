import type { ApiClient } from './api-client.ts';
import { CommandFailure } from './command-failure.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** The members of an object that are to be changed; those that are undefined stay as they are. */
export type Change = Readonly<Record<string, unknown>>;

/**
 * Reads the object, lets `change` decide on it, and writes that for what was read: when somebody else has changed it
 * meanwhile, once again from the beginning, so that neither change is lost.
 *
 * @returns the object as it is afterwards
 * @throws {CommandFailure} usage, when nothing is to be changed
 */
export async function editObject<T>(
  api: ApiClient,
  path: string,
  change: (current: T) => Change | Promise<Change>,
): Promise<T> {
  for (let isRetry = false; ; isRetry = true) {
    const { object, etag } = await api.read<T>(path);
    const body = await change(object);
    assertChangesSomething(body);
    try {
      return await api.request<T>('PATCH', path, body, etag);
    } catch (error) {
      const isOvertaken = error instanceof CommandFailure && error.code === 'version_mismatch';
      if (isRetry || !isOvertaken) throw error;
    }
  }
}

function assertChangesSomething(change: Change): void {
  if (Object.values(change).some((value) => value !== undefined)) return;
  throw new CommandFailure(EXIT_CODES.usage, 'usage', 'nothing to change was named; --help lists what can be');
}
