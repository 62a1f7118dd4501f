import { expect, it } from '@jest/globals';
import { libpqEnvironment } from './postgres-database.ts';

it('hands the address to libpq without the parameters that only node-postgres knows', () => {
  const url =
    'postgres://us%40er:pass%2Fword@db.example.com:6543/my%20hub?sslmode=no-verify&pool=3';
  expect(libpqEnvironment(url)).toEqual({
    PGAPPNAME: 'openclaw-backup',
    PGCONNECT_TIMEOUT: '10',
    PGHOST: 'db.example.com',
    PGPORT: '6543',
    PGUSER: 'us@er',
    PGPASSWORD: 'pass/word',
    PGDATABASE: 'my hub',
    PGSSLMODE: 'require',
  });
  expect(libpqEnvironment('postgres://[::1]/hub')).toMatchObject({ PGHOST: '::1' });
});
