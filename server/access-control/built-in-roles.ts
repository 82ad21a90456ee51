/** Roles that every project has from its beginning; nobody edits or deletes them. */
export const BUILT_IN_ROLES = [
  {
    slug: 'administrator',
    name: 'Administrator',
    description: 'Does everything in this project, and manages it',
    permissions: ['*:*', '*:keyturn'],
  },
  {
    slug: 'viewer',
    name: 'Viewer',
    description: 'Reads everything in this project, its management too',
    permissions: ['read:*', 'read:keyturn'],
  },
  {
    slug: 'key-manager',
    name: 'Key manager',
    description: 'Manages API keys, with permissions that they hold themselves',
    permissions: [
      '*:keyturn/api-key',
      '*:keyturn/session',
      'read:keyturn/project',
      'read:keyturn/workspace',
      'read:keyturn/role',
      'read:keyturn/permission-catalog',
      'read:keyturn/member',
    ],
  },
] as const;
