import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../config.ts';
import { describeConfig } from './describe-config.ts';

describe('the description of a configuration', () => {
  it('has no secret of any variable', () => {
    const secrets = {
      HUB_DB_URL: 'postgres://hub:s3cret-1@db:5432/hub?password=s3cret-2',
      HUB_JWT_SECRET: 's3cret-3-of-more-than-thirty-two-characters',
      HUB_JWKS_URL: 'https://keys.example.com/jwks?key=s3cret-4',
      CHAT_REDIS_PASSWORD: 's3cret-5',
      REDIS_URL: 'redis://hub:s3cret-6@redis:6379',
    };
    const described = describeConfig(parseConfig(secrets));
    expect(JSON.stringify(described)).not.toContain('s3cret');
    expect(described).toMatchObject({
      databaseUrl: 'postgres://hub:***@db:5432/hub',
      port: 8080,
      auth: { mode: 'jwt', secrets: ['[set]'], jwksUrl: 'https://keys.example.com/jwks' },
    });
  });
});
