import {
  channelKinds,
  isId,
  isStorableText,
  refuse,
  type AgentKind,
  type Refusal,
} from '@openclaw/protocol';
import { z } from 'zod';

/** A token's id, see RFC 7519 §4.1.7. */
export const jtiSchema = z
  .string()
  .max(128)
  .refine(isStorableText, { error: 'with U+0000 or half a surrogate pair' });

/** The hub is the sender of events that no agent causes. No client may have this id. */
const hubSender = 'hub';

export const asHub = { agentId: hubSender, isAdmin: true } as const;

export function isAgentId(value: unknown): value is string {
  return isId(value) && value !== hubSender;
}

export interface Identity {
  readonly agentId: string;
  /** The token names the kind. An admin need not be a person. */
  readonly kind: AgentKind;
  readonly isAdmin: boolean;
  /** True for an admin that may read private and direct channels without being a member. */
  readonly observesPrivate: boolean;
  readonly onBehalfOf: string | null;
  /** The token is limited to these channels; null means no limit. */
  readonly channels: readonly string[] | null;
  readonly jti: string | null;
  readonly minter: string | null;
  /** Null when the token has no claim `iat`. */
  readonly issuedAtMs: number | null;
  /** This is Unix time in ms, or null in dev mode, where nothing expires. */
  readonly expiresAtMs: number | null;
  /** The client's address. A header with an address counts only if a trusted proxy sent it. */
  readonly address?: string;
}

export type AuthErrorCode =
  | 'unauthorized'
  | 'revoked'
  | 'unavailable'
  /** The agent made far too many calls; `retryAfterMs` says when it may retry. */
  | 'barred';

/** The message may be shown: it contains no part of the token. */
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

export function isFailedSignIn(error: unknown): boolean {
  return error instanceof AuthError && (error.code === 'unauthorized' || error.code === 'revoked');
}

/** Null for an admin whose token is not limited to channels; otherwise the refusal. */
export function refuseNonAdmin({ isAdmin, channels }: Identity, action: string): Refusal | null {
  if (isAdmin && channels === null) return null;
  return refuse('forbidden', `only an admin whose token is not limited to channels may ${action}`);
}

/** Rejects with {@link AuthError}, or with the store's error when the store is away. */
export type Authenticate = (credentials: Credentials) => Promise<Identity>;

export interface Credentials {
  /** Taken from the Authorization header, else from the subprotocol list, else from `access_token`. */
  readonly token: string | null;
  /** Only dev mode uses `?agent=`, `?kind=` and `?role=`. */
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

export function offeredProtocols(header: string | readonly string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

export function isWithinBounds({ channels }: Identity, channelId: string): boolean {
  return channels === null || channels.includes(channelId);
}

/** Never throws: a client may send anything as the target. */
export function parseTarget(target: string | undefined): {
  readonly path: string;
  readonly query: URLSearchParams;
} {
  const [path = '', ...query] = (target ?? '').split('?');
  return { path, query: new URLSearchParams(query.join('?')) };
}
