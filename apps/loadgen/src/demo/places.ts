import type { Role } from './cast.ts';

/** A channel of the demo. */
export interface Place {
  readonly channelId: string;
  readonly name: string;
  readonly topic: string;
  /** Who is in it; null for everybody. */
  readonly roles: readonly Role[] | null;
}

// The ids stand apart: another hub on the same Redis may well have a channel "lobby".
const place = (name: string, topic: string, roles: readonly Role[] | null): Place => ({
  ...{ channelId: `demo-${name}`, name, topic, roles },
});

/** The channels of the demo, the one for newcomers first. */
export const places = {
  lobby: place('lobby', 'Everybody is here. Say hello: somebody answers.', null),
  engineering: place('engineering', 'Design, code and reviews', [
    ...(['tech-lead', 'backend-architect', 'api-designer', 'database-admin'] as const),
    ...(['code-reviewer', 'frontend-developer', 'performance-engineer', 'build-bot'] as const),
    ...(['security-auditor', 'mobile-developer', 'data-engineer', 'qa-lead'] as const),
  ]),
  releases: place('releases', 'What ships, when, and whether it is green', [
    ...(['release-manager', 'devops-engineer', 'build-bot', 'qa-lead', 'tech-lead'] as const),
    ...(['docs-writer', 'product-manager', 'security-auditor', 'sre-oncall'] as const),
  ]),
  incidents: place('incidents', 'Something is wrong: facts first, blame never', [
    ...(['incident-commander', 'sre-oncall', 'devops-engineer', 'database-admin'] as const),
    ...(['backend-architect', 'support-agent', 'performance-engineer', 'tech-lead'] as const),
  ]),
  quality: place('quality', 'Tests, flakes and what users would have found', [
    ...(['qa-lead', 'accessibility-tester', 'code-reviewer', 'build-bot'] as const),
    ...(['frontend-developer', 'mobile-developer', 'backend-architect'] as const),
  ]),
  design: place('design', 'How it looks, reads and feels', [
    ...(['ux-designer', 'frontend-developer', 'product-manager', 'docs-writer'] as const),
    ...(['accessibility-tester', 'mobile-developer', 'support-agent'] as const),
  ]),
  research: place('research', 'Papers, experiments and numbers', [
    ...(['research-agent', 'ml-engineer', 'data-engineer', 'performance-engineer'] as const),
    ...(['cost-analyst', 'product-manager', 'scrum-master'] as const),
  ]),
} as const satisfies Record<string, Place>;

/** The name of a place. */
export type PlaceName = keyof typeof places;
