import { isNativeError } from 'node:util/types';
import type { Failure } from '../core/engine.ts';
import { ChatStoreError } from '../errors.ts';

/** Null if the error did not come from the server. */
export function sqlState(error: unknown): string | null {
  if (!isNativeError(error) || !('code' in error) || !('severity' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

// Messages of pg and pg-pool when there is no connection, or no answer.
const lost =
  /^(connection terminated|timeout expired|query read timeout|timeout exceeded when trying|client (was closed|has encountered)|the server does not support ssl)/i;
// Codes of OpenSSL and Node for a refused certificate.
const tlsCode =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|INVALID_CA|PATH_LENGTH|HOSTNAME_MISMATCH)/;
const systemCode = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|EADDR)/;

/** True if the connection was lost, so that the outcome of the last statement is unknown. */
export function isLost(error: unknown): boolean {
  if (!isNativeError(error) || sqlState(error) !== null) return false;
  const code = 'code' in error ? String(error.code) : '';
  return lost.test(error.message) || systemCode.test(code);
}

/** `ofBegin` is the error of BEGIN … READ WRITE, if that failed. */
export function isFromStandby(error: unknown, ofBegin: unknown): boolean {
  const state = sqlState(error);
  // Any server can send 0A000 (`feature_not_supported`). In answer to BEGIN … READ WRITE, it means a standby.
  return state === '25006' || (state === '0A000' && error === ofBegin);
}

export function unwritable(server: string, cause: unknown): ChatStoreError {
  return new ChatStoreError(
    'unwritable',
    `the PostgreSQL server ${server} accepts no writes: it is a standby or read-only`,
    {
      cause,
    },
  );
}

/** `server` names the database without secrets. */
export function postgresFailure(error: unknown, server: string): Failure {
  if (error instanceof ChatStoreError) return error;
  // Operators need the message of PostgreSQL or the system. Clients never get it.
  const fail = (code: ChatStoreError['code'], message: string) =>
    new ChatStoreError(code, `${message}: ${reasonOf(error)}`, { cause: error });
  if (isLost(error)) return fail('unavailable', `the PostgreSQL server ${server} does not answer`);
  const state = sqlState(error);
  if (state === null && isNativeError(error) && 'code' in error && tlsCode.test(String(error.code)))
    return fail('unauthorized', `no TLS with the PostgreSQL server ${server}`);
  if (state === null) return 'fault';
  switch (state) {
    case '40001': // serialization_failure
    case '40P01': // deadlock_detected
      return 'again';
    case '55P03': // lock_not_available
      return fail('locked', `a lock in the database ${server} was not granted in time`);
    case '25006': // read_only_sql_transaction, from a standby
      return unwritable(server, error);
    case '55000': // object_not_in_prerequisite_state: the database takes no connections
      return fail(
        'unavailable',
        `the PostgreSQL server ${server} is starting, stopping or out of resources`,
      );
    case '3D000': // invalid_catalog_name
      return fail('unauthorized', `the PostgreSQL server has no database ${server}`);
    case '42501': // insufficient_privilege
      return fail('unauthorized', `the user may not use the tables of the database ${server}`);
  }
  switch (state.slice(0, 2)) {
    case '28': // invalid authorization
      return fail(
        'unauthorized',
        `the PostgreSQL server ${server} refused the user or the password`,
      );
    case '08': // connection exception
    case '53': // insufficient resources
    case '57': // operator intervention: a shutdown, a starting server, a statement timeout
    case '58': // system error
    case '25': // a transaction that idled too long, or was ended
      return fail(
        'unavailable',
        `the PostgreSQL server ${server} is starting, stopping or out of resources`,
      );
    default:
      return 'fault';
  }
}

/** A host with several addresses fails with an AggregateError, whose message is empty. */
function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
