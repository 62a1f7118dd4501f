// AGENTS virtual users in channels send RATE messages a second in total over WebSockets. They also send some typing,
// presence and reactions. The times of all operations are fixed beforehand. hall.ts and teams.ts run this chat. See
// README.md beside this file.
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import { mustRequest, signIn, thresholdsFile } from './hub.ts';
import { k6Thresholds } from './thresholds.ts';

const agents = Number(__ENV.AGENTS ?? 111);
const durationMs = Number(__ENV.DURATION ?? 10) * 1000;
// The rates are per second over all agents. The load generator has the same rates.
const rates = { typing: 5, presence: 5, reaction: 10 };
// All users connect within this time. The warm-up is not measured.
const connectMs = Number(__ENV.CONNECT ?? 5) * 1000;
const warmupMs = 2_000;
const drainMs = 3_000;
// Each agent measures every n-th delivery.
const sampleEvery = Number(__ENV.SAMPLE ?? 10);

export interface Rooms {
  readonly runId: string;
  readonly channelIds: readonly string[];
  readonly startMs: number;
}

interface RpcObject {
  readonly id?: number;
  readonly method?: string;
  readonly result?: {
    readonly member?: object;
    readonly topics?: readonly { readonly head?: number }[];
  };
  readonly error?: object;
  readonly params?: {
    readonly seq: number | null;
    readonly event: {
      readonly type: string;
      readonly agentId?: string;
      readonly typing?: boolean;
      readonly presences?: readonly { readonly customStatus: string | null }[];
    };
  };
}

