import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  openRawSocket,
  openBystanders,
  sendRaw,
  startHub,
  type HubProcess,
  type Bystanders,
} from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { requestCases } from './corpus/requests.ts';

const scope = suiteScope();
let hub: HubProcess;
let bystanders: Bystanders;
const urlOf = (agentId: string) => `${hub.url}/v1/ws?agent=${agentId}`;

beforeAll(async () => {
  hub = await scope.use(startHub());
  bystanders = await scope.use(openBystanders(urlOf));
});

describe('a request', () => {
  it.each(requestCases.map((entry) => [entry.name, entry] as const))(
    'with %s gets the expected status, and a refusal of the standard shape',
    async (_name, { request, status, code }) => {
      const answer = await sendRaw(hub.port, request);
      expect({ status: answer.status, body: answer.body }).toMatchObject({ status });
      if (code !== undefined)
        expect(JSON.parse(answer.body)).toEqual({
          error: expect.objectContaining({ code, message: expect.any(String) }),
        });
      expect(answer.head).not.toContain('Set-Cookie');
    },
  );

  it('that offers compression gets a WebSocket without it, so that no small frame can expand', async () => {
    const offers = 'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame, a; b="c"';
    const raw = await openRawSocket(urlOf('ana'), {
      headers: { 'Sec-WebSocket-Extensions': offers },
    });
    expect(raw.head).not.toMatch(/sec-websocket-extensions/i);
    raw.destroy();
  });

  it('of any kind does not affect the hub or other agents', async () => {
    await bystanders.exchangeMessage();
    expect(hub.output()).not.toMatch(/"level":[56]0/);
  });
});
