import type { Command } from 'commander';
import { addProjectCommand, type ClientOptions, type ConfirmOptions, openProject, YES } from '../../client-command.ts';
import { confirm } from '../../confirm.ts';
import { cell, parseMost, printList } from '../../object-commands.ts';
import type { Output } from '../../output.ts';
import { readList } from '../../read-list.ts';
import { parseKeyId } from './api-key-json.ts';

interface SessionJson {
  readonly id: string;
  readonly created_at: string;
  readonly last_refreshed_at: string | null;
  readonly generation: number;
  readonly ip: string | null;
  readonly expires_at: string | null;
}

const SESSIONS = {
  plural: 'sessions',
  toRow: (session: SessionJson) => ({
    id: session.id,
    created: session.created_at,
    'last refreshed': cell(session.last_refreshed_at),
    generation: String(session.generation),
    ip: cell(session.ip),
    expires: cell(session.expires_at),
  }),
};

async function listSessions(output: Output, id: string, options: ClientOptions & { limit?: number }): Promise<void> {
  const { api, path } = await openProject(options);
  const most = options.limit ?? Number.POSITIVE_INFINITY;
  printList(output, SESSIONS, await readList<SessionJson>(api, path('keys', id, 'sessions'), {}, most));
}

async function endSession(
  output: Output,
  id: string,
  session: string,
  options: ClientOptions & ConfirmOptions,
): Promise<void> {
  if (!options.yes) await confirm(`End ${session}? Its refresh token stops working.`);
  const { api, path } = await openProject(options);
  await api.request('DELETE', path('keys', id, 'sessions', session));
  output.result({ id: session, deleted: true }, `${session} has ended`);
}

export function addKeySessionsCommands(group: Command, output: Output): void {
  addProjectCommand(group, 'sessions', 'Lists the sessions of an API key: who can refresh now.')
    .argument('<key>', 'id of the key (key_…)', parseKeyId)
    .option('--limit <number>', 'show this many at most (default: all)', parseMost)
    .action((id, options) => listSessions(output, id, options));
  addProjectCommand(group, 'end-session', 'Ends a session of an API key; asks first.')
    .argument('<key>', 'id of the key (key_…)', parseKeyId)
    .argument('<session>', 'id of the session (ses_…)')
    .option(...YES)
    .action((id, session, options) => endSession(output, id, session, options));
}
