import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const folder = new URL('../../../lib/protocol/', import.meta.url);

test('lib/protocol imports nothing from outside itself: the console runs it in a browser', () => {
  const files = readdirSync(folder);
  expect(files).toContain('index.ts');
  for (const file of files) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    const specifiers = [...source.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1]);
    expect({ file, outside: specifiers.filter((specifier) => !specifier?.startsWith('./')) }).toEqual({
      file,
      outside: [],
    });
    expect(source).not.toMatch(/\b(?:Buffer|process|globalThis)\b/);
  }
});
