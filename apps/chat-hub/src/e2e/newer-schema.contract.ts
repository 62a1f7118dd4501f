import { expect, it } from '@jest/globals';
import { connectAgent, hubMetric, readyReport, startHub, waitFor } from '@openclaw/test-support';

export interface BareDatabase {
  readonly url: string;
  readonly run: (statements: string) => void;
}

/** Hubs of release `compatibleFrom` or later can serve the newer schema. */
const migration = (compatibleFrom: string, change: string) => `begin;
  ${change};
  insert into chat_store_migrations (name, timestamp) values ('0099_next', '2027-01-01T00:00:00Z');
  insert into meta (name, value) values ('compatible_from', '${compatibleFrom} 0099_next')
    on conflict (name) do update set value = excluded.value;
  commit`;
const addition = 'alter table messages add column weight bigint';
const renaming = 'alter table messages rename column taint to taints';

export function describeNewerSchema(create: () => Promise<BareDatabase>): void {
  async function start() {
    const database = await create();
    const hub = await startHub({
      env: {
        HUB_DB_URL: database.url,
        HUB_LIMIT_MESSAGE: '1000000/60',
        LOG_LEVEL: 'warn',
        REDIS_URL: 'redis://127.0.0.1:1',
      },
    });
    const ana = await connectAgent(hub, 'ana');
    const channelId = 'ops';
    await ana.call('channel.create', { channelId, name: 'Ops' });
    const send = () =>
      ana.call('message.send', { channelId, content: 'x' }).then(
        () => 'ok',
        ({ code }: { code: string }) => code,
      );
    expect(await send()).toBe('ok');
    return {
      ...{ database, hub, send },
      stop: async () => {
        await ana.close();
        await hub.stop();
      },
    };
  }

  it.each([
    ['changed', renaming],
    ['extended', addition],
  ])(
    'is not ready, refuses every call as unavailable and says so once: a newer release has %s the tables',
    async (_how, change) => {
      const { database, hub, send, stop } = await start();
      try {
        database.run(migration('9.0.0', change));
        const outcomes: string[] = [];
        await waitFor(
          async () => {
            outcomes.push(await send());
            return (await readyReport(hub)).reason === 'newer_schema';
          },
          { what: 'a hub that is not ready' },
        );
        // The outcome is never `internal`, because the hub checks the schema as soon as a statement fails.
        expect(new Set([...outcomes, 'ok', 'unavailable'])).toEqual(new Set(['ok', 'unavailable']));
        expect(await send()).toBe('unavailable');
        const { status } = await fetch(`${hub.httpUrl}/readyz`);
        expect(status).toBe(503);
        expect((await fetch(`${hub.httpUrl}/healthz`)).status).toBe(200);
        await waitFor(async () => (await hubMetric(hub, 'hub_database_up')) === 0);
        for (let call = 0; call < 20; call++) expect(await send()).toBe('unavailable');
        const lines = hub.output().split('\n');
        expect(lines.filter((line) => line.includes('"code":"newer_schema"'))).toEqual([
          expect.stringMatching(/needs hubs of release 9\.0\.0 or newer.*"the database is down"/),
        ]);
        expect(lines.filter((line) => line.includes('a bug in the chat store'))).toEqual([]);
      } finally {
        await stop();
      }
    },
  );

  it('serves on, ready, when the newer release says that this one can (the control)', async () => {
    const { database, hub, send, stop } = await start();
    try {
      database.run(migration('0.2.0', addition));
      // In the tests above, the hubs refuse calls within two heartbeats. This hub must serve for longer than that.
      const untilMs = performance.now() + 5_000;
      await waitFor(async () => {
        expect([await send(), (await readyReport(hub)).reason]).toEqual(['ok', null]);
        return performance.now() >= untilMs;
      });
    } finally {
      await stop();
    }
  });
}
