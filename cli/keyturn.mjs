#!/usr/bin/env node
/* The `keyturn` binary. In a checkout it compiles what is stale first, so that it works right after `npm ci`. */
import { existsSync } from 'node:fs';

const build = new URL('../scripts/build.mjs', import.meta.url);
try {
  if (existsSync(build)) (await import(build)).buildIfStale();
} catch (error) {
  console.error(`keyturn: ${error.message}`);
  process.exit(1);
}
process.setSourceMapsEnabled(true);
await import(new URL('../dist/cli/main.js', import.meta.url));
