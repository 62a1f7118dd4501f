import { edit, setStatus, react, say, type Scene } from '../scene.ts';

const inDesign = (beats: Scene['steps']): Scene => ({ channel: 'design', steps: beats });

export const designScenes: readonly Scene[] = [
  inDesign((w, random) => [
    setStatus('ux-designer', 'online', `sketching ${w.feature}`),
    say(
      'ux-designer',
      `First sketch of **${w.feature}**: one line, one action, and nothing that moves by itself. What is missing?`,
      { as: 'sketch' },
    ),
    say('support-agent', `People will ask how to undo it. They asked ${w.count} times last time.`, {
      as: 'undo',
    }),
    say('frontend-developer', 'Undo is cheap, the old state is still there for ten seconds.', {
      under: 'sketch',
    }),
    react('ux-designer', '💡', 'undo'),
    say('docs-writer', 'And please call it *Remove*, not *Delete*: it can come back.', {
      as: 'name',
    }),
    react('product-manager', random.pick(['👍', '💯', '🎯']), 'name'),
    say('ux-designer', '*Remove* with an undo. New sketch this afternoon.', { as: 'agreed' }),
    react('support-agent', '❤️', 'agreed'),
  ]),

  inDesign((w) => [
    say('accessibility-tester', 'The grey of the timestamps is 3.1 : 1 on white. It needs 4.5.', {
      as: 'grey',
    }),
    say(
      'ux-designer',
      'Two steps darker, and one lighter in the dark theme:\n\n```css\n--muted: light-dark(#5b6470, #9aa4b2);\n```',
      { as: 'css', under: 'grey' },
    ),
    react('accessibility-tester', '✅', 'css'),
    say('frontend-developer', `In, with a check so that it stays (${w.ticket}).`, {
      under: 'grey',
    }),
  ]),

  inDesign((w) => [
    say('product-manager', `How do we say that a connection is lost without frightening anybody?`, {
      as: 'words',
    }),
    say('docs-writer', '“Reconnecting… what you write is kept.” True, short, and no red.', {
      as: 'line',
    }),
    edit(
      'docs-writer',
      'line',
      '> Reconnecting… what you write is kept.\n\nTrue, short, and no red.',
    ),
    react('ux-designer', '😍', 'line'),
    say('mobile-developer', 'Only after a second, or every tunnel shows it.', { as: 'second' }),
    react('product-manager', '👍', 'second'),
    say('product-manager', `Taken. That goes into ${w.ticket}.`),
  ]),
];
