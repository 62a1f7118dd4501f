import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createKeySchema, keyTable, ttlMs } from './index.ts';

const keys = createKeySchema({ prefix: '' });

describe('keyTable', () => {
  it('has a row for every maker of the schema', () => {
    const notNames = ['prefix', 'hashTags', 'channelPattern', 'parseTopic'];
    const makers = Object.keys(keys).filter((name) => !notNames.includes(name));
    expect(Object.keys(keyTable).sort()).toEqual(makers.sort());
  });

  it('shows each name as its maker makes it', () => {
    const ids = {
      channelId: 'c1',
      agentId: 'a1',
      probeId: 'p1',
      action: 'message',
      valueName: 'n1',
    };
    const made: Record<keyof typeof keyTable, string> = {
      channelTopic: keys.channelTopic('c1'),
      agentTopic: keys.agentTopic('a1'),
      globalTopic: keys.globalTopic,
      probeTopic: keys.probeTopic('p1'),
      traceTopic: keys.traceTopic,
      presence: keys.presence('c1', 'a1'),
      roster: keys.roster('c1'),
      rosterAgents: keys.rosterAgents('c1'),
      typing: keys.typing('c1'),
      turns: keys.turns('c1'),
      turnStates: keys.turnStates('c1'),
      channel: keys.channel('c1'),
      channelMembers: keys.channelMembers('c1'),
      recentMessages: keys.recentMessages('c1'),
      sequence: keys.sequence('c1'),
      latestEvents: keys.latestEvents(),
      databaseHub: keys.databaseHub(),
      cachedValue: keys.cachedValue('n1'),
      cachedValueLease: keys.cachedValueLease('n1'),
      rateLimit: keys.rateLimit('message', 'a1'),
      rateLimitWindow: keys.rateLimitWindow('message', 'a1'),
    };
    for (const [maker, name] of Object.entries(made)) {
      const { pattern } = keyTable[maker as keyof typeof keyTable];
      expect(pattern.replace(/\{(\w+)\}/g, (_, id: keyof typeof ids) => ids[id])).toBe(name);
    }
  });

  it('has the TTLs of the EPIC', () => {
    expect(ttlMs).toMatchObject({
      presence: 5 * 60_000,
      typing: 10_000,
      channel: 60 * 60_000,
      channelMembers: 60 * 60_000,
      recentMessages: 5 * 60_000,
      rateLimit: 60_000,
    });
  });
});

describe('README', () => {
  const script = fileURLToPath(new URL('../scripts/key-table.mjs', import.meta.url));

  it('has the table of the source', () => {
    const check = spawnSync(process.execPath, ['--no-warnings', script, '--check'], {
      encoding: 'utf8',
    });
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });

  it('has an example that does what it says', () => {
    const schema = createKeySchema({ prefix: 'openclaw:' });
    const shown = [...readme().matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(
      ([, result]) => result,
    );
    expect(shown).toEqual([
      schema.channelTopic('9f3c2a1d'),
      schema.presence('9f3c2a1d', 'tech-lead'),
      "{ kind: 'agent', agentId: 'tech-lead' }",
      String(ttlMs.presence),
    ]);
    expect(schema.parseTopic('openclaw:pubsub:agent:tech-lead')).toEqual({
      kind: 'agent',
      agentId: 'tech-lead',
    });
  });

  function readme() {
    return readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  }
});
