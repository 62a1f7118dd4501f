import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { methods, type ParamsInputOf, type ResultOf } from '@openclaw/protocol';
import type { Actor, Command, WriteMethod } from '../commands.ts';
import { eraseStart } from '../core/erase.ts';
import { idsFrom } from '../core/new-id.ts';
import type { StoreCore } from '../core/store-core.ts';
import type { OpenedDatabase } from './opened-database.contract.ts';
import { uniqueId } from './world.contract.ts';

const overOneSegment = 4_200;

export function describeSearch(engine: string, start: () => Promise<OpenedDatabase>): void {
  describe(`message.search on ${engine}`, () => {
    let database: OpenedDatabase;
    let core: StoreCore;

    beforeAll(async () => {
      database = await start();
      core = await database.open();
    }, 60_000);
    afterAll(async () => {
      await core?.close();
      await database?.stop();
    });

    async function write<M extends WriteMethod>(
      agentId: string,
      method: M,
      ...many: readonly ParamsInputOf<M>[]
    ): Promise<ResultOf<M>[]> {
      const actor = { agentId, isAdmin: false };
      const outcomes = await core.runGroup(
        many.map(
          (params) => ({ actor, method, params: methods[method].params.parse(params) }) as Command,
        ),
      );
      return outcomes.map((outcome) => {
        if (!outcome.ok) throw new Error(`${method}: ${outcome.code}, ${outcome.message}`);
        return outcome.result as ResultOf<M>;
      });
    }
    async function say(agentId: string, channelId: string, ...contents: readonly string[]) {
      const sends = contents.map((content) => ({ channelId, content }));
      return write(agentId, 'message.send', ...sends);
    }
    async function channel(
      owner: string,
      kind: 'public' | 'private' = 'private',
      ...members: readonly string[]
    ) {
      const channelId = uniqueId('found');
      await write(owner, 'channel.create', { channelId, name: 'Found', kind });
      for (const agentId of members) await write(owner, 'member.add', { channelId, agentId });
      return channelId;
    }
    async function feed(on = core) {
      for (;;) {
        const { isBehind, isMore, isLocked } = await on.feedSearch();
        if (!isBehind && !isMore && !isLocked) return;
      }
    }
    /**
     * Moves messages to another time. Their ids change too, because an id begins with the time. The messages must not
     * be indexed yet.
     */
    function moveInTime(
      channelId: string,
      byMs: number,
      ...sent: readonly (ResultOf<'message.send'> | undefined)[]
    ) {
      const statements = sent.flatMap((one) => {
        const { seq, messageId, timestamp } = one ?? { seq: 0, messageId: '', timestamp: 0 };
        const at = timestamp + byMs;
        const id = `${idsFrom(at)}${messageId.slice(13)}`;
        const row = `where channel_id = '${channelId}' and seq = ${seq}`;
        return [
          `update messages set id = '${id}' ${row}`,
          `update log set message_id = '${id}', envelope = replace(replace(envelope,
            '"timestamp":${timestamp}', '"timestamp":${at}'), '${messageId}', '${id}') ${row}`,
        ];
      });
      database.run(statements.join(';'));
    }
    function search(
      agent: string | Actor,
      query: string,
      more: Partial<ParamsInputOf<'message.search'>> = {},
    ) {
      const actor = typeof agent === 'string' ? { agentId: agent, isAdmin: false } : agent;
      const params = methods['message.search'].params.parse({ query, ...more });
      return core.read(actor, 'message.search', params);
    }
    async function hits(...[agent, query, more = {}]: Parameters<typeof search>) {
      const found: ResultOf<'message.search'>['hits'] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof search>> = await search(agent, query, {
          ...more,
          cursor,
        });
        if (!page.ok) throw new Error(page.code);
        expect(methods['message.search'].result.parse(page.result)).toEqual(page.result);
        found.push(...page.result.hits);
        cursor = page.result.nextCursor;
      } while (cursor !== null);
      return found;
    }
    const seqs = async (...args: Parameters<typeof search>) =>
      (await hits(...args)).map(({ seq }) => seq);
    const refusal = async (...args: Parameters<typeof search>) => {
      const answer = await search(...args);
      return answer.ok ? 'ok' : answer.code;
    };

    it('finds words without case and accents, phrases and prefixes, newest first', async () => {
      const ana = uniqueId('ana');
      const channelId = await channel(ana);
      const [first, second, third] = await say(
        ana,
        channelId,
        'Le déploiement a échoué: ＡＰＩ timeout_ms=500',
        'DEPLOIEMENT repris; l’API répond\nen 20 ms',
        'Ночной Όλος деплой ﬁle',
      );
      await feed();
      const both = [second?.seq, first?.seq];
      expect(await seqs(ana, 'deploiement')).toEqual(both);
      expect(await seqs(ana, 'DÉPLOIEMENT')).toEqual(both);
      expect(await seqs(ana, 'api ms')).toEqual(both);
      expect(await seqs(ana, 'deploy*')).toEqual([]);
      expect(await seqs(ana, 'deplo*')).toEqual(both);
      expect(await seqs(ana, 'deplo')).toEqual([]);
      expect(await seqs(ana, 'timeout_ms')).toEqual([first?.seq]);
      expect(await seqs(ana, '"api timeout"')).toEqual([first?.seq]);
      expect(await seqs(ana, '"timeout api"')).toEqual([]);
      expect(await seqs(ana, '“repond en 20” api')).toEqual([second?.seq]);
      expect(await seqs(ana, '500')).toEqual([first?.seq]);
      expect(await seqs(ana, 'НОЧНОЙ ολοσ file')).toEqual([third?.seq]);
      expect(await seqs(ana, 'deploiement missing')).toEqual([]);
      // The fault: in a text without spaces, a word was found only by a search for the whole sentence.
      const [fourth] = await say(ana, channelId, '東京のデプロイは完了しました');
      await feed();
      for (const query of [
        'デプロイ',
        '完了',
        '東',
        'プロイは完了',
        '東京のデプロイは完了しました',
      ])
        expect([query, await seqs(ana, query)]).toEqual([query, [fourth?.seq]]);
      for (const query of ['失敗', '京東', 'デプロイが'])
        expect([query, await seqs(ana, query)]).toEqual([query, []]);
      const [hit] = await hits(ana, 'échoué');
      expect(hit).toMatchObject({
        channelId,
        messageId: first?.messageId,
        senderId: ana,
        timestamp: first?.timestamp,
        threadId: null,
        snippet: 'Le déploiement a échoué: ＡＰＩ timeout_ms=500',
      });
    });

    it('covers only the caller’s channels, and a public one by its id', async () => {
      const [ana, ben, eve] = [uniqueId('ana'), uniqueId('ben'), uniqueId('eve')];
      const word = uniqueId('word').replace(/\W/g, '');
      const secret = await channel(ana, 'private', ben);
      const open = await channel(ana, 'public');
      await say(ana, secret, `${word} secret`);
      await say(ana, open, `${word} open`);
      const direct = { agentId: ben, content: `${word} direct` };
      const [sent] = await write(ana, 'direct.send', direct);
      await feed();
      const found = async (...args: Parameters<typeof search>) =>
        new Set((await hits(...args)).map(({ channelId }) => channelId));
      expect(await found(ana, word)).toEqual(new Set([secret, open, sent?.channelId]));
      expect(await found(ben, word)).toEqual(new Set([secret, sent?.channelId]));
      expect(await found(eve, word)).toEqual(new Set());
      expect(await found(eve, word, { channelId: open })).toEqual(new Set([open]));
      expect(await refusal(eve, word, { channelId: secret })).toBe('not_found');
      expect(await refusal(eve, word, { channelId: sent?.channelId ?? '' })).toBe('not_found');
      expect(await refusal(eve, word, { channelId: 'nothing' })).toBe('not_found');
      const bounded = { agentId: ana, isAdmin: false, channels: [open] };
      expect(await found(bounded, word)).toEqual(new Set([open]));
      expect(await refusal(bounded, word, { channelId: secret })).toBe('forbidden');
      expect(await found({ ...bounded, channels: [] }, word)).toEqual(new Set());
      const admin = { agentId: eve, isAdmin: true };
      expect(await found(admin, word)).toEqual(new Set());
      expect(await found(admin, word, { channelId: secret })).toEqual(new Set([secret]));
      // A removed member finds nothing, even before the next work on the index.
      await write(ana, 'member.remove', { channelId: secret, agentId: ben });
      expect(await found(ben, word)).toEqual(new Set([sent?.channelId]));
      await write(ana, 'channel.delete', { channelId: open });
      expect(await found(ana, word)).toEqual(new Set([secret, sent?.channelId]));
    });

    it('shows the present text of an edit alone, and a deleted message never', async () => {
      const ana = uniqueId('ana');
      const channelId = await channel(ana);
      const [one, two] = await say(ana, channelId, 'former alpha', 'other alpha');
      await feed();
      const ofOne = { channelId, messageId: one?.messageId ?? '' };
      const ofTwo = { channelId, messageId: two?.messageId ?? '' };
      await write(ana, 'message.edit', { ...ofOne, content: 'present alpha' });
      await write(ana, 'message.delete', ofTwo);
      // The index has not seen the edit yet.
      expect(await seqs(ana, 'former')).toEqual([]);
      expect(await seqs(ana, 'other')).toEqual([]);
      expect((await hits(ana, 'alpha')).map(({ snippet }) => snippet)).toEqual(['present alpha']);
      await feed();
      expect(await seqs(ana, 'present')).toEqual([one?.seq]);
      expect(await seqs(ana, 'former')).toEqual([]);
      expect(await seqs(ana, 'other')).toEqual([]);
      // If a message is edited before the index sees it, only its new text is indexed.
      const [three] = await say(ana, channelId, 'early');
      const ofThree = { channelId, messageId: three?.messageId ?? '' };
      await write(ana, 'message.edit', { ...ofThree, content: 'late' });
      await feed();
      expect(await seqs(ana, 'late')).toEqual([three?.seq]);
      expect(await seqs(ana, 'early')).toEqual([]);
    });

    it('removes the words of deleted messages from the index', async () => {
      const ana = uniqueId('ana');
      const channelId = await channel(ana);
      const word = uniqueId('purged').replace(/\W/g, '');
      const postings = () =>
        database.count(`select count(*) from search_postings where term = '${word}'`);
      const [sent] = await say(ana, channelId, `this is ${word}`);
      await feed();
      expect(postings()).toBe(1);
      await write(ana, 'message.delete', { channelId, messageId: sent?.messageId ?? '' });
      await feed();
      expect(postings()).toBe(0);
    });

    it('filters by sender and time, and answers the thread of a reply', async () => {
      const [ana, ben] = [uniqueId('ana'), uniqueId('ben')];
      const channelId = await channel(ana, 'private', ben);
      const [root] = await say(ana, channelId, 'beta root');
      const threadId = root?.messageId ?? '';
      const [reply] = await write(ben, 'message.send', {
        ...{ channelId, threadId },
        content: 'beta reply',
      });
      // The reply gets a later time, because both messages may be of the same millisecond.
      const late = (reply?.timestamp ?? 0) + 60_000;
      moveInTime(channelId, 60_000, reply);
      await feed();
      expect(await seqs(ana, 'beta')).toEqual([reply?.seq, root?.seq]);
      expect(await seqs(ana, 'beta', { senderId: ben })).toEqual([reply?.seq]);
      expect(await seqs(ana, 'beta', { senderId: 'nobody' })).toEqual([]);
      expect(await seqs(ana, 'beta', { before: late })).toEqual([root?.seq]);
      expect(await seqs(ana, 'beta', { after: root?.timestamp ?? 0 })).toEqual([reply?.seq]);
      expect(await seqs(ana, 'beta', { after: late })).toEqual([]);
      expect((await hits(ana, 'reply')).map((hit) => hit.threadId)).toEqual([threadId]);
    });

    // The fault: an index that was behind got messages of one channel before earlier messages of another channel. A
    // search by time then missed the earlier messages, or ended early.
    it('filters by time, in whatever order messages were indexed', async () => {
      const ana = uniqueId('ana');
      const [one, other] = [await channel(ana), await channel(ana)];
      const hourMs = 3_600_000;
      const [fresh] = await say(ana, one, 'kappa');
      const hourAgo = await say(ana, one, ...Array.from({ length: 51 }, () => 'kappa'));
      moveInTime(one, -hourMs, ...hourAgo);
      await feed();
      const [oldest] = await say(ana, other, 'kappa');
      moveInTime(other, -2 * hourMs, oldest);
      await feed();
      const found = async (time: { readonly after?: number; readonly before?: number }) =>
        (await hits(ana, 'kappa', { ...time, limit: 200 })).map(({ timestamp }) => timestamp);
      const nowMs = fresh?.timestamp ?? 0;
      expect(await found({ after: nowMs - hourMs / 2 })).toEqual([nowMs]);
      expect(await found({ after: nowMs - 1.5 * hourMs })).toHaveLength(52);
      expect(await found({ before: nowMs - hourMs / 2 })).toHaveLength(52);
      expect(await found({ before: nowMs - 1.5 * hourMs })).toEqual([
        (oldest?.timestamp ?? 0) - 2 * hourMs,
      ]);
    });

    it('pages through many segments, each hit once, in order', async () => {
      const ana = uniqueId('ana');
      const channelId = await channel(ana);
      const sent: number[] = [];
      for (let n = 0; n < overOneSegment; n += 300) {
        const texts = Array.from({ length: 300 }, (_, i) => `gamma number ${n + i}`);
        sent.push(...(await say(ana, channelId, ...texts)).map(({ seq }) => seq));
      }
      await feed();
      expect(await seqs(ana, 'gamma', { limit: 200 })).toEqual(sent.toReversed());
      expect(await seqs(ana, 'gamma "number 17"')).toEqual([sent[17]]);
      expect(await seqs(ana, 'num* 41*', { limit: 7 })).toEqual(
        sent.filter((_, n) => String(n).startsWith('41')).toReversed(),
      );
      // Every message has both words, but none has the phrase. So all pages are empty, and the search still ends.
      expect(await seqs(ana, '"number gamma"')).toEqual([]);
      const first = await search(ana, '"number gamma"');
      expect(first).toMatchObject({ ok: true, result: { hits: [] } });
      expect(first.ok && first.result.nextCursor).toMatch(/^s\d+$/);
      // A full segment has one row for each term.
      const parts = database.count(`select count(*) from (
        select segment, term from search_postings
        where segment < (select max(segment) from search_segments)
        group by segment, term having count(*) > 1) as several`);
      expect(parts).toBe(0);
    }, 60_000);

    it('costs a send nothing: the index changes only when it is fed, once on two hubs', async () => {
      const ana = uniqueId('ana');
      const channelId = await channel(ana);
      await feed();
      const tables = ['search_docs', 'search_postings', 'search_fed', 'search_segments'];
      const counts = () => [
        ...tables.map((table) => database.count(`select count(*) from ${table}`)),
        database.count('select part from search_feed'),
      ];
      const before = counts();
      const word = uniqueId('delta').replace(/\W/g, '');
      await say(ana, channelId, ...Array.from({ length: 50 }, () => word));
      expect(counts()).toEqual(before);
      const other = await database.open();
      try {
        await Promise.all([feed(), feed(other)]);
        await feed();
      } finally {
        await other.close();
      }
      const docs = `select count(*) from search_docs where channel_id = '${channelId}'`;
      expect(database.count(docs)).toBe(50);
      expect(await seqs(ana, word)).toHaveLength(50);
    });

    it('forgets trimmed messages', async () => {
      const ana = uniqueId('ana');
      const channelId = uniqueId('trimmed');
      await write(ana, 'channel.create', { channelId, name: 'Trimmed', maxMessages: 2 });
      const word = uniqueId('epsilon').replace(/\W/g, '');
      const sent = await say(
        ana,
        channelId,
        ...Array.from({ length: 5 }, (_, n) => `${word} ${n}`),
      );
      await feed();
      expect(await seqs(ana, word)).toHaveLength(5);
      database.run('update sweeps set due_at = 0');
      while ((await core.sweep()).isMore);
      const kept = sent.slice(3).map(({ seq }) => seq);
      expect(await seqs(ana, word)).toEqual(kept.toReversed());
      const docs = `select count(*) from search_docs where channel_id = '${channelId}'`;
      expect(database.count(docs)).toBe(2);
      await feed();
      expect(await seqs(ana, word)).toEqual(kept.toReversed());
    });

    it('forgets a deleted channel, and the texts of an erased agent', async () => {
      const [ana, ben] = [uniqueId('ana'), uniqueId('ben')];
      const gone = await channel(ana);
      const kept = await channel(ana, 'private', ben);
      const word = uniqueId('zeta').replace(/\W/g, '');
      await say(ana, gone, `${word} gone`);
      await say(ben, kept, `${word} of ben`);
      await say(ana, kept, `${word} of ana`);
      await feed();
      await write(ana, 'channel.delete', { channelId: gone });
      database.run(`update channels set deleted_at = 1 where id = '${gone}'`);
      while ((await core.sweep()).isMore);
      let place = eraseStart;
      const erasure = { agentId: ben, pseudonym: null, isDryRun: false };
      while (place.phase !== 'done') ({ place } = await core.eraseSome(erasure, place));
      const terms = `select count(*) from search_postings where term in ('ben', '@${ben}')`;
      expect(database.count(terms)).toBe(0);
      expect((await hits(ana, word)).map(({ snippet }) => snippet)).toEqual([`${word} of ana`]);
      await feed();
      const docs = `select count(*) from search_docs where channel_id = '${gone}'`;
      expect(database.count(docs)).toBe(0);
    });

    it('indexes what an older database holds, newest first, while new messages come', async () => {
      const ana = uniqueId('ana');
      const channelId = await channel(ana);
      const word = uniqueId('eta').replace(/\W/g, '');
      const old: { readonly seq: number }[] = [];
      for (let n = 0; n < 13; n += 1)
        old.push(...(await say(ana, channelId, ...Array.from({ length: 50 }, () => word))));
      // The state after the migration of a database with messages.
      database.run(`delete from search_docs`);
      database.run(`delete from search_postings`);
      database.run(`delete from search_segments`);
      database.run(`delete from search_fed`);
      database.run(`insert into search_fed (channel_id, seq)
        select channel_id, max(seq) from log group by channel_id`);
      database.run(`update search_feed set epoch = '', check_after = '', backfill_before = '~'`);
      const [fresh] = await say(ana, channelId, `${word} fresh`);
      await core.feedSearch();
      const some = await seqs(ana, word);
      expect(some[0]).toBe(fresh?.seq);
      expect(some.length).toBeGreaterThan(100);
      expect(some.length).toBeLessThan(651);
      await say(ana, channelId, 'another');
      await feed();
      expect(await seqs(ana, word)).toEqual([
        fresh?.seq,
        ...old.map(({ seq }) => seq).toReversed(),
      ]);
    });

    // The fault: while one channel was flooded, later channels were not indexed, and words of deleted messages stayed
    // in the index.
    it('indexes and sweeps other channels while one is flooded', async () => {
      const [ana, eve] = [uniqueId('ana'), uniqueId('eve')];
      const flooded = `0${uniqueId('flood')}`;
      await write(eve, 'channel.create', { channelId: flooded, name: 'Flood', kind: 'private' });
      const quiet = await channel(ana);
      const word = uniqueId('quiet').replace(/\W/g, '');
      const text = 'noise '.repeat(5_000);
      const postings = () =>
        database.count(`select count(*) from search_postings where term = '${word}'`);
      async function floodUntil(isDone: () => boolean): Promise<void> {
        for (let pieces = 0; !isDone(); pieces += 1) {
          if (pieces === 80) throw new Error('the flood kept the index from its other work');
          await say(eve, flooded, ...Array.from({ length: 10 }, () => text));
          expect(await core.feedSearch()).toMatchObject({ isBehind: true });
        }
      }
      await feed();
      await say(eve, flooded, ...Array.from({ length: 30 }, () => text));
      const [sent] = await say(ana, quiet, word);
      await floodUntil(() => postings() === 1);
      expect(await seqs(ana, word)).toEqual([sent?.seq]);
      // The mark moves past the flooded channel.
      const behind = `select count(*) from search_feed where mark like '%"behind":["${flooded}"]%'`;
      expect(database.count(behind)).toBe(1);
      await write(ana, 'message.delete', { channelId: quiet, messageId: sent?.messageId ?? '' });
      await floodUntil(() => postings() === 0);
      await feed();
      expect(await seqs(eve, 'noise', { channelId: flooded, limit: 200 })).toHaveLength(
        database.count(`select count(*) from messages where channel_id = '${flooded}'`),
      );
    }, 60_000);

    // Each edit queues its segment for another sweep, ahead of older segments.
    it('sweeps an old segment, however often the newest one is queued', async () => {
      const ana = uniqueId('ana');
      await say(ana, await channel(ana), 'newest');
      await feed();
      const word = uniqueId('old').replace(/\W/g, '');
      database.run(`insert into search_segments (segment, oldest_at, newest_at, work, work_after)
        values (1, 0, 0, 1, '')`);
      database.run(`insert into search_postings (segment, term, part, docs)
        select 1, '${word}', 0, docs from search_postings limit 1`);
      const isLeft = () =>
        database.count(`select count(*) from search_postings where term = '${word}'`) > 0;
      for (let pieces = 0; isLeft(); pieces += 1) {
        expect(pieces).toBeLessThan(400);
        database.run(`update search_segments set work = case when work_after = '' then 1 else 2 end
          where segment = (select max(segment) from search_segments)`);
        await core.feedSearch();
      }
      await feed();
    });

    // A restore may be on another server, whose marks are lower.
    it('continues after a restore', async () => {
      const ana = uniqueId('ana');
      const channelId = await channel(ana);
      await feed();
      database.run(`update search_feed set mark = '{"next":999999999999,"open":[]}'`);
      database.run(`update meta set value = 'restored' where name = 'epoch'`);
      const [sent] = await say(ana, channelId, 'theta');
      await feed();
      expect(await seqs(ana, 'theta')).toEqual([sent?.seq]);
      const [next] = await say(ana, channelId, 'theta again');
      await feed();
      expect(await seqs(ana, 'theta')).toEqual([next?.seq, sent?.seq]);
    });

    it('bounds a call of an agent in very many channels, and still finds all', async () => {
      const ana = uniqueId('ana');
      const ids = Array.from({ length: 320 }, () => uniqueId('many'));
      await write(
        ana,
        'channel.create',
        ...ids.map((channelId) => ({ channelId, name: 'Many', kind: 'private' as const })),
      );
      for (const channelId of [ids[0] ?? '', ids[319] ?? '']) await say(ana, channelId, 'iota');
      const eve = uniqueId('eve');
      const foreign = await channel(eve);
      for (let sent = 0; sent < 2_300; sent += 230)
        await say(eve, foreign, ...Array.from({ length: 230 }, () => 'iota'));
      await feed();
      // The fault: messages that the caller may not read did not count towards the limit of a call. So one call visited
      // many segments.
      const first = await search(ana, 'iota');
      const cursor = first.ok ? (first.result.nextCursor ?? '') : '';
      const visited = `select count(*) from search_docs where doc >= ${cursor.slice(1)}`;
      expect(database.count(visited)).toBeGreaterThan(400);
      expect(database.count(visited)).toBeLessThan(2_200);
      expect(await hits(ana, 'iota')).toHaveLength(2);
    }, 60_000);
  });
}
