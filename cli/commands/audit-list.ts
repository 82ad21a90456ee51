import { type Command, Option } from 'commander';
import { AUDIT_EVENT_TYPES } from '../../server/audit/audit-event.ts';
import { addProjectCommand, type ClientOptions, openProject, openService } from '../client-command.ts';
import { cell, parseMost, printList } from '../object-commands.ts';
import type { Output } from '../output.ts';
import { parsePastTime } from '../parse-time.ts';
import { readList } from '../read-list.ts';

interface AuditEventJson {
  readonly id: string;
  readonly type: string;
  readonly actor_id: string | null;
  readonly object_id: string;
  readonly ip: string | null;
  readonly created_at: string;
}

interface AuditListOptions extends ClientOptions {
  readonly actor?: string;
  readonly object?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly installation?: boolean;
  readonly limit: number;
}

const EVENTS = {
  plural: 'events',
  toRow: (event: AuditEventJson) => ({
    time: event.created_at,
    type: event.type,
    object: event.object_id,
    actor: cell(event.actor_id),
    ip: cell(event.ip),
  }),
};

async function listEvents(output: Output, options: AuditListOptions): Promise<void> {
  const query = {
    actor_id: options.actor,
    object_id: options.object,
    type: options.type,
    since: options.since,
    until: options.until,
  };
  if (options.installation) {
    const api = await openService(options);
    printList(output, EVENTS, await readList<AuditEventJson>(api, '/v1/audit-events', query, options.limit));
    return;
  }
  const { api, path } = await openProject(options);
  printList(output, EVENTS, await readList<AuditEventJson>(api, path('audit-events'), query, options.limit));
}

/** Newest first, and not all by default: a trail only grows. */
export function addAuditListCommand(group: Command, output: Output): void {
  addProjectCommand(group, 'list', 'Lists what was done in a project, by whom and from where, newest first.')
    .option('--actor <id>', 'done by this API key or user')
    .option('--object <id>', 'done to this object')
    .addOption(new Option('--type <type>', 'of this type').choices(AUDIT_EVENT_TYPES))
    .option('--since <time>', 'from then on: 24h, 2027-01-31', parsePastTime)
    .option('--until <time>', 'before then', parsePastTime)
    .addOption(new Option('--installation', 'what belongs to no project: users, signing keys').conflicts('project'))
    .option('--limit <number>', 'show this many at most', parseMost, 100)
    .addHelpText(
      'after',
      '\nWith --json each event has its detail, with before and after of what was changed.\n' +
        '\nExamples:\n  $ keyturn audit list --type api_key.denied --since 24h',
    )
    .action((options) => listEvents(output, options));
}
