import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startHub, type HubProcess } from '@openclaw/test-support';
import { requestCases } from './corpus/requests.ts';
import { openRawSocket } from './raw-socket.ts';
import { sendRaw } from './raw-http.ts';
import { openWitness, type Witness } from './witness.ts';

let hub: HubProcess;
let witness: Witness;
const urlOf = (agentId: string) => `${hub.url}/v1/ws?agent=${agentId}`;

beforeAll(async () => {
  hub = await startHub();
  witness = await openWitness(async (agentId) => urlOf(agentId));
});
afterAll(async () => {
  await witness?.close();
  await hub?.stop();
});

describe('a request', () => {
  it.each(requestCases.map((entry) => [entry.name, entry] as const))(
    'with %s gets its status, and every refusal has one shape',
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

  it('that offers compression, which a small frame could blow up, gets a WebSocket without it', async () => {
    const offers = 'permessage-deflate; client_max_window_bits, x-webkit-deflate-frame, a; b="c"';
    const raw = await openRawSocket(urlOf('ana'), {
      headers: { 'Sec-WebSocket-Extensions': offers },
    });
    expect(raw.head).not.toMatch(/sec-websocket-extensions/i);
    raw.destroy();
  });

  it('of any kind leaves the hub and the others unharmed', async () => {
    await witness.look();
    expect(hub.output()).not.toMatch(/"level":[56]0/);
  });
});
