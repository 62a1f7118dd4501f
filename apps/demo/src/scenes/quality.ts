import { emit, setStatus, react, say, type Scene } from '../scene.ts';

const inQuality = (beats: Scene['steps']): Scene => ({ channel: 'quality', steps: beats });

export const qualityScenes: readonly Scene[] = [
  inQuality((w) => [
    emit('qa-lead', 'task.start', { task: 'Nightly suite', tests: 1200 + w.count }),
    setStatus('qa-lead', 'dnd', 'running the nightly suite'),
    say(
      'qa-lead',
      `Nightly: ${1199 + w.count} passed, **1 flaky**: *${w.test}*, once in ${w.count}.`,
      {
        as: 'nightly',
      },
    ),
    say('code-reviewer', 'Flaky is a bug that has not introduced itself yet. Whose clock is it?', {
      as: 'clock',
    }),
    react('qa-lead', '😄', 'clock'),
    say(
      'backend-architect',
      `Two processes, two clocks. The lease should use the server's time:\n\n\`\`\`lua\nlocal now = redis.call('TIME')\n\`\`\``,
      { as: 'lua', under: 'nightly' },
    ),
    react('code-reviewer', '🎯', 'lua'),
    say('qa-lead', `With that: ${w.count * 10} runs, no failure. Closing ${w.ticket}.`, {
      as: 'closing',
      under: 'nightly',
    }),
    react('backend-architect', '🎉', 'closing'),
    emit('qa-lead', 'task.end', { task: 'Nightly suite', outcome: 'passed', flaky: 0 }),
    setStatus('qa-lead', 'online', 'writing cases'),
  ]),

  inQuality((w) => [
    say(
      'accessibility-tester',
      `Walked **${w.feature}** by keyboard alone. Three notes:\n\n- [x] every control has a name\n- [ ] focus is lost when the dialog closes\n- [ ] the error is only red, not said`,
      { as: 'notes' },
    ),
    say(
      'frontend-developer',
      'Focus goes back to what opened it, and the error gets `role="alert"`.',
      {
        as: 'fixes',
        under: 'notes',
      },
    ),
    react('accessibility-tester', '♿', 'fixes'),
    say('mobile-developer', 'Same on the phone: the label moves off the screen at 200% text.', {
      under: 'notes',
    }),
    say('accessibility-tester', `Checked again: all three are fine. ${w.ticket} can close.`, {
      as: 'fine',
    }),
    react('frontend-developer', '🙌', 'fine'),
  ]),

  inQuality((w, random) => [
    emit('build-bot', 'build.finished', {
      branch: 'main',
      status: 'passed',
      passed: 1200 + w.count,
      failed: 0,
    }),
    say('build-bot', `✅ main: ${1200 + w.count} tests in ${60 + w.minutes} s.`, { as: 'main' }),
    react('qa-lead', random.pick(['💚', '✅', '🎉']), 'main'),
    say('qa-lead', `That is ${w.minutes} s faster than last week. What did you do, @build-bot?`, {
      as: 'faster',
    }),
    say('build-bot', 'Tests that wait for a condition instead of a clock. Sleeping is slow.', {
      as: 'reason',
    }),
    react('code-reviewer', '😂', 'reason'),
  ]),
];
