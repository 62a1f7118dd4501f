import { hubAddress } from '../page/page-base.ts';
import type { Credentials } from './credentials.ts';

type TabMessage =
  | { readonly kind: 'ask' }
  | { readonly kind: 'in'; readonly credentials: Credentials }
  | { readonly kind: 'out' };

// Another tab answers within a few milliseconds, unless it is busy.
const answerWithinMs = 300;

export type SharedSignIn = ReturnType<typeof createSharedSignIn>;

/**
 * Shares a sign-in with the open tabs of one hub. Nothing is stored, so the credentials are
 * forgotten when the last tab closes.
 */
export function createSharedSignIn(
  current: () => Credentials | null,
  on: { signedIn(credentials: Credentials): void; signedOut(): void },
) {
  const channel = new BroadcastChannel(`openclaw.sign-in ${hubAddress('')}`);
  const tell = (message: TabMessage) => channel.postMessage(message);
  channel.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    const credentials = current();
    if (data.kind === 'out') on.signedOut();
    else if (data.kind === 'in' && credentials === null) on.signedIn(data.credentials);
    else if (data.kind === 'ask' && credentials !== null) tell({ kind: 'in', credentials });
  };
  return {
    /** Resolves when another tab has answered, or after {@link answerWithinMs}. */
    async ask(): Promise<void> {
      tell({ kind: 'ask' });
      for (let waitedMs = 0; waitedMs < answerWithinMs && current() === null; waitedMs += 20) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    /** Tabs that are already signed in do not change. */
    signedIn: (credentials: Credentials) => tell({ kind: 'in', credentials }),
    signedOut: () => tell({ kind: 'out' }),
    close: () => channel.close(),
  };
}
