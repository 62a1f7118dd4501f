import { expect } from '@jest/globals';
import {
  envelopeSchema,
  methods,
  type Envelope,
  type ErrorCode,
  type ParamsInputOf,
  type ParamsOf,
  type ResultOf,
} from '@openclaw/protocol';
import type {
  Actor,
  ChatStore,
  ChatStoreOptions,
  Outcome,
  ReadMethod,
  WriteMethod,
} from '../index.ts';

export interface TestDatabase {
  readonly store: ChatStore;
  /**
   * Opens another hub's store on the same database. The same number always gives the same store. Each such store closes
   * together with `store`.
   */
  another(number?: number): Promise<ChatStore>;
  /** The caller closes it. */
  open(options?: Partial<ChatStoreOptions>): Promise<ChatStore>;
}

/** Ids must be unique, because the tests share a database. */
export function uniqueId(name: string): string {
  unique += 1;
  return `${name}-${unique}-${Math.random().toString(36).slice(2, 8)}`;
}
let unique = 0;

/** Parses params as the hub does, and checks results and events against the schemas. */
export function agentOf(store: ChatStore, agentId = uniqueId('agent'), token: Partial<Actor> = {}) {
  const actor: Actor = { agentId, isAdmin: false, ...token };

  async function outcome<M extends WriteMethod>(method: M, params: ParamsInputOf<M>) {
    const answer = await store.append(actor, method, paramsOf(method, params));
    if (answer.ok) {
      holdToSchema(method, answer.result);
      for (const { event } of answer.events) {
        expect(envelopeSchema.parse(JSON.parse(event.json))).toBeTruthy();
      }
    }
    return answer;
  }
  async function write<M extends WriteMethod>(method: M, params: ParamsInputOf<M>) {
    const answer = await outcome(method, params);
    if (!answer.ok) throw new Error(`${method} was refused: ${answer.code}, ${answer.message}`);
    return answer.result;
  }
  async function readOutcome<M extends ReadMethod>(method: M, params: ParamsInputOf<M>) {
    const answer = await store.read(actor, method, paramsOf(method, params));
    if (answer.ok) holdToSchema(method, answer.result);
    return answer;
  }
  return {
    agentId,
    outcome,
    write,
    async refusal<M extends WriteMethod>(
      method: M,
      params: ParamsInputOf<M>,
    ): Promise<ErrorCode | 'ok'> {
      const answer = await outcome(method, params);
      return answer.ok ? 'ok' : answer.code;
    },
    async read<M extends ReadMethod>(method: M, params: ParamsInputOf<M>): Promise<ResultOf<M>> {
      const answer = await readOutcome(method, params);
      if (!answer.ok) throw new Error(`${method} was refused: ${answer.code}, ${answer.message}`);
      return answer.result;
    },
    async readRefusal<M extends ReadMethod>(
      method: M,
      params: ParamsInputOf<M>,
    ): Promise<ErrorCode | 'ok'> {
      const answer = await readOutcome(method, params);
      return answer.ok ? 'ok' : answer.code;
    },
    say: (channelId: string, content: string, more: Partial<ParamsInputOf<'message.send'>> = {}) =>
      write('message.send', { channelId, content, ...more }),
    async log(channelId: string): Promise<Envelope[]> {
      const { events } = await store.logPage(channelId, 0, 1000, 2 ** 30);
      return events.map((event) => envelopeSchema.parse(JSON.parse(event.json)));
    },
    history: (channelId: string, more: Partial<ParamsInputOf<'message.history'>> = {}) =>
      store
        .read(actor, 'message.history', paramsOf('message.history', { channelId, ...more }))
        .then((answer) => {
          if (!answer.ok) throw new Error(`message.history was refused: ${answer.code}`);
          return answer.result;
        }),
  };
}

export type Agent = ReturnType<typeof agentOf>;

export async function channelWithTwo(store: ChatStore, kind: 'public' | 'private' = 'public') {
  const [owner, member] = [agentOf(store), agentOf(store)];
  const { channel } = await owner.write('channel.create', { name: 'Two', kind });
  await owner.write('member.add', { channelId: channel.channelId, agentId: member.agentId });
  return { channelId: channel.channelId, owner, member };
}

export function eventOf(outcome: Outcome): Envelope {
  const events = outcome.ok ? outcome.events : [];
  if (events.length !== 1) throw new Error(`there were ${events.length} events`);
  return envelopeSchema.parse(JSON.parse(events[0]?.event.json ?? ''));
}

function paramsOf<M extends WriteMethod | ReadMethod>(method: M, params: ParamsInputOf<M>) {
  return methods[method].params.parse(params) as ParamsOf<M>;
}

// Fails for a field that the schema does not list.
function holdToSchema(method: WriteMethod | ReadMethod, result: unknown): void {
  expect(methods[method].result.parse(result)).toEqual(result);
}
