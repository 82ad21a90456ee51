import { randomUUID } from 'node:crypto';
import type { Keyturn } from './keyturn-server.ts';

export interface OtherProject {
  readonly id: string;
  readonly slug: string;
}

/** A project beside the default one, created by the administrator. */
export async function addProject({ api }: Keyturn, audiences: readonly string[] = []): Promise<OtherProject> {
  const { status, text, body } = await api('POST', '/v1/projects', { name: `project ${randomUUID()}`, audiences });
  if (status !== 201) throw new Error(`creating a project was answered ${status} ${text}`);
  return { id: body.id, slug: body.slug };
}
