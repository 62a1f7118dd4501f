import type { Role } from './personas.ts';
import type { Randomness } from './randomness.ts';

export interface Reply {
  readonly role: Role;
  readonly emoji: string;
  readonly text: string;
}

interface Topic {
  readonly when: RegExp;
  readonly role: Role;
  readonly emoji: string;
  readonly texts: readonly string[];
}

// The first match wins, so broad topics come last.
const topics: readonly Topic[] = [
  {
    when: /\b(thanks?|thank you|thx|merci|danke)\b/i,
    role: 'support-agent',
    emoji: '❤️',
    texts: ['Any time. We are here around the clock.', 'Glad it helped!'],
  },
  {
    when: /\b(hi|hello|hey|hallo|moin|salut|hola|good (morning|evening))\b/i,
    role: 'tech-lead',
    emoji: '👋',
    texts: [
      'Hello, good to have you here! Ask anything, or mention one of us: `@backend-architect`, say.',
      'Hey! We were just at it. Look into #engineering, there is always a review going on.',
    ],
  },
  {
    when: /\b(help|how do|how does|what can|who are)\b/i,
    role: 'support-agent',
    emoji: '🙋',
    texts: [
      'Happy to help. Three things to try:\n\n1. react to a message, or open its thread\n2. mention somebody with `@`\n3. write one of us directly: we answer there too',
      'We are a simulated team, and everything here is live: messages, typing, presence, threads. Kill the hub and start it again: nothing that was sent is lost.',
    ],
  },
  {
    when: /```/,
    role: 'code-reviewer',
    emoji: '🔍',
    texts: [
      'Reads well. One question: what happens when that is called twice at once?',
      'Nice. I would return early and save a level:\n\n```ts\nif (!found) return null;\n```',
    ],
  },
  {
    when: /\b(deploy|release|ship|version|rollback|canary)\b/i,
    role: 'release-manager',
    emoji: '📦',
    texts: [
      'The next one goes out when main is green, which it is. Want your change in it?',
      'Nothing is on its way right now. The canary of this morning is at 100%.',
    ],
  },
  {
    when: /\b(build|ci|tests?|flaky|green|red)\b/i,
    role: 'qa-lead',
    emoji: '🧪',
    texts: [
      'main is green. The last flake was a test that slept instead of waiting.',
      'Tell me which one, and I run it a hundred times.',
    ],
  },
  {
    when: /\b(down|outage|incident|broken|error|fail(s|ed|ing)?|crash)\b/i,
    role: 'sre-oncall',
    emoji: '🚨',
    texts: [
      'Looking. Error rate is flat here; where do you see it?',
      'Noted. Since when, and for everybody? I open an incident if it is more than one.',
    ],
  },
  {
    when: /\b(slow|fast|latency|performance|p99|cpu|memory)\b/i,
    role: 'performance-engineer',
    emoji: '⚡',
    texts: [
      'The operations view shows it live: deliveries a second and their percentiles.',
      'I measure before I guess. Give me a minute with the profiler.',
    ],
  },
  {
    when: /\b(design|colou?r|layout|ui|ux|dark|theme|font)\b/i,
    role: 'ux-designer',
    emoji: '🎨',
    texts: [
      'I like where that goes. Could it be one line shorter?',
      'Try it in the dark theme too: that is where such things show.',
    ],
  },
  {
    when: /\b(database|sql|query|postgres|sqlite|redis|data)\b/i,
    role: 'database-admin',
    emoji: '🐘',
    texts: [
      'Everything you read here is a row first: the database decides, Redis only carries.',
      'Show me the plan of that query and I tell you the index.',
    ],
  },
  {
    when: /\b(security|token|password|secret|auth)\b/i,
    role: 'security-auditor',
    emoji: '🔐',
    texts: [
      'Never in a URL, never in a log. Here everybody is who they say, because it is a demo on your own machine.',
      'Good that you ask. The token bounds what its bearer may see, and it can be revoked within a second.',
    ],
  },
  {
    when: /\?/,
    role: 'product-manager',
    emoji: '🤔',
    texts: [
      'Good question. My first guess is yes, but let me look it up.',
      'Depends on who asks. What would you expect?',
      'I would say so. Anyone against?',
    ],
  },
  {
    when: /(?:)/,
    role: 'scrum-master',
    emoji: '👀',
    texts: [
      'Got it. I put it on the board.',
      'Interesting! Say a little more?',
      'Noted, thank you. Somebody picks it up today.',
      'That makes sense to me.',
    ],
  },
];

const seconds: readonly { readonly role: Role; readonly text: string }[] = [
  { role: 'backend-architect', text: 'What they said. And it is an afternoon of work at most.' },
  { role: 'docs-writer', text: 'I write that down, others will ask too.' },
  { role: 'frontend-developer', text: 'I can take it if nobody else does.' },
  { role: 'research-agent', text: 'I read something about this lately, let me find it.' },
];

export function chooseReply(content: string, random: Randomness): Reply {
  // The last topic matches every text.
  const topic = topics.find(({ when }) => when.test(content)) as Topic;
  return { role: topic.role, emoji: topic.emoji, text: random.pick(topic.texts) };
}

export function chooseSecond(random: Randomness): { readonly role: Role; readonly text: string } {
  return random.pick(seconds);
}

export const directWelcome = [
  'Welcome! 👋 This is a demo: some two dozen agents at work, and you among them.',
  '',
  '- say something in **#lobby**: somebody answers within seconds',
  '- mention one of us with `@`, or answer right here',
  '- open a thread, react, edit what you wrote',
  '- the **operations** view shows what the hub does meanwhile',
].join('\n');

export const welcomes: readonly string[] = [
  'Welcome, {name}! Make yourself at home.',
  'Good to see you, {name}. We do not bite.',
  '{name} is here! Everyone, say hello.',
];
