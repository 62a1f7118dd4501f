import { tableLines } from '../statistics.ts';
import type { LoadCosts } from './measure.ts';
import {
  contentSizes,
  loadContentBytes,
  senderCount,
  type StorageCosts,
  type SocketCosts,
} from './measure.ts';
import {
  costs,
  postgresMessageBytes,
  receivingMicros,
  redisCommandsPerMessage,
  redisMicros,
  redisOutputPerMessage,
  sendingMicros,
  sqliteMessageBytes,
} from './model.ts';
import type { Plan } from './plan.ts';

export interface Row {
  readonly cost: string;
  readonly unit: string;
  readonly model: number;
  readonly measured: number;
  /**
   * The largest accepted ratio between model and run, in either direction. It is smaller for sizes and counts than for
   * times.
   */
  readonly withinFactor: number;
  /** Smaller differences are ignored, because the runs cannot measure them. */
  readonly noise?: number;
}

const exact = 1.2;
/** Processor time depends on the machine and on what else runs there. */
const machine = 3;

export function holds({ model, measured, withinFactor, noise = 0 }: Row): boolean {
  if (!(measured > 0)) return false;
  const isWithin = model / measured <= withinFactor && measured / model <= withinFactor;
  return isWithin || Math.abs(model - measured) <= noise;
}

export function storageRows(measured: StorageCosts): Row[] {
  return contentSizes.flatMap((size) => [
    {
      cost: `SQLite, a message of ${size} characters`,
      unit: 'bytes',
      model: sqliteMessageBytes(size),
      measured: measured.sqliteBytes[size],
      withinFactor: exact,
    },
    {
      cost: `PostgreSQL, a message of ${size} characters`,
      unit: 'bytes',
      model: postgresMessageBytes(size),
      measured: measured.postgresBytes[size],
      withinFactor: exact,
    },
  ]);
}

export function loadRows(measured: readonly LoadCosts[]): Row[] {
  return measured.flatMap((one) => {
    const { load, fanOut, turns, perSecond } = one;
    const of = `${load}, ${fanOut} subscribers`;
    const senders = load === 'alone' ? 1 : senderCount;
    const contentBytes = loadContentBytes;
    const message = { contentBytes, perSecond, senders, hubs: 1, fanOut, turns };
    return [
      {
        cost: `sending hub, ${of}`,
        unit: 'µs',
        model: sendingMicros(message),
        measured: one.sending,
        withinFactor: machine,
      },
      {
        cost: `receiving hub, ${of}`,
        unit: 'µs',
        model: receivingMicros(message),
        measured: one.receiving,
        withinFactor: machine,
      },
      {
        cost: `Redis, ${of}`,
        unit: 'µs',
        model: redisMicros(message),
        measured: one.redis,
        withinFactor: machine,
      },
      {
        cost: `Redis commands, ${of}`,
        unit: '',
        model: redisCommandsPerMessage(message),
        measured: one.redisCommands,
        // Only an even load has a fixed rate of messages, so only its ratio must be `exact`. The model leaves out lease
        // renewals, because their share varies.
        withinFactor: load === 'even' ? exact : 1.5,
      },
      {
        cost: `Redis output, ${of}`,
        unit: 'bytes',
        model: redisOutputPerMessage(message),
        measured: one.redisOutputBytes,
        withinFactor: exact,
      },
    ];
  });
}

export function foreignRows(measured: number): Row[] {
  return [
    {
      cost: 'another hub’s message in a channel that no one follows here',
      unit: 'µs',
      model: costs.foreignMessageMicros,
      measured,
      withinFactor: machine,
    },
  ];
}

/** The idle use of a core varies by about one per cent. */
const idleNoiseMicrosPerSecond = 10_000;

export function socketRows(measured: SocketCosts, sockets: number): Row[] {
  const noise = idleNoiseMicrosPerSecond / sockets;
  return [
    {
      cost: 'heap of a hub, a socket',
      unit: 'bytes',
      model: costs.socketHeapBytes,
      measured: measured.heapBytes,
      withinFactor: 1.5,
    },
    {
      cost: 'hub, a silent socket for a second',
      unit: 'µs',
      model: costs.socketMicrosPerSecond,
      measured: measured.microsPerSecond,
      withinFactor: machine,
      noise,
    },
    {
      cost: 'Redis memory, a lease',
      unit: 'bytes',
      model: costs.leaseBytes,
      measured: measured.leaseBytes,
      withinFactor: 1.5,
    },
    {
      cost: 'Redis commands, a lease for a second',
      unit: '',
      model: costs.leaseCommandsPerSecond,
      measured: measured.leaseCommandsPerSecond,
      withinFactor: 1.5,
    },
    {
      cost: 'Redis, a lease for a second',
      unit: 'µs',
      model: costs.leaseMicrosPerSecond,
      measured: measured.leaseMicrosPerSecond,
      withinFactor: machine,
      noise,
    },
  ];
}

function short(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

export function formatRows(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.cost,
    short(row.model),
    short(row.measured),
    row.unit,
    holds(row) ? 'holds' : `OFF BY MORE THAN ${row.withinFactor}`,
  ]);
  return tableLines([['cost', 'model', 'measured', 'unit', ''], ...lines], [1, 2]).join('\n');
}

const gigabytes = (bytes: number) => `${short(bytes / 1e9)} GB`;

export function formatPlans(plans: readonly Plan[]): string {
  const head = [
    ...[
      'agents',
      'teams',
      'messages/s',
      'deliveries/s',
      'systems',
      'hubs',
      'sockets a hub',
      'heap for sockets',
    ],
    ...['Redis cores', 'Redis output/s', 'Redis memory', 'database a day'],
  ];
  const lines = plans.map((plan) => [
    short(plan.agents),
    plan.areMembersTogether ? 'on one hub' : 'spread',
    short(plan.messagesPerSecond),
    short(plan.deliveriesPerSecond),
    short(plan.systems),
    short(plan.hubs),
    short(plan.socketsPerHub),
    `${short(plan.hubHeapBytes / 1e6)} MB`,
    short(plan.redisCores),
    `${short(plan.redisOutputBytesPerSecond / 1e6)} MB`,
    gigabytes(plan.redisMemoryBytes),
    gigabytes(plan.databaseBytesPerDay),
  ]);
  return tableLines(
    [head, ...lines],
    head.map((_, column) => column),
  ).join('\n');
}
