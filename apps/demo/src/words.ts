import type { Randomness } from './randomness.ts';

export interface Words {
  readonly service: string;
  readonly otherService: string;
  readonly feature: string;
  readonly ticket: string;
  readonly pullRequest: number;
  readonly version: string;
  readonly nextVersion: string;
  readonly region: string;
  readonly test: string;
  readonly table: string;
  readonly dependency: string;
  readonly percent: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly minutes: number;
  readonly count: number;
  readonly branch: string;
}

const services = [
  'billing',
  'search',
  'ingest',
  'notifications',
  'catalog',
  'identity',
  'scheduler',
  'gateway',
  'thumbnails',
  'audit-log',
  'recommendations',
  'exports',
];
const features = [
  'saved filters',
  'bulk export',
  'inline replies',
  'dark mode',
  'offline drafts',
  'usage alerts',
  'keyboard shortcuts',
  'shared dashboards',
  'quiet hours',
  'audit trails',
];
const regions = ['eu-west', 'eu-north', 'us-east', 'us-central', 'ap-south'];
const tests = [
  'resumes after a cut',
  'keeps the order',
  'expires a lease',
  'sends once',
  'pages backwards',
  'closes cleanly',
  'rejects a stale token',
  'merges two drafts',
];
const tables = ['events', 'deliveries', 'sessions', 'invoices', 'members', 'jobs'];
const dependencies = ['the HTTP client', 'the YAML parser', 'the date library', 'the image codec'];

export function chooseWords(random: Randomness): Words {
  const [service = '', otherService = ''] = random.some(services, 2);
  const [major, minor, patch] = [random.between(1, 4), random.between(0, 19), random.between(0, 8)];
  const beforeMs = random.between(180, 900);
  const feature = random.pick(features);
  return {
    service,
    otherService,
    feature,
    beforeMs,
    ticket: `HUB-${random.between(120, 989)}`,
    pullRequest: random.between(200, 999),
    version: `${major}.${minor}.${patch}`,
    nextVersion: `${major}.${minor}.${patch + 1}`,
    region: random.pick(regions),
    test: random.pick(tests),
    table: random.pick(tables),
    dependency: random.pick(dependencies),
    percent: random.between(3, 48),
    afterMs: Math.round(beforeMs / random.between(3, 9)),
    minutes: random.between(2, 40),
    count: random.between(3, 60),
    branch: `feat/${feature.replaceAll(' ', '-')}`,
  };
}
