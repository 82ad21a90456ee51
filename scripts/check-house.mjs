/* House rules that no linter has: where the clock, randomness and the environment may be read, and how files are named. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const RULES = [
  {
    what: 'the wall clock is read',
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    except: /^(server|lib\/verifier)\/clock\.ts$/,
    mend: 'take a Clock',
  },
  {
    what: 'randomness is drawn',
    pattern:
      /\bMath\.random\(|\brandom(Bytes|Int|UUID|FillSync|Fill)\b.*from 'node:crypto'|\bcrypto\.(getRandomValues|random)/,
    except: /^server\/random\.ts$/,
    mend: 'use server/random.ts',
  },
  {
    what: 'the environment is read',
    pattern: /\bprocess\.env\b/,
    except: /^(server\/config\.ts|knexfile\.ts|cli\/)/,
    mend: 'take it from Config',
  },
];
const VAGUE_NAME = /(^|[/-])(utils?|helpers?|common|manager|service|misc)(\.|-|\/|$)/;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)+$/;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => /^(server|db|lib|cli)\/.*\.(ts|mjs)$|^knexfile\.ts$/.test(file));

const faults = [];
for (const file of files) {
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (VAGUE_NAME.test(file) || !KEBAB_CASE.test(name))
    faults.push(`${file}: name it, in kebab-case, after what it exports`);
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const { what, pattern, except, mend } of RULES)
    if (!except.test(file))
      for (const [index, line] of lines.entries())
        if (pattern.test(line)) faults.push(`${file}:${index + 1}: ${what} here; ${mend}`);
}
if (files.length < 50) faults.push(`only ${files.length} files were read: the check itself is broken`);
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`${files.length} files keep the house rules`);
