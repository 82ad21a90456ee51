/* The import rules of CONTRIBUTING.md, "Which way imports run". `typescript` here is the TypeScript 6 API: with TypeScript 7
   alone dependency-cruiser reads no module and passes, which scripts/check.mjs looks for. */

const external = (names) => `node_modules/(${names})(/|$)`;
const capabilities =
  '^server/(token-endpoint|api-keys|access-control|sessions|access-tokens|signing-keys|metadata|audit|usage|users)/';
const rule = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }, 'no cycles anywhere'),
    rule(
      'lib-stands-alone',
      { path: '^lib/' },
      { path: '^(server|db|cli|console)/' },
      'siblings install lib without the server',
    ),
    rule(
      'protocol-imports-nothing',
      { path: '^lib/protocol/' },
      { pathNot: '^lib/protocol/' },
      'the browser runs lib/protocol too',
    ),
    rule(
      'verifier-without-frameworks',
      { path: '^lib/(verifier|client)/' },
      { path: external('express|@types/express|passport|@types/passport|passport-http-bearer') },
    ),
    rule(
      'express-at-the-edge',
      { pathNot: '^(server/http|lib/express|lib/passport|examples|tests)/' },
      { path: external('express|@types/express|passport|@types/passport|passport-http-bearer|helmet') },
    ),
    rule(
      'drivers-in-db',
      { pathNot: '^(db/|knexfile\\.ts|tests/|scripts/)' },
      { path: external('knex|mysql2|better-sqlite3|libsql|ioredis') },
    ),
    rule('bcrypt-in-crypto', { pathNot: '^(server/crypto|tests)/' }, { path: external('bcrypt') }),
    rule('jose-in-crypto', { pathNot: '^(server/crypto|lib/verifier|tests)/' }, { path: external('jose') }),
    rule(
      'capabilities-know-no-technology',
      { path: capabilities },
      { path: '^(db/|server/(http|crypto)/|server/(config|settings|compose|main)\\.ts)' },
    ),
    rule(
      'db-knows-ports-and-entities',
      { path: '^db/' },
      {
        path: '^(server/(http|crypto|token-endpoint|metadata)/|server/(config|compose|main|settings|logging|metrics)\\.ts|cli/)',
      },
    ),
    rule('server-is-not-a-command', { path: '^(server|db|lib)/' }, { path: '^cli/' }),
    rule(
      'no-tests-in-product',
      { path: '^(server|db|lib|cli)/' },
      { path: '^(tests|scripts)/', pathNot: '^scripts/build\\.mjs$' },
    ),
    rule(
      'no-dev-dependencies-in-product',
      { path: '^(server|db|lib|cli)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    ),
    rule('only-what-resolves', {}, { couldNotResolve: true }),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      conditionNames: ['keyturn-source', 'import', 'node', 'types', 'default'],
      exportsFields: ['exports'],
    },
  },
};
