import {
  channelKinds,
  isId,
  isStorableText,
  refuse,
  type AgentKind,
  type Refusal,
} from '@openclaw/protocol';
import { z } from 'zod';

/** A token's own id (RFC 7519 §4.1.7): any text that every store can hold. */
export const jtiSchema = z
  .string()
  .max(128)
  .refine(isStorableText, { error: 'with U+0000 or half a surrogate pair' });

/** The sender of events that no agent causes. No token and no client may act as it. */
const hubSender = 'hub';

/** The actor of the hub's own reads. */
export const asHub = { agentId: hubSender, isAdmin: true } as const;

/** True for every valid id except the hub's own id. */
export function isAgentId(value: unknown): value is string {
  return isId(value) && value !== hubSender;
}

export interface Identity {
  readonly agentId: string;
  /** The kind in the token. Being an admin does not make an agent a person. */
  readonly kind: AgentKind;
  readonly isAdmin: boolean;
  /** True for an admin that may read private and direct channels of which it is no member. */
  readonly observesPrivate: boolean;
  readonly onBehalfOf: string | null;
  /** The channels that the token is limited to; null for no limit. */
  readonly channels: readonly string[] | null;
  readonly jti: string | null;
  /** The agent, or the user of a machine, that minted the token; null when no hub minted it. */
  readonly minter: string | null;
  /** Unix time in ms; null when the token has no `iat`. */
  readonly issuedAtMs: number | null;
  /** Unix time in ms; null when it never expires (dev mode). */
  readonly expiresAtMs: number | null;
  /** The address of the client, from trusted proxies only. */
  readonly address?: string;
}

export type AuthErrorCode =
  /** There is no token, or the token is not valid. */
  | 'unauthorized'
  | 'revoked'
  /** The key server does not answer. The same token may be valid later. */
  | 'unavailable'
  /** The token is valid, but its agent has made far too many calls; `retryAfterMs` says when it may retry. */
  | 'barred';

/** Authentication failed. The message may be shown: it contains no part of the token. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: AuthErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: AuthErrorCode,
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** True when the credentials are wrong; false when the hub could not check them or has barred the agent. */
export function isFailedSignIn(error: unknown): boolean {
  return error instanceof AuthError && (error.code === 'unauthorized' || error.code === 'revoked');
}

/** Null for an admin, else the refusal. An admin whose token is limited to channels has no rights beyond them. */
export function refuseNonAdmin({ isAdmin, channels }: Identity, action: string): Refusal | null {
  if (isAdmin && channels === null) return null;
  return refuse('forbidden', `only an admin whose token is not limited to channels may ${action}`);
}

/** Verifies credentials. Rejects with {@link AuthError}, or with the store's error when the store is away. */
export type Authenticate = (credentials: Credentials) => Promise<Identity>;

export interface Credentials {
  /** From the Authorization header, the subprotocol list or `access_token`, in that order. */
  readonly token: string | null;
  /** `?agent=`, `?kind=` and `?role=`: used in dev mode only. */
  readonly devAgent: string | null;
  readonly devKind: string | null;
  readonly devRole: string | null;
}

export function credentialsOf(request: {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly url?: string | undefined;
}): Credentials {
  const { query } = parseTarget(request.url);
  const authorization = String(request.headers['authorization'] ?? '');
  const offered = offeredProtocols(request.headers['sec-websocket-protocol']);
  const bearer = offered.find((name) => name.startsWith('bearer.'));
  return {
    token:
      /^Bearer +(\S+)$/i.exec(authorization)?.[1] ??
      bearer?.slice('bearer.'.length) ??
      query.get('access_token'),
    devAgent: query.get('agent'),
    // Over REST, channel.list also has a param `kind`, whose values are kinds of channels.
    devKind: query.getAll('kind').find((kind) => !isChannelKind(kind)) ?? null,
    devRole: query.get('role'),
  };
}

function isChannelKind(kind: string): boolean {
  return (channelKinds as readonly string[]).includes(kind);
}

/** The subprotocols that a client offers, in the client's order. */
export function offeredProtocols(header: string | readonly string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

export function isWithinBounds({ channels }: Identity, channelId: string): boolean {
  return channels === null || channels.includes(channelId);
}

/** The path and the query of a request's target. Never throws: a client may send anything as the target. */
export function parseTarget(target: string | undefined): {
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const [path = '', ...query] = (target ?? '').split('?');
  return { path, query: new URLSearchParams(query.join('?')) };
}
