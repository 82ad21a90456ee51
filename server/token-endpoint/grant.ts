import type { IpAddress } from '@keyturn/lib/protocol';
import type { UnusableReason } from '../api-keys/decide-usability.ts';
import type { ReadyApiKey } from '../api-keys/ready-api-key.ts';
import type { TokenFaultReason } from './token-faults.ts';
import type { TokenRequest } from './token-request.ts';

/** What every phase may know of the request besides its parameters. */
export interface TokenContext {
  /** Null where it could not be told. */
  readonly ip: IpAddress | null;
  readonly requestId: string;
  readonly nowMs: number;
  /** True once the request has to be refused for lack of time. */
  readonly isTooLate: () => boolean;
}

/** The session as it is after phase 4; null for a key that gets no refresh tokens. */
export interface WrittenSession {
  readonly id: string;
  /** Generation of the refresh token to hand out. */
  readonly generation: number;
  readonly refreshTokenExpiresInSeconds: number;
  /** Null: unbounded. */
  readonly endsInSeconds: number | null;
}

/** What the access token will carry. */
export interface Granted {
  readonly permissions: readonly string[];
  /** RFC 8707; null: the project's audiences. */
  readonly resource: string | null;
  readonly session: WrittenSession | null;
  /** Until the end of the secret that was presented, while it is being replaced; absent: it has none. */
  readonly secretEndsInSeconds?: number | null;
}

/** What a plan says of the permissions and the resource of the token to come. */
export type Planned = Pick<Granted, 'permissions' | 'resource'>;

/** Who is asking. */
export interface Proof {
  readonly key: ReadyApiKey;
  /** Of the client secret that was presented (see {@link SecretUse}); null: none was. */
  readonly secretVersion: number | null;
}

/**
 * One grant type. The token endpoint calls the phases in their order and does itself what no grant may skip; `P` and
 * `Plan` carry what one phase found to the next.
 */
export interface Grant<P extends Proof, Plan extends { readonly planned: Planned | null }> {
  readonly grantType: string;
  /** What an unusable key is called in this grant. */
  readonly unusable: Readonly<Record<UnusableReason, TokenFaultReason>>;
  /** Phase 1: who is asking? */
  authenticate(request: TokenRequest): Promise<P>;
  /**
   * Phase 3: what may be granted? Refuses here, before anything is written or spent. `planned` null: what the session was
   * granted, and its key has had ever since.
   */
  plan(request: TokenRequest, proof: P, context: TokenContext): Promise<Plan>;
  /** Phase 4: one atomic write. */
  commit(plan: Plan, proof: P, context: TokenContext): Promise<Granted>;
}
