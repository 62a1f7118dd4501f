import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { createClient, type HubClient, type StateChange, type Welcome } from '@openclaw/client';
import { createChats, type Chats } from '../store/chats.ts';
import { createEventBatch } from '../store/event-batch.ts';
import { createOutbox, type Outbox } from '../store/outbox.ts';
import { createOwnProfile, type OwnProfile } from './profile.ts';
import { createRouter, type Router } from '../page/route.ts';
import { createStoredValue } from '../page/stored-value.ts';
import { createNotices, type Notices } from '../page/notices.ts';
import { describeConnection, type ConnectionLine } from './connection-status.ts';
import type { Credentials } from './credentials.ts';
import { createRedisWatch } from './redis-watch.ts';

/** Everything that lives from signing in to signing out. */
export interface Session {
  readonly me: string;
  readonly credentials: Credentials;
  readonly client: HubClient;
  readonly chats: Chats;
  readonly outbox: Outbox;
  readonly profile: OwnProfile;
  readonly router: Router;
  readonly notices: Notices;
  /** Texts not sent yet, by channel and thread. */
  readonly drafts: { value: Readonly<Record<string, string>> };
  readonly line: ReadonlySignal<ConnectionLine>;
  close(): Promise<void>;
}

/** What {@link openSession} tells while it connects, and later. */
export interface SessionOptions {
  /** Ends the attempts. */
  readonly signal: AbortSignal;
  /** The hub cannot be reached, or has no room yet; it is tried again. */
  readonly onTrouble: (reason: string) => void;
  /** The hub does not let this agent in any more. */
  readonly onEnd: (reason: string) => void;
}

/** Connects, and resolves with the first welcome; rejects when the hub refuses these credentials. */
export async function openSession(
  credentials: Credentials,
  { signal, onTrouble, onEnd }: SessionOptions,
): Promise<Session> {
  const identity =
    credentials.kind === 'token' ? { token: credentials.token } : { agent: credentials.agentId };
  const client = createClient({ ...identity, url: location.origin, backoffMaxMs: 8_000 });
  const off = client.on('state', ({ state, error }) => {
    if (state === 'connecting' && error !== null) onTrouble(error.message);
  });
  try {
    const welcome = await client.ready({ signal });
    return createSession(credentials, client, welcome, onEnd);
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    off();
  }
}

function createSession(
  credentials: Credentials,
  client: HubClient,
  welcome: Welcome,
  onEnd: (reason: string) => void,
): Session {
  const me = welcome.agentId;
  const storage = sessionStorage;
  const notices = createNotices();
  const chats = createChats(client, me, notices.report);
  const outbox = createOutbox(client, storage, me, (message) => {
    batch.flush();
    chats.showSent(message);
  });
  const profile = createOwnProfile(client, storage, me);
  const drafts = createStoredValue<Readonly<Record<string, string>>>(
    storage,
    `openclaw.drafts.${me}`,
    {},
  );
  const router = createRouter();
  const batch = createEventBatch((envelopes) => chats.apply(envelopes), { onFrame });

  const state = signal<StateChange>({ state: client.state, error: null, retryInMs: null });
  const retryAtMs = signal<number | null>(null);
  const nowMs = signal(Date.now());
  const clock = setInterval(() => {
    if (retryAtMs.peek() !== null) nowMs.value = Date.now();
  }, 250);
  const redis = createRedisWatch(client, () => {
    const route = router.route.peek();
    const [first] = chats.byId.peek().keys();
    return route.view === 'channel' && chats.byId.peek().has(route.channelId)
      ? route.channelId
      : first;
  });
  const line = computed(() => {
    const at = retryAtMs.value;
    return describeConnection({
      state: state.value.state,
      retryInSeconds:
        at === null ? null : Math.max(0, Math.ceil((at - nowMs.value) / 1000)) || null,
      reason: state.value.error?.message ?? null,
      isDegraded: redis.isAway.value,
      waiting: outbox.items.value.filter((item) => item.state === 'sending').length,
    });
  });

  const read = (reading: Promise<void>) => {
    reading.catch((error: unknown) => {
      if (client.state === 'live') notices.report('The channels could not be read', error);
    });
  };
  const offs = [
    client.on('event', (envelope) => {
      const { event } = envelope;
      if (event.type === 'channel.message' || event.type === 'thread.message') {
        if (event.message.senderId === me) outbox.saw(event.message);
      } else if (event.type === 'collaboration.event' && envelope.channelId === null) {
        notices.add(
          `${envelope.senderId} to everyone: ${event.name}`,
          JSON.stringify(event.payload),
        );
      }
      batch.push(envelope);
    }),
    client.on('notice', ({ event, channelId }) => {
      if (event.type !== 'channel.member.join' || channelId === null) return;
      // A leave that waits must not take away what is added now.
      batch.flush();
      chats.fetch(channelId);
    }),
    client.on('discontinuity', ({ channelId, reason }) => {
      batch.flush();
      const name = chats.byId.peek().get(channelId)?.channel.peek().name ?? channelId;
      if (reason !== 'epoch' && reason !== 'behind') {
        notices.add(`#${name} is no longer yours to follow`, reason);
        return chats.remove(channelId);
      }
      const what =
        reason === 'epoch'
          ? 'The hub was restored from a backup: its channels were reloaded'
          : `Some events of #${name} were skipped: its history was read anew`;
      notices.add(what, null);
      if (reason === 'epoch') chats.forgetUnread(channelId);
      chats.reload(channelId).catch((error: unknown) => notices.report(`#${name}`, error));
      read(chats.refresh());
    }),
    client.on('welcome', () => {
      read(chats.reconnected());
      redis.check();
    }),
    client.on('state', (change) => {
      state.value = change;
      nowMs.value = Date.now();
      retryAtMs.value = change.retryInMs === null ? null : Date.now() + change.retryInMs;
      if (change.state === 'closed' && change.error !== null) onEnd(change.error.message);
    }),
  ];

  read(chats.refresh());
  redis.check();
  outbox.resume();
  if (
    profile.current.peek().status !== 'online' ||
    profile.current.peek().avatar !== null ||
    profile.current.peek().customStatus !== null
  ) {
    profile
      .set(profile.current.peek())
      .catch((error: unknown) => notices.report('Your status', error));
  }

  return {
    ...{ me, credentials, client, chats, outbox, profile, router, notices, line },
    drafts: drafts.value,
    async close() {
      for (const off of offs) off();
      clearInterval(clock);
      batch.close();
      redis.close();
      chats.close();
      outbox.close();
      profile.close();
      drafts.close();
      router.close();
      await client.close();
    },
  };
}

// Nothing is painted while the page is hidden, or the machine has no time to.
const frameWithinMs = 250;

/** Before the next frame; where none is painted, soon. */
function onFrame(callback: () => void): void {
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    callback();
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, frameWithinMs);
}
