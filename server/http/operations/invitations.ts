/** `/v1/projects/{project}/invitations`: how an administrator of a project lets somebody in. */
import { z } from 'zod';
import { assertGrantable } from '../../access-control/grant-rule.ts';
import { createMemberManagement } from '../../access-control/manage-members.ts';
import type { MemberStore } from '../../access-control/member-store.ts';
import type { RoleStore } from '../../access-control/role-store.ts';
import { givenRoles } from '../../api-keys/given-roles.ts';
import type { Clock } from '../../clock.ts';
import type { UserManagement } from '../../users/manage-users.ts';
import type { UserStore } from '../../users/user-store.ts';
import { roleAssignments } from '../api-key-schemas.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { email, personName } from '../user-schemas.ts';

const createInvitationSchema = z
  .strictObject({
    email,
    name: personName.meta({ description: 'For a new user; one who exists keeps theirs' }),
    roles: roleAssignments.default([]),
  })
  .meta({ id: 'CreateInvitation' });

const invitationSchema = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    email: z.string().nullable(),
    name: z.string(),
    roles: z.array(z.object({ role_id: z.string(), workspace_id: z.string().nullable() })),
    invitation_url: z.string().nullable().meta({
      description: 'Shown this once. Null for a user who has a password, or whom somebody else has given something',
    }),
  })
  .meta({ id: 'Invitation' });

export function createInvitationOperations({
  management,
  users,
  members,
  roles,
  clock,
}: {
  readonly management: UserManagement;
  readonly users: Pick<UserStore, 'find' | 'findByEmail'>;
  readonly members: MemberStore;
  readonly roles: RoleStore;
  readonly clock: Clock;
}): readonly Operation[] {
  const memberManagement = createMemberManagement({ members, users, roles, clock });

  const invite = projectOperation({
    id: 'inviteToProject',
    method: 'POST',
    path: '/projects/{project}/invitations',
    tag: 'Members',
    summary: 'Make somebody a member by their e-mail address; for a new user, with an invitation',
    action: 'create',
    resource: 'member',
    body: createInvitationSchema,
    answers: { 201: invitationSchema },
    problems: ['permission_exceeds_grantor', 'already_member'],
    async handle({ body }, { project, actor }) {
      // Before the user is made: what fails afterwards would leave one behind.
      const given = givenRoles([], await roles.resolve(project.id, body.roles));
      assertGrantable(given.effectivePermissions, actor);
      const { account, invitationUrl } = await management.inviteByEmail(body, actor);
      const member = await memberManagement.add(project.id, { userId: account.id }, body.roles, actor);
      return {
        status: 201,
        headers: { Location: `/v1/projects/${project.id}/members/${member.userId}` },
        body: {
          project_id: project.id,
          user_id: member.userId,
          email: member.email,
          name: member.name,
          roles: member.roles.map(({ roleId, workspaceId }) => ({ role_id: roleId, workspace_id: workspaceId })),
          invitation_url: invitationUrl,
        },
      };
    },
  });

  return [invite];
}
