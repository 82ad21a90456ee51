import type { ApiKey } from './api-key.ts';

const MAX_WORD_CHARACTERS = 40;
const MAX_WORDS = 16;
const WORD = /[\p{L}\p{N}]+/gu;

/** Lower-case words of a text, each once, 40 characters at most, the first 16. */
export function searchWords(text: string): string[] {
  const words = text.normalize('NFKC').toLowerCase().match(WORD) ?? [];
  return [...new Set(words.map((word) => word.slice(0, MAX_WORD_CHARACTERS)))].slice(0, MAX_WORDS);
}

/** The words by whose beginnings a key is found: those of its name, and the random end of its client_id. */
export function wordsOf({ name, clientId }: Pick<ApiKey, 'name' | 'clientId'>): string[] {
  return [...new Set([clientId.slice(clientId.lastIndexOf('_') + 1), ...searchWords(name)])];
}
