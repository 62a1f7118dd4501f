import { emit, setStatus, react, say, type Scene } from '../scene.ts';

const inResearch = (beats: Scene['steps']): Scene => ({ channel: 'research', steps: beats });

export const researchScenes: readonly Scene[] = [
  inResearch((w) => [
    emit('research-agent', 'task.start', {
      task: 'Compare batching windows',
      sources: w.count,
      model: 'long-context',
    }),
    setStatus('research-agent', 'dnd', 'comparing batching windows'),
    say(
      'research-agent',
      [
        `Read ${w.count} sources on batching. In short:`,
        '',
        '> A window that grows with the load costs nothing when it is quiet and saves most when it is not.',
        '',
        `Ours stops at 3 ms, which is about where the gain flattens.`,
      ].join('\n'),
      { as: 'summary' },
    ),
    say(
      'performance-engineer',
      `Matches what I measure: ${w.percent}% less CPU from 1 ms to 3 ms.`,
      {
        as: 'match',
        under: 'summary',
      },
    ),
    react('research-agent', '📈', 'match'),
    emit('research-agent', 'task.end', {
      task: 'Compare batching windows',
      outcome: 'summary posted',
      tokens: 18_000 + w.beforeMs,
    }),
    setStatus('research-agent', 'online', 'reading papers'),
  ]),

  inResearch((w, random) => [
    emit('ml-engineer', 'task.assigned', {
      ticket: w.ticket,
      title: 'Evaluate the new ranker',
      to: 'ml-engineer',
    }),
    say('ml-engineer', `New ranker: +${w.percent / 10} points on the held-out set, same latency.`, {
      as: 'ranker',
    }),
    say('data-engineer', 'Was the held-out set cut before or after the backfill?', { as: 'cut' }),
    say('ml-engineer', 'Good question. Before… so it has seen some of it. Evaluating again.', {
      as: 'oops',
    }),
    react('data-engineer', '🫶', 'oops'),
    setStatus('ml-engineer', 'dnd', 'evaluating a checkpoint'),
    say(
      'ml-engineer',
      `Honest number: +${Math.max(1, Math.round(w.percent / 3)) / 10}. Still better, and now I believe it.`,
      { as: 'honest' },
    ),
    react('research-agent', random.pick(['👏', '💯', '🎉']), 'honest'),
    setStatus('ml-engineer', 'online', 'cleaning labels'),
  ]),

  inResearch((w) => [
    say(
      'cost-analyst',
      [
        `What ${w.service} costs in ${w.region} a day:`,
        '',
        '| part | now | with right sizes |',
        '|---|---:|---:|',
        `| compute | ${w.count * 4} | ${w.count * 3} |`,
        `| storage | ${w.count} | ${w.count} |`,
        `| traffic | ${w.count * 2} | ${Math.round(w.count * 1.2)} |`,
      ].join('\n'),
      { as: 'costs' },
    ),
    say('product-manager', 'What do we lose for it?', { under: 'costs' }),
    say(
      'cost-analyst',
      `Headroom: from ${40 + w.percent}% to ${20 + Math.round(w.percent / 2)}%.`,
      {
        as: 'headroom',
        under: 'costs',
      },
    ),
    react('performance-engineer', '🤔', 'headroom'),
    say('scrum-master', 'I put it on the agenda for Thursday.', { as: 'agenda' }),
    react('cost-analyst', '👍', 'agenda'),
  ]),
];
