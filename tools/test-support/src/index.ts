export { openBystanders } from './bystanders.ts';
export type { Bystanders } from './bystanders.ts';
export { builtForTests, hubProgram } from './built-for-tests.ts';
export type { HubProgram } from './built-for-tests.ts';
export { connectAgent, startChatTraffic } from './chat-traffic.ts';
export type { ChatTraffic, ChatTrafficOptions } from './chat-traffic.ts';
export { createCertificate, createCertificateAuthority, hasOpenssl } from './certificates.ts';
export type { CertificateAuthority, CertificateFiles } from './certificates.ts';
export { startCluster } from './cluster.ts';
export type { ClusterDeployment } from './cluster.ts';
export { startDeafProxy } from './deaf-proxy.ts';
export type { DeafProxy } from './deaf-proxy.ts';
export { clientFrame, createFrameReader, opcodes } from './frame-bytes.ts';
export type { FrameOptions, ServerFrame } from './frame-bytes.ts';
export { startHub } from './hub.ts';
export type { HubOptions, HubProcess } from './hub.ts';
export { hubMetric, readyReport, redisHealth, startHubPair, usesRedis } from './hub-pair.ts';
export type { HubPair, ReportedRedis } from './hub-pair.ts';
export {
  allowedElsewhere,
  untilPresenceIsWhole,
  untilRedisIs,
  untilTopicsPass,
} from './hub-recovery.ts';
export { inspectorEnv, openInspector } from './inspector.ts';
export type { Inspector } from './inspector.ts';
export { createLedger } from './ledger.ts';
export type { DeliveredEvent, Ledger } from './ledger.ts';
export { ledgerViolations } from './ledger-violations.ts';
export type { ReportViolation } from './ledger-violations.ts';
export { hasPgBouncer, startPgBouncer } from './pgbouncer.ts';
export type { PgBouncer, PgBouncerOptions } from './pgbouncer.ts';
export {
  appRole,
  createAppRole,
  endConnections,
  freezePostgres,
  holdLocks,
  restartAsStandby,
} from './postgres-faults.ts';
export { installCertificate, serveOverTls } from './postgres-tls.ts';
export { startPostgres } from './postgres-server.ts';
export type { PostgresServer } from './postgres-server.ts';
export { freePort, randomPrefix, startProcess, temporaryFolder, waitFor } from './processes.ts';
export type { ServerProcess, TemporaryFolder } from './processes.ts';
export { sendRaw } from './raw-http.ts';
export type { RawAnswer } from './raw-http.ts';
export { openRawSocket } from './raw-socket.ts';
export type { RawSocket, RawSocketOptions } from './raw-socket.ts';
export { hasProgram, nginxSite, startHaproxy, startNginx } from './reverse-proxies.ts';
export type { ReverseProxy } from './reverse-proxies.ts';
export { readLog } from './read-log.ts';
export type { LoggedEnvelope } from './read-log.ts';
export { redisCommand, startRedis } from './redis-server.ts';
export type { RedisServer, RedisServerOptions } from './redis-server.ts';
export { connectRpc, RpcCallError } from './rpc-socket.ts';
export type { RpcObject, RpcSocket, RpcSocketOptions } from './rpc-socket.ts';
export type { LogEntry, SendLedger, SendResult, SendTotals } from './send-ledger.ts';
export { startSentinel } from './sentinel.ts';
export type { SentinelDeployment, SentinelOptions } from './sentinel.ts';
export { signToken } from './sign-token.ts';
export { moveSlotHalfWay } from './slot-move.ts';
export type { HalfMovedSlot } from './slot-move.ts';
export { mountSmallDisk } from './small-disk.ts';
export type { SmallDisk } from './small-disk.ts';
export { startTcpLink } from './tcp-link.ts';
export type { TcpLink } from './tcp-link.ts';
export { startTcpProxy } from './tcp-proxy.ts';
export type { TcpProxy } from './tcp-proxy.ts';
export { startTlsRedis } from './tls-redis.ts';
export type { TlsRedis } from './tls-redis.ts';
