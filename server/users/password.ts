import type { SecretHasher } from '../api-keys/secret-hasher.ts';
import type { Account } from './user.ts';

const MIN_CHARACTERS = 12;
/** bcrypt reads no further. */
const MAX_BYTES = 72;
/** Of zxcvbn's 0 to 4: more than 10^8 guesses, which is safe against what the lock-out lets through and against bcrypt. */
const MIN_SCORE = 3;
/** bcrypt ends at a NUL; the others can't be typed. */
const UNTYPABLE = /[\p{Cc}\p{Cs}]/u;

/** How hard a password is to guess for somebody who knows `inputs` of its owner. Throws {@link SecretHasherBusy}. */
export type EstimateStrength = (
  password: string,
  inputs: readonly string[],
) => Promise<{ readonly score: number; readonly advice: string }>;

export class UnacceptablePassword extends Error {
  /** @param rule what the password must be; never the password */
  constructor(rule: string) {
    super(rule);
    this.name = 'UnacceptablePassword';
  }
}

/** The same text however the keyboard composed it. */
export function normalizePassword(password: string): string {
  return password.normalize('NFC');
}

/** Null: the password has a form that can be hashed. */
export function passwordFault(password: string): string | null {
  if (UNTYPABLE.test(password)) return 'must not hold control characters';
  if ([...password].length < MIN_CHARACTERS) return `must have at least ${MIN_CHARACTERS} characters`;
  if (Buffer.byteLength(password) > MAX_BYTES) return `must have at most ${MAX_BYTES} bytes in UTF-8`;
  return null;
}

/**
 * @param password normalized
 * @throws {UnacceptablePassword | SecretHasherBusy}
 */
export async function assertAcceptablePassword(
  password: string,
  { email, name }: Pick<Account, 'email' | 'name'>,
  estimateStrength: EstimateStrength,
): Promise<void> {
  const fault = passwordFault(password);
  if (fault !== null) throw new UnacceptablePassword(fault);
  const names = [name, ...name.split(/\s+/), name.replaceAll(/\s+/g, '')];
  const [mailbox = ''] = (email ?? '').split('@');
  const addresses = [
    email ?? '',
    mailbox,
    ...(email ?? '').split(/[@.+_-]/),
    mailbox.replaceAll(/[^\p{L}\p{N}]/gu, ''),
  ];
  const inputs = ['keyturn', ...names, ...addresses];
  const { score, advice } = await estimateStrength(
    password,
    inputs.filter((input) => input !== ''),
  );
  if (score < MIN_SCORE) throw new UnacceptablePassword(`is too easy to guess. ${advice}`.trim());
}

/** bcrypt, cost 12, of a password that nobody knows: compared where there is none, so that the time is the same. */
const NOBODYS_HASH = '$2b$12$r3PnKOSFqNkIsnAQOVYJhOcxT.tuf6n0P0WGVuVFsaOnLRa5iX8Iu';

/**
 * Takes the same time whatever is wrong.
 *
 * @param password normalized
 * @throws {SecretHasherBusy}
 */
export async function isPasswordOf(
  account: Account | null,
  password: string,
  secretHasher: Pick<SecretHasher, 'compare'>,
): Promise<boolean> {
  const canBeHashed = passwordFault(password) === null;
  const isEqual = await secretHasher.compare(canBeHashed ? password : '', account?.passwordHash ?? NOBODYS_HASH);
  return isEqual && canBeHashed && account !== null && account.passwordHash !== null;
}
