import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { renderReference } from './render-reference.ts';

const page = new URL('../../docs/reference/cli.md', import.meta.url);

it('docs/reference/cli.md says what the commands say', () => {
  const rendered = renderReference();
  if (process.env['UPDATE_REFERENCE'] === '1') writeFileSync(page, rendered);
  expect(readFileSync(page, 'utf8')).toBe(rendered);
});
