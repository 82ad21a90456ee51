/** What clients of the published systems ask, as their pages print it, over the same calls as `/v1`. */
import type { Operation } from '../operation.ts';
import { createCalyptiaTokenOperations } from './calyptia-tokens.ts';
import { type ApiAccessDependencies, createApiAccessOperations } from './octane/api-accesses.ts';
import { createOctaneRoleOperations, type OctaneRoleStores } from './octane/roles.ts';

export function createPublishedOperations(
  dependencies: ApiAccessDependencies & OctaneRoleStores,
): readonly Operation[] {
  return [
    ...createApiAccessOperations(dependencies),
    ...createOctaneRoleOperations(dependencies),
    ...createCalyptiaTokenOperations(dependencies.management),
  ];
}
