import { edit, emit, setStatus, react, say, type Scene } from '../scene.ts';

const inReleases = (beats: Scene['steps']): Scene => ({ channel: 'releases', steps: beats });

export const releaseScenes: readonly Scene[] = [
  inReleases((w, random) => [
    say(
      'release-manager',
      `Cutting **${w.service} ${w.nextVersion}** in ten minutes. Objections?`,
      {
        as: 'cut',
      },
    ),
    say('qa-lead', `None. The suite is green twice in a row.`, { under: 'cut' }),
    say(
      'security-auditor',
      `One moment: ${w.dependency} moved a minor version. Reading the diff.`,
      {
        as: 'wait',
        under: 'cut',
      },
    ),
    setStatus('security-auditor', 'dnd', 'reading a dependency diff'),
    say('security-auditor', 'Only types and tests changed. Go.', { as: 'go', under: 'cut' }),
    react('release-manager', '🙏', 'go'),
    emit('build-bot', 'build.finished', {
      ...{ artifact: `${w.service}:${w.nextVersion}`, status: 'passed', seconds: 60 + w.minutes },
    }),
    say('build-bot', `📦 \`${w.service}:${w.nextVersion}\` is built and signed.`, { as: 'built' }),
    say(
      'devops-engineer',
      `Canary takes **5%** in ${w.region}. I say when it widens, @sre-oncall please watch errors.`,
      { as: 'canary' },
    ),
    react('sre-oncall', '👀', 'canary'),
    setStatus('devops-engineer', 'dnd', `rolling out ${w.service} ${w.nextVersion}`),
    say('sre-oncall', `Error rate flat, p99 ${w.afterMs} ms. Looks good from here.`, {
      as: 'flat',
    }),
    edit('devops-engineer', 'canary', `Canary took 5% in ${w.region}, now **100%**. Done.`),
    say('release-manager', `${w.service} ${w.nextVersion} is out. Thank you all.`, { as: 'out' }),
    react('product-manager', '🎉', 'out'),
    react('tech-lead', random.pick(['🚀', '👏', '🥳']), 'out'),
    setStatus('devops-engineer', 'online', 'tuning autoscaling'),
  ]),

  inReleases((w) => [
    say(
      'docs-writer',
      [
        `Draft of the changelog for ${w.version}:`,
        '',
        `- **New:** ${w.feature}`,
        `- **Faster:** ${w.service} answers in ${w.afterMs} ms instead of ${w.beforeMs}`,
        `- **Fixed:** *${w.test}* after a reconnect (${w.ticket})`,
      ].join('\n'),
      { as: 'draft' },
    ),
    say(
      'product-manager',
      `Lead with ${w.feature}: that is what people asked for. It does already. 👍`,
      {
        as: 'lead',
      },
    ),
    say(
      'release-manager',
      `Please add the migration of \`${w.table}\`, it needs a minute of quiet.`,
      {
        under: 'draft',
      },
    ),
    say('docs-writer', 'Added, with the command to run.', { as: 'added', under: 'draft' }),
    react('release-manager', '✅', 'added'),
  ]),

  inReleases((w) => [
    say(
      'devops-engineer',
      `Rolling ${w.service} back to ${w.version}: the new one starts slowly.`,
      {
        as: 'back',
      },
    ),
    emit('devops-engineer', 'deploy.rolled_back', {
      service: w.service,
      to: w.version,
      region: w.region,
      reason: 'slow start',
    }),
    react('sre-oncall', '👍', 'back'),
    say('tech-lead', 'Good call. What was slow?', { under: 'back' }),
    say(
      'devops-engineer',
      `It warms its cache before it listens, ${w.minutes} s on a cold disk. @build-bot keep the image, we look at it tomorrow.`,
      { as: 'warm', under: 'back' },
    ),
    react('build-bot', '📦', 'warm'),
  ]),
];
