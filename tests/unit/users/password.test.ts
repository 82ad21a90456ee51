import { describe, expect, it } from '@jest/globals';
import { SecretHasherBusy } from '../../../server/api-keys/secret-hasher.ts';
import { createStrengthEstimator } from '../../../server/crypto/password-strength.ts';
import { assertAcceptablePassword, normalizePassword, UnacceptablePassword } from '../../../server/users/password.ts';

const ADA = { email: 'ada.lovelace@example.com', name: 'Ada Lovelace' };
const strong = async () => ({ score: 4, advice: '' });

describe('a password', () => {
  const estimateStrength = createStrengthEstimator();
  const accept = (password: string) => assertAcceptablePassword(password, ADA, estimateStrength);

  it.each(['correct horse battery staple', 'kX9#mQ2$vL7!', '4@8({[</369&#!1/|0$5+7%2/'.repeat(3).slice(0, 72)])(
    'can be %s',
    (password) => expect(accept(password)).resolves.toBeUndefined(),
  );

  it.each([
    'Password1234',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    'ada.lovelace@example.com',
    'AdaLovelace1815',
    'keyturnkeyturn',
  ])('can not be %s', (password) => expect(accept(password)).rejects.toThrow(/^is too easy to guess/));

  it('has 12 characters or more, counted as people count them, and 72 bytes or fewer', async () => {
    const check = (password: string) => assertAcceptablePassword(password, ADA, strong);
    await expect(check('x'.repeat(11))).rejects.toThrow(UnacceptablePassword);
    await expect(check('🦀'.repeat(11))).rejects.toThrow(UnacceptablePassword);
    await expect(check('🦀'.repeat(12))).resolves.toBeUndefined();
    await expect(check('x'.repeat(72))).resolves.toBeUndefined();
    await expect(check('x'.repeat(73))).rejects.toThrow(UnacceptablePassword);
    await expect(check('x'.repeat(12).concat('\u0000'))).rejects.toThrow(UnacceptablePassword);
  });

  it('is the same however it was composed', () => {
    expect(normalizePassword('u\u0308ber')).toBe(normalizePassword('über'));
  });

  it('is not estimated in any number at once', async () => {
    const estimates = await Promise.allSettled(['one', 'two', 'three'].map((text) => estimateStrength(text, [])));
    expect(estimates.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(estimates[2]).toMatchObject({ reason: expect.any(SecretHasherBusy) });
  });
});
