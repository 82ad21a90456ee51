/* `npm run check`: types, lint and format, import rules, house rules, generated pages, /openapi.json, unused code,
   the packed library.
   Runs everything, so that one run shows every fault. */
import { spawnSync } from 'node:child_process';

/** Fewer than this means that dependency-cruiser read nothing: it passes then (see .dependency-cruiser.cjs). */
const LEAST_MODULES = 100;

const bin = (name) => `node_modules/.bin/${name}`;
const steps = [
  ['types', process.execPath, ['node_modules/@typescript/native/bin/tsc', '-p', 'tsconfig.json']],
  ['lint and format', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['import rules', bin('depcruise'), ['server', 'db', 'lib', 'cli', 'examples', 'knexfile.ts']],
  ['house rules', process.execPath, ['scripts/check-house.mjs']],
  [
    'generated pages',
    process.execPath,
    ['--conditions=keyturn-source', '--import', 'tsx', 'scripts/generate-reference.ts', '--check'],
  ],
  ['OpenAPI document', process.execPath, ['--conditions=keyturn-source', '--import', 'tsx', 'scripts/lint-openapi.ts']],
  ['lock file', process.execPath, ['scripts/check-lock.mjs']],
  ['build', process.execPath, ['scripts/build.mjs']],
  ['packed library', bin('publint'), ['lib', '--strict']],
  // By npx: in the lock file it breaks npm ci (npm/cli#9846).
  ['unused code', 'npx', ['-y', 'knip@6.44.2', '--no-progress']],
];

const failed = [];
for (const [name, command, args] of steps) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  const output = `${stdout ?? ''}${stderr ?? ''}${error ?? ''}`;
  const modules = name === 'import rules' ? Number(/\((\d+) modules/.exec(output)?.[1] ?? 0) : LEAST_MODULES;
  const isGood = status === 0 && modules >= LEAST_MODULES;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name}`);
  if (isGood) continue;
  failed.push(name);
  console.log(output);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`);
  process.exit(1);
}
