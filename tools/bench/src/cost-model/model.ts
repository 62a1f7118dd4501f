/**
 * The costs are fitted to runs on one machine; `npm run cost-model` compares them with new runs. Times are
 * microseconds of one core.
 */
export const costs = {
  /** The bytes of a message's row in the log, without its text. */
  sqliteRowBytes: 730,
  /** The bytes of a message's rows in other tables and in indexes. */
  sqliteOtherBytes: 233,
  postgresFixedBytes: 1_380,
  postgresPerContentByte: 1.18,
  publishedFixedBytes: 660,
  publishReplyBytes: 20,
  /** The publish script counts as five commands: the script itself, GET, SET, DEL and PUBLISH. */
  publishCommands: 5,
  /**
   * An exchange updates an agent's rate limit in Redis. An agent that sends messages causes at most ten exchanges a
   * second.
   */
  exchangeCommands: 10.5,
  exchangeOutputBytes: 220,
  exchangesPerSecond: 10,
  /** The cost of sending: per turn of the event loop that has messages, and per message. */
  sendTurnMicros: 1_150,
  sendMessageMicros: 75,
  /** The cost of receiving: per turn, per write to a socket, per message, and per delivery. */
  receiveTurnMicros: 330,
  writeMicros: 7,
  receiveMessageMicros: 15,
  deliveryMicros: 0.1,
  /**
   * Every hub reads the newest commits of the others. So a hub pays this for a message even if it does not follow the
   * channel.
   */
  foreignMessageMicros: 6,
  redisTurnMicros: 140,
  redisMessageMicros: 10,
  /** The costs of a socket whose agent is present in one channel and sends nothing. */
  socketHeapBytes: 14_700,
  socketMicrosPerSecond: 6.5,
  leaseBytes: 980,
  leaseCommandsPerSecond: 0.86,
  leaseMicrosPerSecond: 2.4,
} as const;

/**
 * SQLite's format for tables with rowid and pages of 4 KiB (sqlite.org/fileformat.html, 1.6). A page holds as many rows
 * as fit. Of a row that is too long, a part is in the page, and the rest takes whole pages of its own.
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
  /** All `senders` together send this many messages a second. */
  readonly perSecond: number;
  readonly senders: number;
  /** The number of hubs that follow the channel. The sending hub has no subscribers and is not counted. */
  readonly hubs: number;
  /** The number of subscribers on each of these hubs. */
  readonly fanOut: number;
  /** Turns of the event loop per message: 1 when messages come alone, less when several share one. */
  readonly turns: number;
}

/** Exchanges per message. A sender makes at most one exchange in a tenth of a second. */
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

export function sendingMicros({ turns }: Pick<MessageLoad, 'turns'>): number {
  return costs.sendMessageMicros + turns * costs.sendTurnMicros;
}

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
