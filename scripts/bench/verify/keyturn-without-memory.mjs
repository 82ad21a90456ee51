/* @keyturn/lib that remembers no token, beside peers that remember none. */
import { create as createWith } from './keyturn.mjs';

export const create = (setup) => createWith(setup, { rememberedTokens: null });
