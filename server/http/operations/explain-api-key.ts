/** `POST /v1/projects/{project}/keys/{key}/explain`. */
import { InvalidIp, parseIp } from '@keyturn/lib/protocol';
import { z } from 'zod';
import type { RoleStore } from '../../access-control/role-store.ts';
import type { ApiKeyStore } from '../../api-keys/api-key-store.ts';
import { type AccessExplanation, type AccessRule, explainAccess } from '../../api-keys/explain-access.ts';
import type { Clock } from '../../clock.ts';
import { type Operation, projectOperation } from '../operation.ts';
import { permissionText } from '../permission-text.ts';
import { noSuchKey } from './api-key-operation.ts';

const ip = z.string().transform((text, context) => {
  try {
    return parseIp(text);
  } catch (error) {
    if (!(error instanceof InvalidIp)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

const explainApiKeySchema = z
  .strictObject({
    permission: permissionText.meta({ description: 'What the key would do, such as read:credential/prod-db' }),
    ip: ip.nullable().default(null).meta({ description: 'From where; without it the IP allowlist is left out' }),
  })
  .meta({ id: 'ExplainApiKey' });

const ruleSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('validity') }),
    z.object({ kind: z.literal('expiry'), expires_at: z.iso.datetime() }),
    z.object({ kind: z.literal('ip_allowlist') }),
    z.object({
      kind: z.literal('permission'),
      permission: z.string().nullable().meta({ description: 'The one that covers it; null: none does' }),
    }),
    z.object({
      kind: z.literal('role'),
      role_id: z.string(),
      workspace_id: z.string().nullable(),
      permission: z.string().meta({ description: 'As the role gives it, in its workspace' }),
    }),
  ])
  .meta({ id: 'AccessRule' });

const explanationSchema = z
  .object({
    allowed: z.boolean(),
    rule: ruleSchema.meta({ description: 'The first rule that refuses, or the one that gives the permission' }),
    reason: z.string().meta({ description: 'The same in words' }),
    ip_allowlist_entry: z.string().nullable().meta({ description: 'The entry that ip is in' }),
  })
  .meta({ id: 'AccessExplanation' });

export function createExplainOperations({
  apiKeys,
  roles,
  clock,
}: {
  readonly apiKeys: Pick<ApiKeyStore, 'findInProject'>;
  readonly roles: Pick<RoleStore, 'resolve'>;
  readonly clock: Clock;
}): readonly Operation[] {
  const explain = projectOperation({
    id: 'explainApiKey',
    method: 'POST',
    path: '/projects/{project}/keys/{key}/explain',
    tag: 'API keys',
    summary: 'Say whether an API key may do something now, and which rule decides',
    description: 'The rules of an exchange and of a verification, in their order. Nothing is used up or recorded.',
    action: 'read',
    resource: 'api-key',
    body: explainApiKeySchema,
    answers: { 200: explanationSchema },
    async handle({ params, body }, { project }) {
      const key = await apiKeys.findInProject(project.id, params['key'] ?? '');
      if (key === null) throw noSuchKey();
      const requested = key.roles.map(({ roleId: role, workspaceId: workspace }) => ({ role, workspace }));
      const assigned = await roles.resolve(project.id, requested);
      return { status: 200, body: toJson(explainAccess(key, assigned, body, clock.nowMs())) };
    },
  });
  return [explain];
}

function toJson({ isAllowed, rule, reason, allowlistEntry }: AccessExplanation): z.input<typeof explanationSchema> {
  return { allowed: isAllowed, rule: toRuleJson(rule), reason, ip_allowlist_entry: allowlistEntry };
}

function toRuleJson(rule: AccessRule): z.input<typeof ruleSchema> {
  if (rule.kind === 'expiry') return { kind: rule.kind, expires_at: new Date(rule.expiresAtMs).toISOString() };
  if (rule.kind !== 'role') return rule;
  const { kind, roleId: role_id, workspaceId: workspace_id, permission } = rule;
  return { kind, role_id, workspace_id, permission };
}
