import { existsSync, readFileSync } from 'node:fs';

/** Version of this Keyturn; from the sources and from `dist/` its package.json stands at different distances. */
export function packageVersion(): string {
  const candidates = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url));
  const found = candidates.find((url) => existsSync(url));
  return found === undefined ? 'unknown' : JSON.parse(readFileSync(found, 'utf8')).version;
}