/** Call it while k6 loads the script, because it creates metrics. */
export function createChat(preset: {
  /** The thresholds of this scenario have precedence over the general ones. */
  readonly scenario: string;
  readonly channels: number;
  readonly rate: number;
}) {
  const rate = Number(__ENV.RATE ?? preset.rate);
  const channels = Math.min(Number(__ENV.CHANNELS ?? preset.channels), agents);
  // One message at the very start and one at the very end may be missing from the count.
  const messages = Math.floor((rate * durationMs) / 1000) - 2;
  const fewestMembers = Math.floor(agents / channels);

  const delivery = new Trend('hub_delivery_ms', true);
  const ack = new Trend('hub_ack_ms', true);
  const typing = new Trend('hub_typing_ms', true);
  const presence = new Trend('hub_presence_ms', true);
  const deliveries = new Counter('hub_deliveries');
  const acked = new Counter('hub_acked');
  const refused = new Counter('hub_refused');
  const lost = new Counter('hub_lost');
  const doubled = new Counter('hub_doubled');
  const connected = new Counter('hub_connected');
  const trends = {
    delivery: 'hub_delivery_ms',
    ack: 'hub_ack_ms',
    typing: 'hub_typing_ms',
    presence: 'hub_presence_ms',
  };

  const options = {
    scenarios: {
      [preset.scenario]: {
        executor: 'per-vu-iterations',
        vus: agents,
        iterations: 1,
        maxDuration: `${Math.ceil((connectMs + warmupMs + durationMs + drainMs) / 1000) + 30}s`,
      },
    },
    thresholds: {
      ...k6Thresholds(thresholdsFile, preset.scenario, trends, 'hub_refused'),
      hub_acked: [`count>=${messages}`],
      hub_deliveries: [`count>=${messages * fewestMembers}`],
      hub_lost: ['count==0'],
      hub_doubled: ['count==0'],
      hub_connected: [`count>=${agents}`],
    },
    summaryTrendStats: ['count', 'med', 'p(90)', 'p(99)', 'max'],
  };

  function setup(): Rooms {
    const runId = `k6-${Date.now().toString(36)}`;
    const channelIds = Array.from({ length: channels }, (_, index) => `${runId}-room-${index}`);
    for (const channelId of channelIds) {
      const body = { channelId, name: `k6 ${preset.scenario}` };
      mustRequest('POST', '/v1/channels', `${runId}-owner`, { body });
    }
    return { runId, channelIds, startMs: Date.now() + connectMs };
  }

  function teardown({ runId, channelIds }: Rooms): void {
    for (const channelId of channelIds)
      mustRequest('DELETE', `/v1/channels/${channelId}`, `${runId}-owner`);
  }

  function run(rooms: Rooms): void {
    const me = exec.vu.idInTest - 1;
    const agentId = `${rooms.runId}-${me}`;
    const channelId = rooms.channelIds[me % rooms.channelIds.length] as string;
    const measureMs = rooms.startMs + warmupMs;
    const endMs = measureMs + durationMs;
    const { address, headers } = signIn('/v1/ws', agentId);
    // k6's own parameter for subprotocols has no effect, but this header works.
    const socket = new WebSocket(address.replace(/^http/, 'ws'), null, {
      headers: { ...headers, 'Sec-WebSocket-Protocol': 'openclaw.v1' },
    });
    const dueOf = new Map<number, number>();
    const inRoom = { channelId };
    let lastId = 0;
    let lastSeq = -1;
    let lastMessageId = '';
    // Adding to a k6 metric costs more than handling an event, so the counts are summed here.
    const counted = { deliveries: 0, lost: 0, doubled: 0 };
    let presenceSeen = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    function call(method: string, params: object, dueMs: number): void {
      lastId += 1;
      dueOf.set(lastId, dueMs);
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }));
    }

    function onSeq(seq: number): void {
      if (seq <= lastSeq) counted.doubled += 1;
      else if (lastSeq >= 0 && seq > lastSeq + 1) counted.lost += seq - lastSeq - 1;
      lastSeq = Math.max(lastSeq, seq);
    }

    function onMessage(dueMs: number, now: number): void {
      if (!(dueMs >= measureMs)) return;
      counted.deliveries += 1;
      if (counted.deliveries % sampleEvery === me % sampleEvery) delivery.add(now - dueMs);
    }

    /**
     * k6 cannot parse 111,000 messages a second, so the seq, due time and id of a message are cut out of its text. The
     * content cannot contain the searched keys, because its quotes are escaped. Everything but messages is parsed.
     */
    function onText(text: string, now: number): void {
      const bodies = text.split(rpc);
      for (let i = 1; i < bodies.length; i += 1) {
        const body = bodies[i] as string;
        const contentAt = body.indexOf('"content":"');
        if (contentAt < 0 || !body.includes('"type":"channel.message"')) {
          onObject(JSON.parse(rpc + body.replace(/[,\]]$/, '')) as RpcObject, now);
          continue;
        }
        const seqAt = body.lastIndexOf('"seq":');
        onSeq(parseInt(body.slice(seqAt + 6, seqAt + 22), 10));
        onMessage(parseFloat(body.slice(contentAt + 11, contentAt + 31)), now);
        if (lastMessageId === '' || i === 1) {
          const idAt = body.indexOf('"message":{"id":"') + 17;
          lastMessageId = body.slice(idAt, body.indexOf('"', idAt));
        }
      }
    }

    function onEvent({ seq, event }: NonNullable<RpcObject['params']>, now: number): void {
      if (seq !== null) onSeq(seq);
      if (event.type === 'channel.typing' && event.typing && event.agentId) {
        const agent = Number(event.agentId.slice(rooms.runId.length + 1));
        const dueMs = lastDueMs(rooms, agent, rates.typing, now);
        if (dueMs >= measureMs) typing.add(now - dueMs);
      } else if (event.type === 'channel.presence') {
        for (const { customStatus } of event.presences ?? []) {
          const dueMs = Number((customStatus ?? '').replace('due ', ''));
          if (dueMs <= presenceSeen) continue;
          presenceSeen = dueMs;
          if (dueMs >= measureMs) presence.add(Math.max(0, now - dueMs));
        }
      }
    }

    function onObject(object: RpcObject, now: number): void {
      if (object.method === 'event' && object.params) return onEvent(object.params, now);
      if (object.id === undefined) return;
      const dueMs = dueOf.get(object.id) ?? 0;
      dueOf.delete(object.id);
      if (object.error) return refused.add(1);
      if (object.result?.member) return call('subscribe', { topics: [inRoom] }, 0);
      const head = object.result?.topics?.[0]?.head;
      if (head !== undefined) {
        lastSeq = Math.max(lastSeq, head);
        connected.add(1);
      }
      if (dueMs < measureMs) return;
      acked.add(1);
      ack.add(now - dueMs);
    }

    // The agents take turns in each kind of work, at times fixed from the start.
    const work = [
      {
        perSecond: rate,
        perform: (dueMs: number) =>
          call('message.send', { ...inRoom, content: `${dueMs} ${padding}` }, dueMs),
      },
      { perSecond: rates.typing, perform: (dueMs: number) => call('typing.start', inRoom, dueMs) },
      {
        perSecond: rates.presence,
        perform: (dueMs: number) =>
          call('presence.set', { status: 'away', customStatus: `due ${dueMs}` }, dueMs),
      },
      {
        perSecond: rates.reaction,
        perform: (dueMs: number) => {
          if (lastMessageId)
            call('reaction.add', { ...inRoom, messageId: lastMessageId, emoji: '👍' }, dueMs);
        },
      },
    ].map((each) => ({ ...each, turn: 0 }));

    /**
     * Performs the due operations, and sleeps until the next due time. Waking 111 users more often is expensive in k6.
     */
    function performDue(): void {
      let nextMs = endMs;
      for (const each of work) {
        let dueMs = dueMsOf(rooms, me, each.perSecond, each.turn);
        for (
          ;
          dueMs <= Date.now() && dueMs < endMs;
          dueMs = dueMsOf(rooms, me, each.perSecond, each.turn)
        ) {
          each.turn += 1;
          each.perform(dueMs);
        }
        nextMs = Math.min(nextMs, dueMs);
      }
      if (nextMs < endMs) timer = setTimeout(performDue, Math.max(0, nextMs - Date.now()));
    }

    socket.onmessage = (message) => onText(String(message?.data), Date.now());
    socket.onopen = () => {
      call('channel.join', inRoom, 0);
      performDue();
      setTimeout(() => socket.close(), endMs + drainMs - Date.now());
    };
    socket.onclose = () => {
      clearTimeout(timer as ReturnType<typeof setTimeout>);
      deliveries.add(counted.deliveries);
      lost.add(counted.lost);
      doubled.add(counted.doubled);
    };
    socket.onerror = (event) => {
      exec.test.abort(`agent ${me}: ${event?.error}`);
    };
  }

  return { options, setup, teardown, run };
}

const rpc = '{"jsonrpc":"2.0",';
const padding = 'All agents report progress on their part of the work. '.repeat(2);

function dueMsOf(rooms: Rooms, agent: number, perSecond: number, turn: number): number {
  return rooms.startMs + ((agent + turn * agents) * 1000) / perSecond;
}

/** Computes the due time of a typing event from the plan, because the event does not contain it. */
function lastDueMs(rooms: Rooms, agent: number, perSecond: number, now: number): number {
  const roundMs = (agents * 1000) / perSecond;
  const turn = Math.floor((now - dueMsOf(rooms, agent, perSecond, 0)) / roundMs);
  return dueMsOf(rooms, agent, perSecond, turn);
}
