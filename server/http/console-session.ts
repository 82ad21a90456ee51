/** People signed in to the console: the cookie that says who they are, and where a write by it may come from. */
import { PermissionSet } from '@keyturn/lib/protocol';
import type { Request, RequestHandler, Response } from 'express';
import type { Principal } from '../access-control/decide-access.ts';
import type { MemberStore } from '../access-control/member-store.ts';
import type { Project } from '../access-control/project.ts';
import type { Clock } from '../clock.ts';
import { type ConsoleSession, isLive, isToBeSeen } from '../users/console-session.ts';
import type { ConsoleSessionStore } from '../users/console-session-store.ts';
import { hashToken } from '../users/setup-link.ts';
import type { Account } from '../users/user.ts';
import type { SignedIn, Visitor } from '../users/visitor.ts';
import type { Caller, IdentifyUser } from './authorize.ts';
import { Problem } from './problem.ts';

declare module 'node:http' {
  interface IncomingMessage {
    /** Who sent it, by the console's cookie; absent where an access token says so. */
    person?: { readonly session: ConsoleSession; readonly account: Account };
  }
}

/**
 * `__Host-`: browsers take it only from this very host, over TLS, for the whole path, so no neighbouring host or cleartext
 * answer can set another (RFC 6265bis §4.1.3.2).
 */
const COOKIE = '__Host-keyturn';
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';
const COOKIE_VALUE = /^[A-Za-z0-9_-]{43}$/;
const MAX_USER_AGENT_CHARACTERS = 255;

/** A cookie of the browser's session: it ends with the browser, and with the session here. */
export const signedInHeaders = ({ token }: SignedIn) => ({ 'Set-Cookie': `${COOKIE}=${token}; ${ATTRIBUTES}` });
export const signedOutHeaders = { 'Set-Cookie': `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0` } as const;

/** Null where there is none, or two, of which nobody knows which is ours. */
function cookieOf(request: Request): string | null {
  const values = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${COOKIE}=`))
    .map((pair) => pair.slice(COOKIE.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && COOKIE_VALUE.test(value) ? value : null;
}

export function visitorOf(request: Request): Visitor {
  const userAgent = request.headers['user-agent']?.slice(0, MAX_USER_AGENT_CHARACTERS) ?? null;
  return { ip: request.clientIp, userAgent, requestId: request.requestId };
}

/**
 * SameSite alone lets a page of a neighbouring host of the same site write. A request without Origin is none of a browser
 * that could be led astray, but nor is it one of the console.
 *
 * @throws {Problem} origin_not_allowed
 */
export function assertOwnOrigin(request: Request, issuer: string): void {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (origin === new URL(issuer).origin && (site === undefined || site === 'same-origin')) return;
  throw new Problem('origin_not_allowed', `send it from ${new URL(issuer).origin}, with that as Origin`);
}

/** @throws {Problem} unauthenticated where an access token says who sent the request */
export function personOf(request: Request): NonNullable<Request['person']> {
  if (request.person === undefined)
    throw new Problem('unauthenticated', 'this takes the cookie of the console, not an access token');
  return request.person;
}

export interface ConsoleSessionDependencies {
  readonly sessions: Pick<ConsoleSessionStore, 'find' | 'touch'>;
  readonly members: Pick<MemberStore, 'find'>;
  readonly clock: Clock;
  readonly issuer: string;
}

export function createConsoleAuthentication({ sessions, members, clock, issuer }: ConsoleSessionDependencies): {
  readonly authenticateByCookie: RequestHandler;
  readonly identifyUser: IdentifyUser;
} {
  async function authenticate(request: Request, response: Response, token: string): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') assertOwnOrigin(request, issuer);
    const nowMs = clock.nowMs();
    const found = await sessions.find(hashToken(token));
    if (found === null || !isLive(found.session, nowMs)) {
      response.set(signedOutHeaders);
      throw new Problem('unauthenticated', 'the console session has ended; sign in again');
    }
    const { session, account } = found;
    if (!isToBeSeen(session, nowMs)) request.person = found;
    else {
      await sessions.touch(session.tokenHash, nowMs);
      request.person = { session: { ...session, lastSeenAtMs: nowMs }, account };
    }
  }

  /** What a person holds by themselves, and in a project by its roles. */
  async function principalIn({ id, permissions }: Account, project: Project | null): Promise<Principal> {
    const member = project && (await members.find(project.id, id));
    const held = PermissionSet.parse([...permissions, ...(member?.permissions ?? [])]);
    const can = (permission: string) => held.can(permission);
    return { projectId: member === null ? null : member.projectId, permissions: held.permissions, can };
  }

  return {
    /** Whoever sends an access token is known by it; the cookie counts only without. */
    async authenticateByCookie(request, response, next) {
      const token = request.headers.authorization === undefined ? cookieOf(request) : null;
      if (token !== null) await authenticate(request, response, token);
      next();
    },

    async identifyUser(request): Promise<Caller | null> {
      if (request.person === undefined) return null;
      const { account } = request.person;
      return {
        actorId: account.id,
        userId: account.id,
        principalIn: (project) => principalIn(account, project),
      };
    },
  };
}
