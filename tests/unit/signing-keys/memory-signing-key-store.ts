import type { SigningKey } from '../../../server/signing-keys/signing-key.ts';
import type { SigningKeyRetirement, SigningKeyStore } from '../../../server/signing-keys/signing-key-store.ts';

/** What the SQL store does (tests/contract holds that to it), for tests of the ring that need a clock of their own. */
export class MemorySigningKeyStore implements SigningKeyStore {
  keys: readonly SigningKey[] = [];
  /** Set: every call fails with it. */
  failure: Error | null = null;
  /** Runs once, after the next list has been read and before it is answered: there another instance writes. */
  afterNextList: (() => Promise<void>) | null = null;

  async list(): Promise<readonly SigningKey[]> {
    if (this.failure !== null) throw this.failure;
    const listed = this.keys;
    const interleave = this.afterNextList;
    this.afterNextList = null;
    await interleave?.();
    return listed;
  }

  async add(key: SigningKey, retirements: readonly SigningKeyRetirement[]): Promise<boolean> {
    if (this.failure !== null) throw this.failure;
    if (this.keys.some(({ sequence }) => sequence === key.sequence)) return false;
    await this.retire(retirements);
    this.keys = [...this.keys, key];
    return true;
  }

  async retire(retirements: readonly SigningKeyRetirement[]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.keys = this.keys.map((key) => {
      const isRevoked = key.retiringFromMs !== null && key.retiringFromMs === key.retiredFromMs;
      const end = isRevoked ? undefined : retirements.find(({ kid }) => kid === key.kid);
      return end === undefined ? key : { ...key, ...end };
    });
  }
}
