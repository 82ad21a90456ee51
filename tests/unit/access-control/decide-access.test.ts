import { describe, expect, test } from '@jest/globals';
import { PermissionSet } from '@keyturn/lib/protocol';
import { decideAccess, type Principal } from '../../../server/access-control/decide-access.ts';
import type { Project } from '../../../server/access-control/project.ts';

const own = { id: 'prj_own' } as Project;
const foreign = { id: 'prj_foreign' } as Project;

function principal(...permissions: string[]): Principal {
  const set = PermissionSet.parse(permissions);
  return { projectId: own.id, permissions, can: (permission) => set.can(permission) };
}

describe('decideAccess', () => {
  test.each([
    ['administers its own project with *:keyturn', ['*:keyturn'], own, 'allowed'],
    ['may do what it holds', ['create:keyturn/api-key'], own, 'allowed'],
    ['is told what it lacks in its own project', ['read:keyturn/api-key'], own, 'forbidden'],
    ['does not see another project with *:keyturn', ['*:keyturn'], foreign, 'absent'],
    ['acts in every project with *:keyturn-installation', ['*:keyturn-installation'], foreign, 'allowed'],
    ['acts in its own one with *:keyturn-installation too', ['*:keyturn-installation'], own, 'allowed'],
    ['is not administrator by *:*', ['*:*'], own, 'forbidden'],
    ['does not see another project by *:*', ['*:*'], foreign, 'absent'],
    ['does not see what is not there, whatever it holds', ['*:keyturn-installation'], null, 'absent'],
  ] as const)('%s', (_name, permissions, project, outcome) => {
    expect(decideAccess(principal(...permissions), project, 'create', 'api-key').outcome).toBe(outcome);
  });

  test('names the permission that is missing', () => {
    expect(decideAccess(principal(), own, 'create', 'api-key')).toEqual({
      outcome: 'forbidden',
      requiredPermission: 'create:keyturn/api-key',
    });
  });
});
