// Users read pages of a channel's messages at a fixed rate. See README.md beside this file.
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import { mustRequest, request, thresholdsFile } from './hub.ts';
import { k6Thresholds } from './thresholds.ts';

const rate = Number(__ENV.RATE ?? 50);
const seconds = Number(__ENV.DURATION ?? 10);
const messages = Number(__ENV.MESSAGES ?? 300);
const pageSize = 50;
// The hub accepts 600 messages a minute from one agent, so several writers share the work.
const messagesPerWriter = 500;
const readers = 20;

const page = new Trend('hub_history_ms', true);
const refused = new Counter('hub_refused');
const pages = new Counter('hub_pages');

export const options = {
  scenarios: {
    history: {
      executor: 'constant-arrival-rate',
      rate,
      timeUnit: '1s',
      duration: `${seconds}s`,
      preAllocatedVUs: Math.ceil(rate / 2),
      maxVUs: rate * 4,
    },
  },
  thresholds: {
    ...k6Thresholds(thresholdsFile, 'history', { history: 'hub_history_ms' }, 'hub_refused'),
    // k6 drops an iteration when no user is free. A slow hub causes such drops, so they count as a failure.
    dropped_iterations: ['count==0'],
    hub_pages: [`count>=${Math.floor(rate * seconds) - 1}`],
  },
  summaryTrendStats: ['count', 'med', 'p(90)', 'p(99)', 'max'],
};

interface Archive {
  readonly channelId: string;
  readonly head: number;
}

export function setup(): Archive {
  const channelId = `k6-${Date.now().toString(36)}`;
  const body = { channelId, name: 'k6 history' };
  mustRequest('POST', '/v1/channels', `${channelId}-owner`, { body });
  let head = 0;
  for (let sent = 0; sent < messages; sent += 1) {
    const writer = `${channelId}-writer-${Math.floor(sent / messagesPerWriter)}`;
    if (sent % messagesPerWriter === 0) {
      mustRequest('POST', `/v1/channels/${channelId}/join`, writer);
    }
    const message = { content: `Message ${sent}. All agents report progress on their work.` };
    const answer = mustRequest('POST', `/v1/channels/${channelId}/messages`, writer, {
      body: message,
    });
    head = (JSON.parse(answer) as { seq: number }).seq;
  }
  for (let reader = 0; reader < readers; reader += 1)
    mustRequest('POST', `/v1/channels/${channelId}/join`, `${channelId}-reader-${reader}`);
  return { channelId, head };
}

export function teardown({ channelId }: Archive): void {
  mustRequest('DELETE', `/v1/channels/${channelId}`, `${channelId}-owner`);
}

export default function ({ channelId, head }: Archive): void {
  const turn = exec.scenario.iterationInTest;
  const before = turn % 2 === 1 ? `&before=${Math.max(2, head - (turn % head))}` : '';
  const path = `/v1/channels/${channelId}/messages?limit=${pageSize}${before}`;
  const { status, timings } = request('GET', path, `${channelId}-reader-${turn % readers}`, {
    tags: { name: 'history' },
  });
  if (status !== 200) return refused.add(1);
  pages.add(1);
  page.add(timings.duration);
}
