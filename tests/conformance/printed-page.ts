/** What the published pages print: read out of their text, so that nobody's memory stands between them and the tests. */
import { readFileSync } from 'node:fs';

export interface PrintedRequest {
  readonly method: string;
  /** With its query, as printed. */
  readonly target: string;
  readonly body: unknown;
  /** Null where none is printed. */
  readonly answer: unknown;
}

export const readSeed = (name: string): string => readFileSync(new URL(`./seeds/${name}.txt`, import.meta.url), 'utf8');

const REQUEST_LINE = /^(GET|POST|PUT|DELETE) (\/\S+)$/;

/** `}, . . . . {` stands for members of a list that the page leaves out. */
const parsePrinted = (json: string): unknown => JSON.parse(json.replaceAll(/,\s*(?:\. )+\. ?/g, ', '));

/**
 * The examples of a page that prints a request line, after it `Body:` and its JSON, and the JSON of the answer. Lines with
 * `<placeholders>` are formats and no examples.
 */
export function readRequests(text: string): readonly PrintedRequest[] {
  const requests: PrintedRequest[] = [];
  let isBody = false;
  for (const line of text.split('\n')) {
    const [, method, target] = REQUEST_LINE.exec(line) ?? [];
    if (method !== undefined && target !== undefined) {
      if (!target.includes('<')) requests.push({ method, target, body: undefined, answer: null });
    } else if (line === 'Body:') isBody = true;
    else if (line.startsWith('{')) {
      const last = requests.pop();
      if (last === undefined) throw new Error(`JSON before any request: ${line}`);
      const json = parsePrinted(line);
      requests.push(isBody ? { ...last, body: json } : { ...last, answer: json });
      isBody = false;
    }
  }
  return requests;
}

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
};

/**
 * Where an answer differs from the printed one: a member that is missing or is not printed, another type, or another value
 * of a member named in `constants`. Every entry of a list is held against the first one printed.
 */
export function differences(
  printed: unknown,
  answered: unknown,
  constants: readonly string[],
  path = 'answer',
): readonly string[] {
  const [wanted, found] = [kindOf(printed), kindOf(answered)];
  if (wanted !== found) return [`${path}: ${wanted} is printed, ${found} answered`];
  if (Array.isArray(printed) && Array.isArray(answered)) {
    if (answered.length === 0) return [`${path}: nothing is in it`];
    return [...new Set(answered.flatMap((entry) => differences(printed[0], entry, constants, `${path}[]`)))];
  }
  if (wanted === 'object') return memberDifferences(printed as object, answered as object, constants, path);
  const name = path.slice(path.lastIndexOf('.') + 1);
  return constants.includes(name) && printed !== answered
    ? [`${path}: ${String(printed)} is printed, ${String(answered)} answered`]
    : [];
}

function memberDifferences(
  printed: object,
  answered: object,
  constants: readonly string[],
  path: string,
): readonly string[] {
  const names = [...new Set([...Object.keys(printed), ...Object.keys(answered)])];
  return names.flatMap((name) => {
    const at = `${path}.${name}`;
    if (!Object.hasOwn(printed, name)) return [`${at}: not printed`];
    if (!Object.hasOwn(answered, name)) return [`${at}: missing`];
    return differences(Reflect.get(printed, name), Reflect.get(answered, name), constants, at);
  });
}
