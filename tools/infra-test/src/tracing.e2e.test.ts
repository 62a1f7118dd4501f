import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import {
  connectAgent,
  startHubPair,
  startRedis,
  untilRedisIs,
  waitFor,
  type HubProcess,
} from '@openclaw/test-support';
import { readText, root } from './repository.ts';

const example = 'apps/chat-hub/examples/otel.mjs';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const callerSpan = 'b7ad6b7169203331';

interface PrintedSpan {
  readonly name: string;
  readonly id: string;
  readonly traceId: string;
  readonly parentId: string | undefined;
}

function spansOf(hub: HubProcess): PrintedSpan[] {
  return hub
    .output()
    .split(/^}$/m)
    .flatMap((text) => {
      const name = /^ {2}name: '(.*)',$/m.exec(text)?.[1];
      const id = /^ {2}id: '(.*)',$/m.exec(text)?.[1];
      const trace = /^ {2}traceId: '(.*)',$/m.exec(text)?.[1];
      if (name === undefined || id === undefined || trace === undefined) return [];
      const parentId = /parentSpanContext: \{[^}]*spanId: '(\w+)'/.exec(text)?.[1];
      return [{ name, id, traceId: trace, parentId }];
    });
}

describe('tracing as docs/operations.md describes it', () => {
  it('shows the example file', async () => {
    expect(await readText('docs/operations.md')).toContain(
      `\`\`\`js\n${await readText(example)}\`\`\``,
    );
  });

  it('prints one trace over two hubs on one Redis, as its tree shows', async () => {
    await using redis = await startRedis();
    await using pair = await startHubPair({
      REDIS_URL: redis.url,
      HUB_TRACING: 'on',
      NODE_OPTIONS: `--import ${pathToFileURL(join(root, example)).href}`,
    });
    const [here, there] = pair.hubs;
    await untilRedisIs('used', pair.hubs);
    const channelId = 'traced';
    await using ana = await connectAgent(here, 'ana');
    await ana.call('channel.create', { channelId, name: channelId });
    await ana.call('subscribe', { topics: [{ channelId }] });
    await using ben = await connectAgent(there, 'ben');
    await ben.call('channel.join', { channelId });
    await ben.call('subscribe', { topics: [{ channelId }] });
    const sent = await fetch(`${here.httpUrl}/v1/channels/${channelId}/messages?agent=ana`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        traceparent: `00-${traceId}-${callerSpan}-01`,
      },
      body: JSON.stringify({ content: 'hello' }),
    });
    expect(sent.status).toBe(201);

    const ofTrace = (hub: HubProcess) => spansOf(hub).filter((span) => span.traceId === traceId);
    await waitFor(() => ofTrace(here).length >= 4 && ofTrace(there).length >= 1, {
      what: 'the printed spans',
    });
    const named = (hub: HubProcess, name: string) =>
      ofTrace(hub).filter((span) => span.name === name);
    const [request] = named(here, 'request message.send');
    const [append] = named(here, 'append message.send');
    const [publish] = named(here, 'publish channel.message');
    expect(request?.parentId).toBe(callerSpan);
    expect(append?.parentId).toBe(request?.id);
    expect(publish?.parentId).toBe(request?.id);
    for (const hub of pair.hubs) {
      const [deliver] = named(hub, 'deliver channel.message');
      expect(deliver?.parentId).toBe(publish?.id);
    }
    expect(ofTrace(here)).toHaveLength(4);
    expect(ofTrace(there)).toHaveLength(1);
  });
});
