import type { AuditEvent } from '../audit/audit-event.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Decide, DecideDelete } from '../write.ts';
import type { Member } from './member.ts';

/**
 * Members of projects. Every method answers or throws {@link DependencyUnavailable} within about a second. What writes roles
 * throws {@link UnknownAssignment} where a role or workspace has gone meanwhile.
 */
export interface MemberStore {
  find(projectId: string, userId: string): Promise<Member | null>;
  list(projectId: string, page: PageRequest<'created_at'>): Promise<Page<Member>>;
  /** Projects that the user is a member of, by id. */
  projectIdsOf(userId: string): Promise<readonly string[]>;
  /** False when the user is a member already. */
  insert(member: Member, event: AuditEvent): Promise<boolean>;
  /** Writes the roles. Null when there is no such member. Throws {@link LastAdministrator}. */
  update(projectId: string, userId: string, decide: Decide<Member>): Promise<Member | null>;
  /** False when there is no such member. Throws {@link LastAdministrator}. */
  delete(projectId: string, userId: string, decide: DecideDelete<Member>): Promise<boolean>;
}
