import { computed, signal } from '@preact/signals';
import { createClient, type HubClient, type StateChange, type Welcome } from '@openclaw/client';
import { announcementOf, isFreezeEvent, webSocketPath } from '@openclaw/protocol/wire';
import { createNotices } from '../page/notices.ts';
import { hubAddress, storageOfHub } from '../page/page-base.ts';
import { plainLoss, plainReason } from '../page/plain-errors.ts';
import { createLastPlace } from '../page/last-place.ts';
import { createRouter } from '../page/route.ts';
import { createSharedValue } from '../page/stored-value.ts';
import { createChats } from '../store/chats.ts';
import { createEventBatch } from '../store/event-batch.ts';
import { createOutbox } from '../store/outbox.ts';
import { createNeeds } from '../store/needs.ts';
import { createReadMarks } from '../store/read-marks.ts';
import { describeConnection } from './connection-status.ts';
import { noChoices } from './choices.ts';
import { devIdentity, type Credentials } from './credentials.ts';
import { noProfile, type Profile } from './profile.ts';
import { createKnownPeople } from './known-people.ts';
import { createAgentTurns } from './agent-turns.ts';
import { createFreezes } from './freezes.ts';
import { createHubPresence } from './hub-presence.ts';
import { createHubWatch } from './hub-watch.ts';
import { createRedisWatch } from './redis-watch.ts';
import { whyUnreachable } from './unreachable-hub.ts';

// After a sign-in, the page searches channels with unread messages for failures of agents. It reads at most this many
// events of each channel, in at most `missedChannels` channels.
const missedEvents = 100;
const missedChannels = 30;
const noDrafts: Readonly<Record<string, string>> = {};

export type Session = ReturnType<typeof createSession>;

export interface SessionOptions {
  readonly signal: AbortSignal;
  /** Called for each failed attempt before the first welcome, with the reason. Another attempt follows. */
  readonly onRetry: (reason: string) => void;
  /** The session calls this when the hub ends the session, for example because the token has expired. */
  readonly onEnd: (reason: string) => void;
}

/** Resolves after the first welcome; rejects when the hub refuses the credentials. */
export async function openSession(
  credentials: Credentials,
  { signal, onRetry, onEnd }: SessionOptions,
): Promise<Session> {
  const url = hubAddress(webSocketPath.slice(1));
  const identity =
    credentials.kind === 'token'
      ? { url, token: credentials.token }
      : {
          url: `${url}?${new URLSearchParams(devIdentity(credentials))}`,
          agent: credentials.agentId,
        };
  const client = createClient({ ...identity, backoffMaxMs: 8_000 });
  let hasEnded = false;
  const off = client.on('state', ({ state, error }) => {
    if (state !== 'connecting' || error === null) return;
    if (error.code !== 'disconnected') return onRetry(plainLoss(error.message));
    void whyUnreachable().then((why) => {
      if (!hasEnded) onRetry(why ?? plainLoss(error.message));
    });
  });
  try {
    const welcome = await client.ready({ signal });
    return createSession(credentials, client, welcome, onEnd);
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    hasEnded = true;
    off();
  }
}

