import { closeCodes, subprotocol, webSocketPath } from '@openclaw/protocol/wire';
import { WebSocket } from 'ws';
import { connectionError, refusedUpgrade } from './connection-error.ts';
import { LoadgenError } from '../errors.ts';
import { tlsOptions } from './lean-socket.ts';
import { watcherIdOf, type Identity, type Plan } from '../plan/plan.ts';
import { signInOf } from './tokens.ts';

const timeoutMs = 10_000;

/**
 * Connects to each hub of the plan once, as the watcher. A plain socket shows the reason for a failure, which a
 * reconnecting client would hide. @throws {LoadgenError} for the first hub that fails
 */
export async function probeHubs(plan: Plan, identity: Identity): Promise<void> {
  for (const url of plan.urls) await probe(url, plan, identity);
}

async function probe(url: string, plan: Plan, identity: Identity): Promise<void> {
  const address = new URL(url);
  if (address.pathname.endsWith('/')) address.pathname += webSocketPath.slice(1);
  const protocols: string[] = [subprotocol];
  const signIn = signInOf(identity, url, watcherIdOf(plan), plan.tls);
  if ('agent' in signIn) address.searchParams.set('agent', signIn.agent);
  else protocols.push(`bearer.${await signIn.getToken()}`);

  const socket = new WebSocket(address, protocols, {
    handshakeTimeout: timeoutMs,
    ...tlsOptions(plan.tls),
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        const text = `No run against ${url}: the server sent no welcome within ${timeoutMs / 1000} s. Is this address the hub’s?`;
        reject(new LoadgenError('refused', text));
      }, timeoutMs);
      socket.on('message', () => resolve());
      socket.on('error', (error) => reject(connectionError(url, error)));
      socket.on('unexpected-response', (_request, response) =>
        reject(refusedUpgrade(url, response.statusCode ?? 0)),
      );
      socket.on('close', (code) => reject(closedError(url, code)));
    });
  } finally {
    clearTimeout(timer);
    socket.terminate();
  }
}

function closedError(url: string, code: number): LoadgenError {
  const known = (closeCodes as Readonly<Record<number, { name: string; meaning: string }>>)[code];
  const reason = known === undefined ? String(code) : `${code} ${known.name}: ${known.meaning}`;
  return new LoadgenError('refused', `No run against ${url}: the hub closed with ${reason}`);
}
