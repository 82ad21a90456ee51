import type { TokenSigner } from '../access-tokens/token-signer.ts';
import { type AuditOrigin, KEYTURN_ITSELF } from '../audit/audit-event.ts';
import type { Clock } from '../clock.ts';
import { DependencyUnavailable } from '../dependency-unavailable.ts';
import {
  activeSigner,
  assertActiveKeyOpened,
  NO_SIGNING_KEYS,
  type OpenedSigningKeys,
  openSigningKeys,
} from './opened-signing-keys.ts';
import type { SigningKey } from './signing-key.ts';
import {
  type PlannedChange,
  planBySettings,
  planRevocationOf,
  planSuccessor,
  type SigningKeyChange,
  writeChange,
} from './signing-key-change.ts';
import { publishedKeys, type SigningKeySettings } from './signing-key-lifecycle.ts';
import type { SigningKeyPairs } from './signing-key-pairs.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

/** Of several instances one wins each time, so more losses in a row mean that something is wrong. */
const MAX_ATTEMPTS = 5;

export interface SigningKeyRingOptions extends SigningKeySettings {
  readonly store: SigningKeyStore;
  readonly keyPairs: SigningKeyPairs;
  readonly clock: Clock;
  readonly accessTokenSeconds: number;
  /** Pause between background reloads, in milliseconds. Default 30 000; the lifecycle's argument counts on no more. */
  readonly reloadMs?: number;
  /** Called, and awaited, after each change that this instance made, for logs and the audit trail. Must not fail. */
  readonly onChange?: (change: SigningKeyChange, origin: AuditOrigin) => unknown;
  /** Called when a background reload or rotation failed; what was loaded last stays in use. */
  readonly onError?: (error: unknown) => void;
}

/** Every signing key of the installation as this instance knows it. Several instances share one store. */
export interface SigningKeyRing {
  /**
   * Reads the keys, and makes what the settings ask for: the first key, or a successor of one that is old or of another
   * algorithm. Throws {@link DependencyUnavailable}, or what decryption threw when the active key can't be opened.
   */
  load(): Promise<void>;
  /** Goes on loading in the background, without keeping the process alive. */
  start(): void;
  /** Ends that; resolves when nothing is under way. */
  stop(): Promise<void>;
  /** For the key that is active at this moment. Throws {@link DependencyUnavailable} when there is none. */
  signer(): TokenSigner;
  /** RFC 7517 §5. The same object for as long as the keys in it are the same, so that verifiers can tell a change. */
  jwks(): { readonly keys: readonly SigningKey['publicJwk'][] };
  /** Every key, as the store has it now. Changes nothing. */
  list(): Promise<readonly SigningKey[]>;
  /**
   * Publishes a successor, which takes over 15 minutes later. Throws {@link SigningKeyPending} when one is under way.
   *
   * @param origin who asked for it. Default: Keyturn itself.
   */
  rotate(origin?: AuditOrigin): Promise<SigningKeyChange>;
  /**
   * Takes a key out of the JWKS at once, here; within a reload on other instances, and within its max-age at verifiers.
   * False when it is unknown or out already.
   */
  revoke(kid: string, origin?: AuditOrigin): Promise<boolean>;
}

export function createSigningKeyRing(options: SigningKeyRingOptions): SigningKeyRing {
  const { store, clock, accessTokenSeconds, reloadMs = 30_000, onError } = options;
  const inTurn = createTurns();
  const jwks = createJwksMemory();
  const { current, change } = createChanges(options);

  async function load(): Promise<void> {
    await change((keys, nowMs) => {
      // Whoever has the wrong master key must not add a successor that the others can't open.
      assertActiveKeyOpened(current(), nowMs);
      return planBySettings(keys, nowMs, options);
    });
    assertActiveKeyOpened(current(), clock.nowMs());
  }

  async function loadInBackground(): Promise<void> {
    try {
      await inTurn(load);
      for (const error of current().unopened.values()) onError?.(error);
    } catch (error) {
      onError?.(error);
    }
  }
  const background = createBackground(reloadMs, loadInBackground);

  return {
    load: () => inTurn(load),
    start: background.start,
    stop: background.stop,
    signer: () => activeSigner(current(), clock.nowMs()),
    jwks: () => jwks(publishedKeys(current().keys, clock.nowMs())),
    list: () => store.list(),
    rotate: (origin) => inTurn(() => change((keys, nowMs) => planSuccessor(keys, nowMs, accessTokenSeconds), origin)),
    async revoke(kid, origin) {
      const plan = (keys: readonly SigningKey[], nowMs: number) =>
        planRevocationOf(keys, kid, nowMs, accessTokenSeconds);
      return (await inTurn(() => change(plan, origin))) !== null;
    },
  };
}

interface Changes {
  /** As read last. */
  current(): OpenedSigningKeys;
  /**
   * Plans on fresh keys and writes; starts again when another instance wrote first. Resolves to null when the plan is
   * null: then it has read, and that is all.
   */
  change<Plan extends PlannedChange | null>(
    plan: (keys: readonly SigningKey[], nowMs: number) => Plan,
    origin?: AuditOrigin,
  ): Promise<SigningKeyChange | Extract<Plan, null>>;
}

function createChanges(options: SigningKeyRingOptions): Changes {
  const { store, keyPairs, clock, onChange } = options;
  let opened = NO_SIGNING_KEYS;

  async function reload(): Promise<void> {
    const keys = await store.list();
    opened = openSigningKeys(keys, clock.nowMs(), { before: opened, keyPairs });
  }

  return {
    current: () => opened,
    async change<Plan extends PlannedChange | null>(
      plan: (keys: readonly SigningKey[], nowMs: number) => Plan,
      origin: AuditOrigin = KEYTURN_ITSELF,
    ) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        await reload();
        const planned = plan(opened.keys, clock.nowMs());
        if (planned === null) return planned as Extract<Plan, null>;
        const written = await writeChange(planned, options);
        if (written === null) continue;
        await reload();
        await onChange?.(written, origin);
        return written;
      }
      throw new DependencyUnavailable('signing_keys', new Error('other instances kept changing the signing keys'));
    },
  };
}

/** One at a time, so that an answer of the store which is overtaken by a later one can't bring an old state back. */
function createTurns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

function createJwksMemory(): (keys: readonly SigningKey[]) => ReturnType<SigningKeyRing['jwks']> {
  let last: ReturnType<SigningKeyRing['jwks']> = { keys: [] };
  return (keys) => {
    const isSame =
      keys.length === last.keys.length && keys.every(({ kid }, index) => kid === last.keys[index]?.['kid']);
    if (!isSame) last = { keys: keys.map(({ publicJwk }) => publicJwk) };
    return last;
  };
}

function createBackground(pauseMs: number, work: () => Promise<void>): Pick<SigningKeyRing, 'start' | 'stop'> {
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();
  let isRunning = false;
  function schedule(): void {
    if (!isRunning) return;
    timer = setTimeout(() => {
      underWay = work().then(schedule);
    }, pauseMs).unref();
  }
  return {
    start() {
      if (isRunning) return;
      isRunning = true;
      schedule();
    },
    async stop() {
      isRunning = false;
      clearTimeout(timer);
      await underWay;
    },
  };
}
