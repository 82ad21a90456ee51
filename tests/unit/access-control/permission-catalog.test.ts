import { describe, expect, it } from '@jest/globals';
import { covers, parsePermission } from '@keyturn/lib/protocol';
import fc from 'fast-check';
import { isResourcePath, unknownPermissions } from '../../../server/access-control/permission-catalog.ts';

const actions = ['read', 'run'].map((name) => ({ name, description: '' }));
const resource = (path: string, own?: readonly string[]) => ({ path, description: '', actions: own });
const catalog = {
  actions,
  resources: [resource('credential'), resource('cluster/pipeline', ['read']), resource('team/*/report')],
};

describe('unknownPermissions', () => {
  it.each([
    'read:credential',
    '*:credential/prod-*',
    'run:credential/prod-db/rotate',
    'read:*',
    '*:*',
    'read:cred*',
    'read:cluster',
    'read:cluster/*',
    'read:*/pipe*',
    'read:cluster/pipeline/7',
    '*:cluster/pipeline',
    'read:team/red/report',
    'read:team/*/report/2026',
    'delete:keyturn/api-key',
    '*:keyturn-installation',
    'read:workspace/1002/credential/prod-db',
    '*:workspace/1002',
    'read:workspace',
  ])('%s is known', (permission) => {
    expect(unknownPermissions(catalog, [permission])).toEqual([]);
  });

  it.each([
    'delete:credential',
    'read:credentials',
    'read:credentials*',
    'read:cluster/job',
    'run:cluster/pipeline',
    'read:team/red/plan',
    'read:workspace/1002/defect',
    'delete:workspace/1002/credential',
  ])('%s is not', (permission) => {
    expect(unknownPermissions(catalog, ['read:credential', permission, '*:*'])).toEqual([permission]);
  });

  it('knows everything while it is empty, every path without resources, every action without actions', () => {
    const none = { actions: [], resources: [] };
    expect(unknownPermissions(none, ['any:thing'])).toEqual([]);
    expect(unknownPermissions({ ...none, actions }, ['read:thing', 'any:thing'])).toEqual(['any:thing']);
    const resources = [resource('thing')];
    expect(unknownPermissions({ ...none, resources }, ['any:thing', 'any:other'])).toEqual(['any:other']);
  });

  it('knows what covers a resource, as far as its path goes, and nothing else', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'a*', 'b*', '*');
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    const literalPath = path.map((text) => text.replaceAll('*', 'z'));
    fc.assert(
      fc.property(path, fc.array(literalPath, { minLength: 1, maxLength: 3 }), (asked, paths) => {
        const isKnown = paths.some((each) => {
          const { segments } = parsePermission(`read:${each}`);
          const upTo = asked.split('/').slice(0, segments.length).join('/');
          return covers(parsePermission(`read:${upTo}`), parsePermission(`read:${each}`));
        });
        const resources = paths.map((each) => resource(each));
        const unknown = unknownPermissions({ actions: [], resources }, [`read:${asked}`]);
        expect(unknown.length === 0).toBe(isKnown);
      }),
    );
  });
});

describe('isResourcePath', () => {
  it.each(['credential', 'cluster/pipeline', 'team/*/report', '*'])('%s can be one', (path) => {
    expect(isResourcePath(path)).toBe(true);
  });
  it.each(['', '/', 'a/', 'cred*', 'a b', 'a//b', 'a/b/c/d/e/f/g/h/i'])('%s can not', (path) => {
    expect(isResourcePath(path)).toBe(false);
  });
});
