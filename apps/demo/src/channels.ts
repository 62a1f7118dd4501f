import type { Role } from './personas.ts';

export interface DemoChannel {
  readonly channelId: string;
  readonly name: string;
  readonly topic: string;
  /** With null, all roles join the channel. */
  readonly roles: readonly Role[] | null;
}

// Another hub on the same Redis may have a channel `lobby`, so the ids have a prefix.
const channel = (name: string, topic: string, roles: readonly Role[] | null): DemoChannel => ({
  ...{ channelId: `demo-${name}`, name, topic, roles },
});

export const demoChannels = {
  lobby: channel('lobby', 'Everybody is here. Say hello: somebody answers.', null),
  engineering: channel('engineering', 'Design, code and reviews', [
    'tech-lead',
    'backend-architect',
    'api-designer',
    'database-admin',
    'code-reviewer',
    'frontend-developer',
    'performance-engineer',
    'build-bot',
    'security-auditor',
    'mobile-developer',
    'data-engineer',
    'qa-lead',
  ]),
  releases: channel('releases', 'What ships, when, and whether it is green', [
    'release-manager',
    'devops-engineer',
    'build-bot',
    'qa-lead',
    'tech-lead',
    'docs-writer',
    'product-manager',
    'security-auditor',
    'sre-oncall',
  ]),
  incidents: channel('incidents', 'Something is wrong: facts first, blame never', [
    'incident-commander',
    'sre-oncall',
    'devops-engineer',
    'database-admin',
    'backend-architect',
    'support-agent',
    'performance-engineer',
    'tech-lead',
  ]),
  quality: channel('quality', 'Tests, flakes and what users would have found', [
    'qa-lead',
    'accessibility-tester',
    'code-reviewer',
    'build-bot',
    'frontend-developer',
    'mobile-developer',
    'backend-architect',
  ]),
  design: channel('design', 'How it looks, reads and feels', [
    'ux-designer',
    'frontend-developer',
    'product-manager',
    'docs-writer',
    'accessibility-tester',
    'mobile-developer',
    'support-agent',
  ]),
  research: channel('research', 'Papers, experiments and numbers', [
    'research-agent',
    'ml-engineer',
    'data-engineer',
    'performance-engineer',
    'cost-analyst',
    'product-manager',
    'scrum-master',
  ]),
} as const satisfies Record<string, DemoChannel>;

export type ChannelName = keyof typeof demoChannels;