function createSession(
  credentials: Credentials,
  client: HubClient,
  { agentId: me }: Welcome,
  onEnd: (reason: string) => void,
) {
  const storage = storageOfHub(sessionStorage);
  const shared = storageOfHub(localStorage);
  const notices = createNotices(() => client.state === 'live');
  const marks = createReadMarks(shared, `${hubAddress('')} ${me}`);
  const chats = createChats(client, me, notices, marks);
  const outbox = createOutbox(client, storage, me, ({ channelId, agentId }) =>
    channelId === null ? chats.directWith(agentId ?? '') : chats.byId.value.get(channelId),
  );
  const profile = createSharedValue(shared, `openclaw.profile.${me}`, noProfile);
  const drafts = createSharedValue(shared, `openclaw.drafts.${me}`, noDrafts);
  const choices = createSharedValue(shared, `openclaw.choices.${me}`, noChoices);
  const router = createRouter();
  const lastPlace = createLastPlace(shared, me, router.route);
  const needs = createNeeds({
    ...{ client, me, storage: shared, reports: notices },
    isMuted: (channelId) => choices.value.peek().muted.includes(channelId),
  });
  const batch = createEventBatch(
    (envelopes) => {
      chats.apply(envelopes);
      needs.apply(envelopes);
    },
    { onFrame },
  );

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
  const watch = createHubWatch(client);
  const agentTurns = createAgentTurns(client);
  const freezes = createFreezes(client);
  const hubPresence = createHubPresence(
    credentials,
    () => router.route.peek().view === 'direct' || chats.hasDirects(),
  );
  const connectionStatus = computed(() => {
    const at = retryAtMs.value;
    return describeConnection({
      state: state.value.state,
      retryInSeconds:
        at === null ? null : Math.max(0, Math.ceil((at - nowMs.value) / 1000)) || null,
      reason: state.value.error === null ? null : plainLoss(state.value.error.message),
      isDegraded: redis.isAway.value,
      isSilent: watch.silentSinceMs.value !== null,
      waiting: outbox.items.value.filter((item) => item.state === 'sending').length,
    });
  });

  const onListFailed = notices.reportWhileLive('The channels could not be loaded');
  const offs = [
    client.on('event', (envelope) => {
      const { event } = envelope;
      // The list of channels has its own listener for announcements while it is open.
      if (announcementOf(event) !== null) return;
      const isGlobal = event.type === 'collaboration.event' && envelope.channelId === null;
      // Freezes have a banner, so they cause no notice.
      if (isGlobal && !isFreezeEvent(event.name)) {
        const text = `${envelope.senderId} to everyone: ${event.name}`;
        notices.add(text, JSON.stringify(event.payload));
      }
      batch.push(envelope);
    }),
    client.on('notice', ({ event, channelId }) => {
      if (event.type !== 'channel.member.join' || channelId === null) return;
      // Events that still wait are applied first, because a leave among them would otherwise remove the channel that is
      // added now.
      batch.flush();
      chats.fetch(channelId);
    }),
    client.on('discontinuity', ({ channelId, reason }) => {
      batch.flush();
      const name = chats.byId.peek().get(channelId)?.channel.peek().name ?? channelId;
      if (reason !== 'epoch' && reason !== 'behind' && reason !== 'trimmed') {
        notices.add(`You can no longer follow #${name}`, reason);
        return chats.remove(channelId);
      }
      const text =
        reason === 'epoch'
          ? 'The hub was restored from a backup: its channels were reloaded'
          : `Some events of #${name} were skipped: its history was reloaded`;
      notices.add(text, null);
      if (reason === 'epoch') {
        chats.forgetUnread(channelId);
        outbox.forgetStored();
      }
      chats.reload(channelId).catch(notices.report(`#${name}`));
      chats.refresh().catch(onListFailed);
    }),
    client.on('welcome', () => {
      chats.reconnected().catch(onListFailed);
      readNeeds();
      void redis.check();
    }),
    client.on('state', (change) => {
      state.value = change;
      nowMs.value = Date.now();
      retryAtMs.value = change.retryInMs === null ? null : Date.now() + change.retryInMs;
      if (change.state === 'closed' && change.error !== null) onEnd(plainReason(change.error));
    }),
  ];

  const readNeeds = () => {
    needs.read().catch(notices.reportWhileLive('What needs you could not be loaded'));
  };
  readNeeds();
  const findMissedFailures = async () => {
    for await (const events of chats.missedEvents(missedEvents, missedChannels)) {
      needs.noteFailures(events);
    }
  };
  chats.refresh().then(findMissedFailures).catch(onListFailed);
  void redis.check();
  outbox.resume();
  async function setProfile(next: Profile) {
    profile.value.value = next;
    // The SDK repeats this call on each new connection.
    await client.setPresence(next);
  }
  const { status, avatar, customStatus } = profile.value.peek();
  if (status !== 'online' || avatar !== null || customStatus !== null) {
    setProfile({ status, avatar, customStatus }).catch(notices.report('Your status'));
  }

  return {
    me,
    credentials,
    client,
    chats,
    outbox,
    /** Other agents see this profile, which survives a reload. */
    profile: profile.value,
    setProfile,
    router,
    lastPlace: lastPlace.route,
    notices,
    connectionStatus,
    needs,
    hubPresence,
    people: createKnownPeople(client, credentials),
    turns: agentTurns.turns,
    loadTurns: (channelId: string) => agentTurns.load(channelId),
    freezes,
    /** All tabs share these choices. */
    choices: choices.value,
    /** All tabs share these drafts, by draft key. */
    drafts: drafts.value,
    async close() {
      for (const off of offs) off();
      clearInterval(clock);
      for (const part of [
        batch,
        redis,
        watch,
        agentTurns,
        freezes,
        hubPresence,
        chats,
        needs,
        marks,
        outbox,
        profile,
        drafts,
        choices,
        lastPlace,
        router,
      ])
        part.close();
      await client.close();
    },
  };
}

// The timeout is needed because no frame is painted while the page is hidden or the machine is overloaded.
const frameTimeoutMs = 250;

function onFrame(callback: () => void): void {
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    callback();
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, frameTimeoutMs);
}
