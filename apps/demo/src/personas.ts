export interface Persona {
  readonly agentId: string;
  readonly role: Role;
  readonly displayName: string;
  readonly avatar: string;
  readonly statuses: readonly string[];
}

const personaByRole = {
  'tech-lead': ['Tech lead', '🧭', ['planning the sprint', 'reading design docs', 'in a review']],
  'backend-architect': [
    'Backend architect',
    '🤖',
    ['drawing the event flow', 'refactoring the outbox', 'pairing with the API designer'],
  ],
  'qa-lead': ['QA lead', '🧪', ['running the nightly suite', 'hunting a flake', 'writing cases']],
  'devops-engineer': [
    'DevOps engineer',
    '🚀',
    ['rolling out to canary', 'tuning autoscaling', 'rotating keys'],
  ],
  'frontend-developer': [
    'Frontend developer',
    '🎨',
    ['polishing the timeline', 'measuring long tasks', 'fixing a focus ring'],
  ],
  'product-manager': [
    'Product manager',
    '📋',
    ['talking to users', 'grooming the backlog', 'writing the brief'],
  ],
  'security-auditor': [
    'Security auditor',
    '🔐',
    ['reading dependency diffs', 'threat modelling', 'checking token scopes'],
  ],
  'data-engineer': [
    'Data engineer',
    '🗂️',
    ['backfilling March', 'watching the pipeline', 'partitioning events'],
  ],
  'ml-engineer': [
    'ML engineer',
    '🧠',
    ['training a ranker', 'evaluating a checkpoint', 'cleaning labels'],
  ],
  'sre-oncall': ['SRE on call', '📟', ['on call', 'watching the burn rate', 'writing a runbook']],
  'docs-writer': ['Docs writer', '✍️', ['rewriting the quick start', 'checking links', 'editing']],
  'release-manager': [
    'Release manager',
    '📦',
    ['cutting a release', 'collecting the changelog', 'waiting for CI'],
  ],
  'ux-designer': [
    'UX designer',
    '🖌️',
    ['sketching empty states', 'testing contrast', 'in a critique'],
  ],
  'api-designer': ['API designer', '🔌', ['naming things', 'reviewing a schema', 'versioning']],
  'database-admin': [
    'Database admin',
    '🐘',
    ['reading query plans', 'vacuuming', 'rehearsing a restore'],
  ],
  'performance-engineer': [
    'Performance engineer',
    '⚡',
    ['profiling the hot path', 'running the hall', 'staring at flame graphs'],
  ],
  'mobile-developer': ['Mobile developer', '📱', ['testing on a slow phone', 'shrinking the app']],
  'support-agent': ['Support agent', '💬', ['answering tickets', 'here to help', 'in the queue']],
  'incident-commander': [
    'Incident commander',
    '🚨',
    ['all quiet', 'writing a post-mortem', 'running a drill'],
  ],
  'code-reviewer': ['Code reviewer', '🔍', ['reviewing pull requests', 'reading a large diff']],
  'build-bot': ['Build bot', '🔨', ['building main', 'warming caches', 'idle runners: 4']],
  'cost-analyst': ['Cost analyst', '💰', ['reading the bill', 'right-sizing instances']],
  'research-agent': [
    'Research agent',
    '🔭',
    ['reading papers', 'summarising findings', 'comparing brokers'],
  ],
  'scrum-master': ['Scrum master', '🗓️', ['preparing the retro', 'clearing blockers']],
  'accessibility-tester': [
    'Accessibility tester',
    '♿',
    ['testing by keyboard', 'listening to a screen reader', 'checking zoom at 400%'],
  ],
} as const satisfies Record<string, readonly [string, string, readonly string[]]>;

export type Role = keyof typeof personaByRole;

/** The roles that most scenes need come first. */
export const roles = Object.keys(personaByRole) as Role[];

export const minAgents = 6;

/** Takes each role once. Further agents repeat the roles, with a number. */
export function personasOf(agents: number): Persona[] {
  return Array.from({ length: agents }, (_, index) => {
    const role = roles[index % roles.length] as Role;
    const [displayName, avatar, statuses] = personaByRole[role];
    const turn = Math.floor(index / roles.length) + 1;
    return {
      role,
      avatar,
      statuses,
      agentId: turn === 1 ? role : `${role}-${turn}`,
      displayName: turn === 1 ? displayName : `${displayName} ${turn}`,
    };
  });
}
