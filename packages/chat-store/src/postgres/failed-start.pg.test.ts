import { chmodSync, chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createCertificateAuthority,
  freePort,
  hasOpenssl,
  startPostgres,
  type CertificateAuthority,
  type PostgresServer,
} from '@openclaw/test-support';
import { createChatStore } from '../index.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());

async function failureOf(url: string): Promise<{ code: string; message: string }> {
  const error: unknown = await createChatStore({ url }).then(
    (store) => store.close(),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'ChatStoreError' });
  expect(String(error)).not.toContain('hunter2');
  return error as { code: string; message: string };
}

// The fault: the log had only the failure's class, such as "refused the user or the password".
describe('a failed start', () => {
  const urlOf = (user: string, database = 'hub', port = server.port) =>
    `postgres://${user}:hunter2@127.0.0.1:${port}/${database}`;

  it('has PostgreSQL’s own words for an unknown user', async () => {
    const { code, message } = await failureOf(urlOf('nobody'));
    expect([code, message]).toEqual([
      'unauthorized',
      expect.stringContaining('role "nobody" does not exist'),
    ]);
  });

  it('has them for an unknown database', async () => {
    const { code, message } = await failureOf(urlOf('hub', 'elsewhere'));
    expect([code, message]).toEqual([
      'unauthorized',
      expect.stringContaining('database "elsewhere" does not exist'),
    ]);
  });

  it('has them for a user who may not connect now', async () => {
    server.query('create role full_up login connection limit 0');
    const { code, message } = await failureOf(urlOf('full_up'));
    expect([code, message]).toEqual([
      'unavailable',
      expect.stringContaining('too many connections for role "full_up"'),
    ]);
  });

  it('has them for a user who may create no table', async () => {
    server.query('create role reader login');
    const { code, message } = await failureOf(urlOf('reader'));
    expect([code, message]).toEqual([
      'unauthorized',
      expect.stringContaining('permission denied for schema public'),
    ]);
  });

  it('has the reason of the system when there is no server', async () => {
    const { code, message } = await failureOf(urlOf('hub', 'hub', await freePort()));
    expect([code, message]).toEqual(['unavailable', expect.stringContaining('ECONNREFUSED')]);
  });

  it('says that a server without TLS has none', async () => {
    const { message } = await failureOf(`${urlOf('hub')}?sslmode=verify-full`);
    expect(message).toContain('server does not support SSL');
  });
});

(hasOpenssl() ? describe : describe.skip)('sslmode (needs openssl)', () => {
  let authority: CertificateAuthority;
  let secure: PostgresServer;
  beforeAll(async () => {
    authority = await createCertificateAuthority();
    const { certificateFile, keyFile } = authority.issue('postgres', 'DNS:localhost');
    // The server refuses a key that others may read.
    const owner = statSync(server.query('show data_directory'));
    for (const path of [certificateFile, keyFile, dirname(certificateFile)]) {
      chownSync(path, owner.uid, owner.gid);
    }
    chmodSync(keyFile, 0o600);
    secure = await startPostgres([
      'ssl=on',
      `ssl_cert_file=${certificateFile}`,
      `ssl_key_file=${keyFile}`,
    ]);
  }, 60_000);
  afterAll(async () => {
    await secure.stop();
    await authority.remove();
  });
  const urlOf = (host: string, query: string) =>
    `postgres://hub:hunter2@${host}:${secure.port}/hub?${query}`;

  it('verify-full connects with the authority of sslrootcert', async () => {
    const store = await createChatStore({
      url: urlOf('localhost', `sslmode=verify-full&sslrootcert=${authority.caFile}`),
    });
    expect(await store.health()).toMatchObject({ status: 'ok' });
    expect(
      secure.query(
        `select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid)
         where application_name = 'openclaw-chat-store'`,
      ),
    ).toBe('t');
    await store.close();
  });

  it('no-verify encrypts and checks nothing, and disable does not encrypt', async () => {
    for (const [mode, isEncrypted] of [
      ['no-verify', 't'],
      ['disable', 'f'],
    ]) {
      const store = await createChatStore({ url: urlOf('localhost', `sslmode=${mode}`) });
      expect(
        secure.query(
          `select bool_or(ssl) from pg_stat_ssl join pg_stat_activity using (pid)
           where application_name = 'openclaw-chat-store'`,
        ),
      ).toBe(isEncrypted);
      await store.close();
    }
  });

  it.each([
    ['an unknown authority', 'localhost', () => 'sslmode=verify-full', /certificate/],
    [
      'another host',
      '127.0.0.1',
      () => `sslmode=verify-full&sslrootcert=${authority.caFile}`,
      /does not match certificate/,
    ],
  ])('verify-full refuses a certificate of %s, and says why', async (_of, host, query, reason) => {
    const { message } = await failureOf(urlOf(host, query()));
    expect(message).toMatch(reason);
  });
});
