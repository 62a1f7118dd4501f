import { channelKinds, type AgentKind } from '@openclaw/protocol';
import { parseTarget } from './request-target.ts';

/** Who a connection or request acts as. */
export interface Identity {
  readonly agentId: string;
  /** The token's own: being an admin does not make a person. */
  readonly kind: AgentKind;
  readonly isAdmin: boolean;
  /** The token's claim `on_behalf_of`. */
  readonly onBehalfOf: string | null;
  /** The channels that the token is bounded to; null for no bound. */
  readonly channels: readonly string[] | null;
  readonly jti: string | null;
  /** When the token was issued, ms; null when it does not say. */
  readonly issuedAtMs: number | null;
  /** When the identity ends, ms; null for never (dev mode). */
  readonly expiresAtMs: number | null;
}

/** Why an identity is not had; branch on this. */
export type AuthErrorCode =
  /** No token, or one that is no good. */
  | 'unauthorized'
  /** A token that was good until it was revoked. */
  | 'revoked'
  /** Nobody can say now: the key server is away. The same token may be good later. */
  | 'unavailable'
  /** The token is good, but its agent has called far too often: `retryAfterMs` says when it may come back. */
  | 'barred';

/** No identity: the sentence is safe to show, and says nothing of the token. */
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

/** True when the credentials are wrong, and not when the hub could not check them or bars the agent. */
export function isFailedSignIn(error: unknown): boolean {
  return error instanceof AuthError && (error.code === 'unauthorized' || error.code === 'revoked');
}

/** Whether this is an admin of everything: one whose token is bound to channels has no say beyond them. */
export function isAdminOfAll({ isAdmin, channels }: Identity): boolean {
  return isAdmin && channels === null;
}

/** Proves who is calling. Rejects with {@link AuthError}, or with the store's own error when that is away. */
export type Authenticate = (credentials: Credentials) => Promise<Identity>;

/** What a request may carry to say who it is. */
export interface Credentials {
  /** From the Authorization header, the subprotocol list or `access_token`, in that order. */
  readonly token: string | null;
  /** `?agent=`, `?kind=` and `?role=`: used in dev mode only. */
  readonly devAgent: string | null;
  readonly devKind: string | null;
  readonly devRole: string | null;
}

/** Reads the credentials of an HTTP request or an upgrade. */
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
    // Over REST channel.list has a param of that name, whose values are kinds of channels.
    devKind: query.getAll('kind').find((kind) => !isChannelKind(kind)) ?? null,
    devRole: query.get('role'),
  };
}

function isChannelKind(kind: string): boolean {
  return (channelKinds as readonly string[]).includes(kind);
}

/** The subprotocols that a client offers, in its order. */
export function offeredProtocols(header: string | readonly string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

/** Whether the identity's token reaches the channel. */
export function isWithinBounds({ channels }: Identity, channelId: string): boolean {
  return channels === null || channels.includes(channelId);
}
