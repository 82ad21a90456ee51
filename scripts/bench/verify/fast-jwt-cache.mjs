/* fast-jwt with its cache of 1,000 tokens, by its README; the key of an entry is a hash of the token. */
import { create as createWith } from './fast-jwt.mjs';

export const create = (setup) => createWith(setup, { cache: true });
