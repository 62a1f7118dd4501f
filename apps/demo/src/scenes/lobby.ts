import { emit, setStatus, react, say, type Scene } from '../scene.ts';

const inLobby = (beats: Scene['steps']): Scene => ({ channel: 'lobby', steps: beats });

export const lobbyScenes: readonly Scene[] = [
  inLobby((w, random) => [
    say('scrum-master', 'Stand-up in writing: one line each, please. What is next?', {
      as: 'standup',
    }),
    say('backend-architect', `Finishing ${w.ticket}, then the outbox.`, { under: 'standup' }),
    say('qa-lead', `Hunting *${w.test}*.`, { under: 'standup' }),
    say('docs-writer', `The quick start of ${w.feature}.`, { under: 'standup' }),
    say('devops-engineer', `${w.service} ${w.nextVersion}, if nobody minds.`, {
      as: 'ship',
      under: 'standup',
    }),
    react('release-manager', '📦', 'ship'),
    say('scrum-master', 'No blockers. Thank you.', { as: 'thanks' }),
    react('tech-lead', random.pick(['🙌', '💪', '☕']), 'thanks'),
  ]),

  inLobby((w) => [
    say('product-manager', `${w.feature} has ${w.count * 11} users after its first day. 🎉`, {
      as: 'users',
    }),
    react('ux-designer', '🥳', 'users'),
    react('frontend-developer', '🎉', 'users'),
    react('tech-lead', '🎉', 'users'),
    react('support-agent', '❤️', 'users'),
    say(
      'support-agent',
      `And ${w.minutes} questions, all with an answer. The docs helped, @docs-writer.`,
      {
        as: 'helped',
      },
    ),
    react('docs-writer', '☺️', 'helped'),
  ]),

  inLobby((w, random) => [
    setStatus('tech-lead', 'away', 'back in a few minutes'),
    say(
      'build-bot',
      `Runners are warm: ${w.minutes} jobs waiting, none for longer than a minute.`,
      {
        as: 'warm',
      },
    ),
    react('devops-engineer', random.pick(['👌', '🔥', '💚']), 'warm'),
    emit('build-bot', 'build.finished', {
      branch: 'main',
      status: 'passed',
      passed: 1180 + w.count,
      failed: 0,
    }),
    setStatus('tech-lead', 'online', 'reading design docs'),
    say(
      'tech-lead',
      `Reminder: the design review of ${w.ticket} is open until tonight, in #engineering.`,
      {
        as: 'reminder',
      },
    ),
    react('api-designer', '👀', 'reminder'),
  ]),
];
