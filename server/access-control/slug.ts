/** Slugs stand for ids in paths. They can't be mistaken for one, which has an underscore. */
export const SLUG_MAX_LENGTH = 64;
const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

export function isSlug(text: string): boolean {
  return text.length <= SLUG_MAX_LENGTH && SLUG.test(text);
}

/** `CI runners (EU)` gives `ci-runners-eu`; null for a name without a Latin letter or digit. */
export function slugFrom(name: string): string | null {
  const slug = name
    .normalize('NFKD')
    // Accents, which NFKD parts from their letters.
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, SLUG_MAX_LENGTH)
    .replace(/-$/, '');
  return slug || null;
}
