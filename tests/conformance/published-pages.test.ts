/** Holds the table of README.md to the pages that it quotes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readSeed } from './printed-page.ts';

const HERE = new URL('./', import.meta.url);
const ROOT = new URL('../../', HERE);
/** `<placeholders>` make a line a format, of which an example follows. */
const REQUEST_LINES = /^(?:GET|POST|PUT|DELETE)(?:https:\/\/| \/)\S+$/gm;
const ROW = /^\| "(.+)" \| (.+) \| (`.+`) \|$/;

interface Row {
  readonly quotation: string;
  readonly suites: readonly string[];
}

const codeOf = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** The rows below each heading, with the names of the pages in it. */
const SECTIONS = readFileSync(new URL('README.md', HERE), 'utf8')
  .split('\n## ')
  .slice(1)
  .map((section) => {
    const [heading = '', ...lines] = section.split('\n');
    const pages = codeOf(heading).map((file) => file.replace(/^seeds\/|\.txt$/g, ''));
    const table = lines.filter((line) => line.startsWith('| ')).slice(1);
    const rows = table.map((line): Row => {
      const [, quotation, , suites = ''] = ROW.exec(line) ?? [];
      if (quotation === undefined) throw new Error(`no row of the table: ${line}`);
      return { quotation, suites: codeOf(suites) };
    });
    return { pages, rows, text: pages.map(readSeed).join('\n') };
  });

describe('the table of the published systems', () => {
  it('has every page', () => {
    const pages = readdirSync(new URL('seeds/', HERE)).map((file) => file.replace(/\.txt$/, ''));
    expect(SECTIONS.flatMap((section) => section.pages).sort()).toEqual(pages.sort());
  });

  it.each(SECTIONS)('quotes $pages as they are, each statement once', ({ rows, text }) => {
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter(({ quotation }) => !text.includes(quotation))).toEqual([]);
    expect(new Set(rows.map(({ quotation }) => quotation)).size).toBe(rows.length);
  });

  it.each(SECTIONS)('names suites of $pages that exist', ({ rows }) => {
    const suites = rows.flatMap((row) => row.suites);
    expect(suites.filter((suite) => !existsSync(new URL(suite, ROOT)))).toEqual([]);
  });

  it('leaves out no request that a page prints', () => {
    for (const { text, rows } of SECTIONS) {
      const lines: readonly string[] = text.match(REQUEST_LINES) ?? [];
      const printed = lines.filter((line) => !line.includes('<'));
      expect(rows.map(({ quotation }) => quotation)).toEqual(expect.arrayContaining(printed));
    }
  });
});
