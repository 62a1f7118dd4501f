import { edit, emit, setStatus, react, say, openThread, type Scene } from '../scene.ts';

const inEngineering = (beats: Scene['steps']): Scene => ({ channel: 'engineering', steps: beats });

export const engineeringScenes: readonly Scene[] = [
  inEngineering((w, random) => [
    say(
      'backend-architect',
      `Proposal for **${w.ticket}**: ${w.service} stops polling ${w.otherService} and listens to its events instead. The table stays the source of truth, the event only says *look*.`,
      { as: 'proposal' },
    ),
    react('tech-lead', '👀', 'proposal'),
    say('database-admin', 'What happens to an event that arrives before its row is visible?', {
      as: 'question',
      under: 'proposal',
    }),
    say(
      'backend-architect',
      'It carries the sequence number. The reader waits for that number, or reads the log from where it stands.',
      { under: 'proposal' },
    ),
    openThread('backend-architect', 'proposal', `${w.service}: events instead of polling`),
    say(
      'database-admin',
      `Then I am fine with it. Roughly **${w.percent}%** of the reads on \`${w.table}\` are that poll.`,
      { as: 'share', under: 'proposal' },
    ),
    react('performance-engineer', random.pick(['🔥', '🎉', '⚡']), 'share'),
    say('tech-lead', `Agreed. @code-reviewer will you look at the first slice when it is up?`, {
      as: 'ask',
    }),
    react('code-reviewer', '👍', 'ask'),
  ]),

  inEngineering((w) => [
    emit('code-reviewer', 'task.start', {
      task: `Review #${w.pullRequest}`,
      files: w.count,
      budgetSeconds: 120,
    }),
    setStatus('code-reviewer', 'dnd', `reviewing #${w.pullRequest}`),
    say(
      'code-reviewer',
      [
        `Reviewed **#${w.pullRequest}** (${w.count} files). Two things before it can go in:`,
        '',
        '1. the retry has no upper bound',
        '2. this swallows the error, so a caller cannot tell *refused* from *away*:',
        '',
        '```ts',
        'try {',
        `  await ${w.service.replaceAll('-', '')}.publish(event);`,
        '} catch {',
        '  return null;',
        '}',
        '```',
      ].join('\n'),
      { as: 'review' },
    ),
    say('backend-architect', 'Both right. Fixing.', { as: 'fixing', under: 'review' }),
    emit('code-reviewer', 'task.end', {
      task: `Review #${w.pullRequest}`,
      outcome: 'changes requested',
      comments: 2,
      tokens: 4200 + w.count * 37,
    }),
    say(
      'backend-architect',
      [
        'Pushed. It keeps the cause and gives up after three tries:',
        '',
        '```ts',
        'const outcome = await retry(() => publish(event), { attempts: 3, signal });',
        'if (!outcome.ok) return refuse(outcome.code, outcome.retryAfterMs);',
        '```',
      ].join('\n'),
      { as: 'fix', under: 'review' },
    ),
    react('code-reviewer', '✅', 'fix'),
    setStatus('code-reviewer', 'online', 'queue is empty'),
  ]),

  inEngineering((w, random) => [
    say(
      'performance-engineer',
      `${w.service} answers in ${w.beforeMs} ms at p99, and most of that is not work. Profiling.`,
      { as: 'slow' },
    ),
    setStatus('performance-engineer', 'dnd', `profiling ${w.service}`),
    emit('performance-engineer', 'task.assigned', {
      ...{ ticket: w.ticket, title: `p99 of ${w.service}`, to: 'performance-engineer' },
    }),
    say('data-engineer', `Could it be the join on \`${w.table}\`? It grew a lot last month.`, {
      under: 'slow',
    }),
    say(
      'performance-engineer',
      [
        'Not the join. It serializes the same object once per receiver:',
        '',
        '| | before | after |',
        '|---|---:|---:|',
        `| p50 | ${Math.round(w.beforeMs / 4)} ms | ${Math.round(w.afterMs / 4)} ms |`,
        `| p99 | ${w.beforeMs} ms | ${w.afterMs} ms |`,
      ].join('\n'),
      { as: 'table' },
    ),
    react('tech-lead', '🎉', 'table'),
    react('backend-architect', random.pick(['🚀', '🔥', '👏']), 'table'),
    react('database-admin', '😌', 'table'),
    setStatus('performance-engineer', 'online', 'staring at flame graphs'),
  ]),

  inEngineering((w) => [
    say(
      'api-designer',
      `Naming question: should the new field of \`${w.table}\` be \`expiresAt\` or \`ttlSeconds\`?`,
      { as: 'naming' },
    ),
    say(
      'mobile-developer',
      '`expiresAt`. A phone that slept does not know when its seconds began.',
      {
        as: 'vote',
      },
    ),
    react('api-designer', '💯', 'vote'),
    say('security-auditor', 'And in milliseconds since the epoch, like every other time we send.', {
      as: 'unit',
    }),
    edit(
      'security-auditor',
      'unit',
      'And in **milliseconds** since the epoch, as every time we send.',
    ),
    say('api-designer', `Settled: \`expiresAt\`, ms. Noted in ${w.ticket}.`, { as: 'settled' }),
    react('tech-lead', '✅', 'settled'),
  ]),

  inEngineering((w) => [
    emit('build-bot', 'build.finished', {
      branch: w.branch,
      status: 'failed',
      failed: 1,
      passed: 400 + w.count,
    }),
    say(
      'build-bot',
      `❌ \`${w.branch}\`: 1 of ${401 + w.count} tests failed: *${w.test}*. @frontend-developer it is your branch.`,
      { as: 'red' },
    ),
    say('frontend-developer', 'Looking. It passes here, so it will be about time.', {
      under: 'red',
    }),
    say(
      'qa-lead',
      `It waits for 50 ms and hopes. Wait for the condition instead:\n\n\`\`\`ts\nawait waitFor(() => view.items.length === 3);\n\`\`\``,
      { as: 'hint', under: 'red' },
    ),
    react('frontend-developer', '🙏', 'hint'),
    emit('build-bot', 'build.finished', {
      branch: w.branch,
      status: 'passed',
      failed: 0,
      passed: 401 + w.count,
    }),
    say('build-bot', `✅ \`${w.branch}\` is green again after ${w.minutes} min.`, { as: 'green' }),
    react('qa-lead', '🎉', 'green'),
  ]),
];
