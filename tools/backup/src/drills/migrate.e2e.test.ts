import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { startChatTraffic, startHub, startPostgres, temporaryFolder } from '@openclaw/test-support';
import { testScope } from '@openclaw/test-support/scopes';
import { run, succeed } from './drill.ts';

const scope = testScope();

interface Database {
  readonly url: string;
  readonly execute: (statement: string) => void;
}

const databases = {
  async sqlite(): Promise<Database> {
    const folder = await scope.use(temporaryFolder('migrate'));
    const path = `${folder.path}/hub.sqlite`;
    return {
      url: `sqlite:${path}`,
      execute(statement) {
        const database = new DatabaseSync(path);
        database.exec('PRAGMA busy_timeout = 5000');
        database.exec(statement);
        database.close();
      },
    };
  },
  async postgres(): Promise<Database> {
    const server = await scope.use(startPostgres());
    return { url: server.url, execute: (statement) => void server.query(statement) };
  },
};

/** Hubs of the release `compatibleFrom` and later can serve the database after this migration. */
const nextRelease = (compatibleFrom: string) => [
  'alter table channels add column colour text',
  'alter table log add column region text',
  'alter table messages add column weight bigint',
  'create table extras (id text primary key)',
  `insert into chat_store_migrations (name, timestamp) values ('0099_next', '2027-01-01T00:00:00Z')`,
  `insert into meta (name, value) values ('compatible_from', '${compatibleFrom} 0099_next')
    on conflict (name) do update set value = excluded.value`,
];

describe.each(['sqlite', 'postgres'] as const)('the migrations of a %s database', (engine) => {
  it('are planned with the releases that can serve it, and not run while hubs would break', async () => {
    const { url, execute } = await databases[engine]();
    const env = { HUB_DB_URL: url };
    await succeed(['migrate'], env);
    expect(await succeed(['migrate', '--plan'], env)).toContain('needs no migration');
    // The plan now sees a database of release 0.1.0.
    execute(`delete from chat_store_migrations where name > '0003'`);
    const plan = await run(['migrate', '--plan'], env);
    expect(plan.code).toBe(0);
    expect(plan.output).toMatch(
      /0003_heads_from_log {2}of release 0\.2\.0; served by hubs from 0\.2\.0 on/,
    );
    expect(plan.output).toContain('Going back to one needs a restore');
    expect(plan.output).not.toContain('0002_hubs_cut_off ');
    const now =
      engine === 'sqlite' ? String(Date.now()) : '(extract(epoch from now()) * 1000)::bigint';
    execute(`insert into hubs (id, beat_at, cut_off) values ('older', ${now}, 0)`);
    const refused = await run(['migrate'], env);
    expect(refused.code).toBe(4);
    expect(refused.output).toContain('hubs of a release before 0.2.0 cannot serve it');
  });

  it('of the next release run beside a hub of this one, which serves on under load', async () => {
    const { url, execute } = await databases[engine]();
    const hub = await scope.use(
      startHub({ env: { HUB_DB_URL: url, HUB_LIMIT_MESSAGE: '1000000/60' } }),
    );
    const traffic = await startChatTraffic([hub], { channels: 2, everyMs: 5 });
    scope.defer(() => traffic.close());
    await traffic.moreAcks(30);
    for (const statement of nextRelease('0.2.0')) execute(statement);
    await traffic.moreAcks(100);
    expect([...traffic.refusals]).toEqual([]);
    expect(await traffic.stop()).toEqual([]);
    await hub.end('SIGTERM');
    await hub.restart();
    const response = await fetch(`${hub.httpUrl}/readyz`);
    expect(response.status).toBe(200);
    expect(await succeed(['migrate', '--plan'], { HUB_DB_URL: url })).toContain('can serve');
  });

  it('of a release that this one cannot serve stop its start with one sentence', async () => {
    const { url, execute } = await databases[engine]();
    await succeed(['migrate'], { HUB_DB_URL: url });
    for (const statement of nextRelease('9.0.0')) execute(statement);
    const sentence = '(0099_next) and needs hubs of release 9.0.0 or newer';
    await expect(startHub({ env: { HUB_DB_URL: url } })).rejects.toThrow(sentence);
    const { code, output } = await run(['migrate', '--plan'], { HUB_DB_URL: url });
    expect([code, output]).toEqual([1, expect.stringContaining(sentence)]);
  });
});
