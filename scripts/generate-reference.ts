/* Writes docs/reference/settings.md and errors.md from the code that they describe; `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CATALOGUE } from '../server/http/routes/error-catalogue.ts';
import { SETTINGS, type Setting } from '../server/settings.ts';

const NOTE =
  '<!-- Made by `node --conditions=keyturn-source --import tsx scripts/generate-reference.ts`; do not edit. -->\n';
const cell = (text: string): string => text.replaceAll('|', '\\|');

function settingsPage(): string {
  const rows = Object.entries(SETTINGS as Record<string, Setting>).map(
    ([name, { fallback, defaultMeaning, meaning }]) => {
      const byDefault = defaultMeaning ?? `\`${fallback}\``;
      return `| \`${name}\` | ${cell(byDefault)} | ${cell(meaning)} |`;
    },
  );
  return [
    '# Settings\n',
    NOTE,
    'Settings are environment variables. Each can also be given as `NAME_FILE`, the path of a file that holds the value, for',
    'secrets that an orchestrator mounts. Wrong settings stop the start with exit code 2 and one report that names them all.\n',
    '| name | default | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function errorsPage(): string {
  const rows = ERROR_CATALOGUE.map(
    ({ name, answers, remedies }) => `| \`${name}\` | ${answers.join('<br>')} | ${cell(remedies.join('<br>'))} |`,
  );
  return [
    '# Errors\n',
    NOTE,
    'Every error carries the address of its page: `error_uri` at the token endpoint (RFC 6749 §5.2), `type` at `/v1` (RFC',
    '9457). The name is the last part of that address. A running Keyturn serves the same pages at `/errors`.\n',
    '| name | HTTP status and `error` or `code` | what it means and what to do |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const pages = { 'docs/reference/settings.md': settingsPage(), 'docs/reference/errors.md': errorsPage() };
const stale: string[] = [];
for (const [name, text] of Object.entries(pages)) {
  const file = new URL(`../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) stale.push(name);
}
if (stale.length > 0) {
  console.error(`${stale.join(' and ')} no longer match the code: run scripts/generate-reference.ts`);
  process.exit(1);
}
