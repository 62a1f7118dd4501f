/**
 * The costs are fitted to runs on one machine; `npm run cost-model` compares them with new runs. Times are
 * microseconds of one core.
 */
export const costs = {
  /** A message's row in the log takes this many bytes besides its text. */
  sqliteRowBytes: 730,
  /** A message's rows in other tables and indexes take these bytes. */
  sqliteOtherBytes: 233,
  postgresFixedBytes: 1_380,
  postgresPerContentByte: 1.18,
  publishedFixedBytes: 660,
  /** Redis' answer to the sending hub. */
  publishReplyBytes: 20,
  /** The publish script counts as five commands: the script itself, GET, SET, DEL and PUBLISH. */
  publishCommands: 5,
  /** An exchange updates an agent's rate limit in Redis. An agent that sends causes at most ten exchanges a second. */
  exchangeCommands: 10.5,
  exchangeOutputBytes: 220,
  exchangesPerSecond: 10,
  /** The sending hub pays these costs per turn of its event loop with messages, and per message. */
  sendTurnMicros: 1_150,
  sendMessageMicros: 75,
  /** A receiving hub pays these costs per turn, per write to a socket, per message, and per delivery. */
  receiveTurnMicros: 330,
  writeMicros: 7,
  receiveMessageMicros: 15,
  deliveryMicros: 0.1,
  /**
   * Each hub that does not follow the channel pays this cost, because every hub reads the newest commits of the
   * others.
   */
  foreignMessageMicros: 6,
  redisTurnMicros: 140,
  redisMessageMicros: 10,
  /** The socket's agent is connected, silent, and present in one channel. */
  socketHeapBytes: 14_700,
  socketMicrosPerSecond: 6.5,
  leaseBytes: 980,
  leaseCommandsPerSecond: 0.86,
  leaseMicrosPerSecond: 2.4,
} as const;

/**
 * The numbers follow SQLite's format for tables with rowid and pages of 4 KiB (sqlite.org/fileformat.html, 1.6). A
 * page holds as many rows as fit. A longer row has a part in its leaf, and whole pages for the rest.
 */
const sqlitePage = {
  bytes: 4_096,
  forRows: 4_088,
  maxLocal: 4_061,
  minLocal: 489,
  overflow: 4_092,
};

export function sqliteMessageBytes(contentBytes: number): number {
  const { bytes, forRows, maxLocal, minLocal, overflow } = sqlitePage;
  const row = contentBytes + costs.sqliteRowBytes;
  const rest = minLocal + ((row - minLocal) % overflow);
  const isWhole = row <= maxLocal;
  const local = isWhole ? row : rest <= maxLocal ? rest : minLocal;
  const pages = isWhole ? 0 : Math.ceil((row - local) / overflow);
  return bytes / Math.floor(forRows / local) + pages * bytes + costs.sqliteOtherBytes;
}

export function postgresMessageBytes(contentBytes: number): number {
  return costs.postgresFixedBytes + costs.postgresPerContentByte * contentBytes;
}

export interface MessageLoad {
  readonly contentBytes: number;
  /** This is the rate of all `senders` together. */
  readonly perSecond: number;
  readonly senders: number;
  /** This many hubs follow the channel. The sending hub is not one of them and has no subscribers. */
  readonly hubs: number;
  /** Each of those hubs has this many subscribers. */
  readonly fanOut: number;
  /** Turns of the event loop per message: 1 when messages come alone, less when several share one. */
  readonly turns: number;
}

/** A sender makes at most one exchange in a tenth of a second. */
function exchanges({ perSecond, senders }: MessageLoad): number {
  return Math.min(1, (senders * costs.exchangesPerSecond) / perSecond);
}

export function redisCommandsPerMessage(load: MessageLoad): number {
  return costs.publishCommands + costs.exchangeCommands * exchanges(load);
}

export function redisOutputPerMessage(load: MessageLoad): number {
  const published = load.contentBytes + costs.publishedFixedBytes;
  return (
    load.hubs * published + costs.publishReplyBytes + costs.exchangeOutputBytes * exchanges(load)
  );
}

/** Returns the processor time of the hub that commits and publishes. */
export function sendingMicros({ turns }: Pick<MessageLoad, 'turns'>): number {
  return costs.sendMessageMicros + turns * costs.sendTurnMicros;
}

/** Returns the processor time of one hub that delivers a message to its subscribers. */
export function receivingMicros({ turns, fanOut }: Pick<MessageLoad, 'turns' | 'fanOut'>): number {
  const { receiveMessageMicros, receiveTurnMicros, writeMicros, deliveryMicros } = costs;
  return (
    receiveMessageMicros +
    turns * (receiveTurnMicros + fanOut * writeMicros) +
    fanOut * deliveryMicros
  );
}

export function redisMicros({ turns }: Pick<MessageLoad, 'turns'>): number {
  return costs.redisMessageMicros + turns * costs.redisTurnMicros;
}
