import { randomUUID } from 'node:crypto';
import { newId } from '../../server/random.ts';
import type { Keyturn } from './keyturn-server.ts';

export interface OtherProject {
  readonly id: string;
  readonly slug: string;
}

/** A project beside the default one, put into its table: the management of projects is another issue. */
export async function addProject({ service }: Keyturn, audiences: readonly string[] = []): Promise<OtherProject> {
  const id = newId('prj');
  const slug = `project-${randomUUID()}`;
  await service.storage.database.run((knex) =>
    knex('projects').insert({ id, slug, name: slug, audiences: JSON.stringify(audiences), created_at_ms: 1 }),
  );
  return { id, slug };
}
