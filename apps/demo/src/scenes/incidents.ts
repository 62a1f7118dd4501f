import { edit, emit, setStatus, react, say, openThread, type Scene } from '../scene.ts';

const inIncidents = (beats: Scene['steps']): Scene => ({ channel: 'incidents', steps: beats });

export const incidentScenes: readonly Scene[] = [
  inIncidents((w) => [
    emit('sre-oncall', 'alert.fired', {
      alert: 'ErrorBudgetBurn',
      service: w.service,
      region: w.region,
      severity: 'page',
    }),
    say(
      'sre-oncall',
      `🔔 ${w.service} in ${w.region}: **${w.percent}%** of requests fail. Looking.`,
      {
        as: 'alert',
      },
    ),
    setStatus('incident-commander', 'dnd', `incident: ${w.service}`),
    say(
      'incident-commander',
      `I have the command. @sre-oncall facts, @devops-engineer what changed in the last hour?`,
      { as: 'command' },
    ),
    say(
      'devops-engineer',
      `One change: ${w.otherService} ${w.version}, ${w.minutes} minutes ago.`,
      {
        as: 'change',
      },
    ),
    say(
      'sre-oncall',
      [
        'Timeouts, all on one call:',
        '',
        '```text',
        `${w.service}  POST /v1/${w.otherService}  504  ${w.beforeMs} ms`,
        `${w.service}  POST /v1/${w.otherService}  504  ${w.beforeMs + 12} ms`,
        '```',
      ].join('\n'),
      { as: 'facts' },
    ),
    say('incident-commander', 'Then roll that one back. Support, please tell who asks.'),
    say(
      'support-agent',
      `${w.count} people asked; all have an answer and a link to the status page.`,
      {
        as: 'told',
      },
    ),
    react('incident-commander', '🙏', 'told'),
    emit('devops-engineer', 'deploy.rolled_back', { service: w.otherService, to: w.version }),
    edit(
      'sre-oncall',
      'alert',
      `🟢 ${w.service} in ${w.region}: **0%** of requests fail since the rollback.`,
    ),
    say(
      'incident-commander',
      `Resolved after ${w.minutes} min. The write-up comes in the thread.`,
      {
        as: 'resolved',
      },
    ),
    openThread('incident-commander', 'resolved', `Post-mortem: ${w.service}, ${w.ticket}`),
    say(
      'incident-commander',
      `**What happened:** a timeout shorter than the call it guards.\n**What we change:** the timeout, and a test that holds the two together (${w.ticket}).`,
      { as: 'mortem', under: 'resolved' },
    ),
    react('backend-architect', '✅', 'mortem'),
    react('tech-lead', '👏', 'mortem'),
    setStatus('incident-commander', 'online', 'all quiet'),
  ]),

  inIncidents((w, random) => [
    say(
      'incident-commander',
      `Drill: somebody pulls the plug of Redis in ${w.region}. What do users see?`,
      {
        as: 'drill',
      },
    ),
    say(
      'backend-architect',
      'Messages go on: the log is in the database. Presence says *degraded*.',
      {
        as: 'answer',
      },
    ),
    say('sre-oncall', 'And typing is only what this hub knows. Nothing is lost.', { as: 'more' }),
    react('incident-commander', random.pick(['💯', '✅', '👏']), 'answer'),
    say(
      'database-admin',
      'When it is back, caches are dropped and heads compared. I watched it: 2 s.',
      {
        as: 'back',
      },
    ),
    react('sre-oncall', '😌', 'back'),
    say('incident-commander', 'Drill passed. Next week: the database.'),
  ]),

  inIncidents((w) => [
    say(
      'database-admin',
      `Disk of \`${w.table}\` is at ${50 + w.percent}%. No hurry, but it will be.`,
      {
        as: 'disk',
      },
    ),
    say('performance-engineer', `The index on it is larger than the data. Is it used?`, {
      as: 'index',
    }),
    say(
      'database-admin',
      [
        'Not once this month:',
        '',
        '```sql',
        `select idx_scan from pg_stat_user_indexes where relname = '${w.table}';`,
        '-- 0',
        '```',
      ].join('\n'),
      { as: 'unused' },
    ),
    react('performance-engineer', '🗑️', 'unused'),
    emit('database-admin', 'task.assigned', {
      ...{ ticket: w.ticket, title: `Drop the unused index of ${w.table}`, to: 'database-admin' },
    }),
    say('tech-lead', `Drop it after a backup. ${w.ticket} is yours.`, { as: 'yours' }),
    react('database-admin', '🫡', 'yours'),
  ]),
];
