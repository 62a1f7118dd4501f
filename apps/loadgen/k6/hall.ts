// The hall on k6: AGENTS virtual users in one channel, RATE messages a second over all of them, and a little typing,
// presence and reactions, at times fixed beforehand. See README.md beside this file.
import exec from 'k6/execution';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';
import { clearTimeout, setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';

const url = (__ENV.HUB_URL ?? 'http://127.0.0.1:8080').replace(/^ws/, 'http').replace(/\/$/, '');
const secret = __ENV.HUB_JWT_SECRET ?? '';
const agents = Number(__ENV.AGENTS ?? 111);
const rate = Number(__ENV.RATE ?? 1000);
const durationMs = Number(__ENV.DURATION ?? 10) * 1000;
// Per second over all agents, as in the load generator.
const rates = { typing: 5, presence: 5, reaction: 10 };
// All connect within this time, and the warm-up is not measured.
const connectMs = Number(__ENV.CONNECT ?? 5) * 1000;
const warmupMs = 2_000;
const drainMs = 3_000;
// Each agent measures every n-th delivery.
const sampleEvery = Number(__ENV.SAMPLE ?? 10);
// The first and the last operation may or may not be counted, so two fewer are required.
const messages = Math.floor((rate * durationMs) / 1000) - 2;

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

export const options = {
  scenarios: {
    hall: {
      executor: 'per-vu-iterations',
      vus: agents,
      iterations: 1,
      maxDuration: `${Math.ceil((connectMs + warmupMs + durationMs + drainMs) / 1000) + 30}s`,
    },
  },
  thresholds: {
    hub_delivery_ms: [`p(99)<${__ENV.MAX_DELIVERY_MS ?? 50}`],
    hub_typing_ms: [`p(99)<${__ENV.MAX_TYPING_MS ?? 100}`],
    hub_presence_ms: [`p(99)<${__ENV.MAX_PRESENCE_MS ?? 100}`],
    hub_acked: [`count>=${messages}`],
    hub_deliveries: [`count>=${messages * agents}`],
    hub_lost: ['count==0'],
    hub_doubled: ['count==0'],
    hub_refused: ['count==0'],
    hub_connected: [`count>=${agents}`],
  },
  summaryTrendStats: ['count', 'med', 'p(90)', 'p(99)', 'max'],
};

interface Hall {
  readonly channelId: string;
  readonly startMs: number;
}

function tokenOf(agentId: string): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => encoding.b64encode(JSON.stringify(value), 'rawurl');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: agentId, iat: now, exp: now + 3600 })}`;
  return `${signed}.${crypto.hmac('sha256', secret, signed, 'base64rawurl')}`;
}

/** The agent's URL and headers: with a token if there is a secret, otherwise for HUB_AUTH=dev. */
function signIn(
  path: string,
  agentId: string,
): { address: string; headers: Record<string, string> } {
  if (secret !== '')
    return { address: url + path, headers: { Authorization: `Bearer ${tokenOf(agentId)}` } };
  return { address: `${url}${path}?agent=${agentId}`, headers: {} };
}

function request(method: 'POST' | 'DELETE', path: string, agentId: string, body?: object): void {
  const { address, headers } = signIn(path, agentId);
  const { status, body: answer } = http.request(
    method,
    address,
    body ? JSON.stringify(body) : null,
    {
      headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
    },
  );
  if (status >= 300 || status === 0)
    exec.test.abort(`${method} ${path}: ${status} ${String(answer)}`);
}

export function setup(): Hall {
  const channelId = `k6-${Date.now().toString(36)}`;
  request('POST', '/v1/channels', `${channelId}-owner`, { channelId, name: 'k6 hall' });
  return { channelId, startMs: Date.now() + connectMs };
}

export function teardown(hall: Hall): void {
  request('DELETE', `/v1/channels/${hall.channelId}`, `${hall.channelId}-owner`);
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

export default function (hall: Hall): void {
  const me = exec.vu.idInTest - 1;
  const agentId = `${hall.channelId}-${me}`;
  const measureMs = hall.startMs + warmupMs;
  const endMs = measureMs + durationMs;
  const { address, headers } = signIn('/v1/ws', agentId);
  // k6's own parameter for subprotocols has no effect, but the header has.
  const socket = new WebSocket(address.replace(/^http/, 'ws'), null, {
    headers: { ...headers, 'Sec-WebSocket-Protocol': 'openclaw.v1' },
  });
  const dueOf = new Map<number, number>();
  const inHall = { channelId: hall.channelId };
  let lastId = 0;
  let lastSeq = -1;
  let lastMessageId = '';
  // Summed here, since adding to a k6 metric costs more than handling an event.
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
   * Most frames are messages, and k6 cannot parse 111,000 of them a second. So the measured values are cut out of the
   * text, where quotes within content are escaped. Other frames are parsed.
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
      const agent = Number(event.agentId.slice(hall.channelId.length + 1));
      const dueMs = lastDueMs(hall, agent, rates.typing, now);
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
    if (object.result?.member) return call('subscribe', { topics: [inHall] }, 0);
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
        call('message.send', { ...inHall, content: `${dueMs} ${padding}` }, dueMs),
    },
    { perSecond: rates.typing, perform: (dueMs: number) => call('typing.start', inHall, dueMs) },
    {
      perSecond: rates.presence,
      perform: (dueMs: number) =>
        call('presence.set', { status: 'away', customStatus: `due ${dueMs}` }, dueMs),
    },
    {
      perSecond: rates.reaction,
      perform: (dueMs: number) => {
        if (lastMessageId)
          call('reaction.add', { ...inHall, messageId: lastMessageId, emoji: '👍' }, dueMs);
      },
    },
  ].map((each) => ({ ...each, turn: 0 }));

  /** Runs what is due and sleeps until the next: waking 111 users is expensive in k6. */
  function performDue(): void {
    let nextMs = endMs;
    for (const each of work) {
      let dueMs = dueMsOf(hall, me, each.perSecond, each.turn);
      for (
        ;
        dueMs <= Date.now() && dueMs < endMs;
        dueMs = dueMsOf(hall, me, each.perSecond, each.turn)
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
    call('channel.join', inHall, 0);
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

const rpc = '{"jsonrpc":"2.0",';
const padding = 'All agents report progress on their part of the work. '.repeat(2);

/** The due time of this agent's next turn. */
function dueMsOf(hall: Hall, agent: number, perSecond: number, turn: number): number {
  return hall.startMs + ((agent + turn * agents) * 1000) / perSecond;
}

/** The due time of this agent's last turn, which the event itself does not carry. */
function lastDueMs(hall: Hall, agent: number, perSecond: number, now: number): number {
  const roundMs = (agents * 1000) / perSecond;
  const turn = Math.floor((now - dueMsOf(hall, agent, perSecond, 0)) / roundMs);
  return dueMsOf(hall, agent, perSecond, turn);
}
