// `npm run token -- --sub ID [--role admin] [--kind person] …` mints a token with the hub's own configuration. It can
// also mint the first token of an admin. Only the token is written to standard output.
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { mintToken } from '../edge/mint-token.ts';
import { mintBody } from '../rest/tokens.ts';
import {
  CommandError,
  commandRecord,
  commandUser,
  openCommandStore,
  progress,
  runCommand,
  settings,
} from './command.ts';

const usage =
  'usage: npm run token -- --sub ID [--role admin] [--kind agent|person|service] [--channels ID,ID] [--ttl SECONDS]';
const defaultTtlSeconds = 86_400;

function wrong(reason: string): CommandError {
  return new CommandError('usage', `${reason}\n${usage}`);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        sub: { type: 'string' },
        role: { type: 'string' },
        kind: { type: 'string' },
        channels: { type: 'string' },
        ttl: { type: 'string', default: String(defaultTtlSeconds) },
      },
    }).values;
  } catch (error) {
    // `parseArgs` throws on an unknown option and on an option without its value.
    throw wrong((error as Error).message);
  }
}

function parse(): z.output<typeof mintBody> {
  const { sub, role, kind, channels, ttl } = readOptions();
  if (sub === undefined) throw wrong('--sub is needed');
  if (!/^\d{1,9}$/.test(ttl)) throw wrong('--ttl: a whole number of seconds is needed');
  const body = mintBody.safeParse({
    sub,
    role,
    kind,
    channels: channels?.split(','),
    ttlSeconds: Number(ttl),
  });
  if (body.success) return body.data;
  const [issue] = body.error.issues;
  const field = String(issue?.path[0] ?? '');
  throw wrong(`--${field === 'ttlSeconds' ? 'ttl' : field}: ${issue?.message}`);
}

async function mint(): Promise<void> {
  const request = parse();
  const { auth } = settings();
  if (auth.mode === 'dev')
    throw new CommandError(
      'failed',
      'this hub takes no tokens: any client signs in with ?agent=<id>. Set HUB_JWT_SECRET (openssl rand -hex 32) here and for the hub',
    );
  if (auth.secrets.length === 0)
    throw new CommandError(
      'failed',
      'this hub has no HUB_JWT_SECRET to sign with: the issuer of HUB_JWKS_URL makes its tokens',
    );
  const store = await openCommandStore({ mayCreate: true });
  try {
    const { sub, role, kind = null, channels = null } = request;
    const minter = commandUser();
    const issuedAtMs = await store.readTime();
    const { token, jti, expiresAt } = await mintToken(auth, { ...request, minter, issuedAtMs });
    const isAdmin = role === 'admin';
    await store.recordMinted(
      {
        ...{ jti, sub, minter, kind, isAdmin, channels },
        ...{ mintedAtMs: issuedAtMs, expiresAtMs: expiresAt },
      },
      commandRecord('token.mint', sub, { jti, kind, isAdmin, channels }),
    );
    await store.recordAgents([{ agentId: sub, kind: null }]);
    progress(
      `${isAdmin ? 'an admin' : 'a'} token for ${sub}, kind ${kind ?? 'agent'}, valid until ${new Date(expiresAt).toISOString()}, jti ${jti}`,
    );
    process.stdout.write(`${token}\n`);
  } finally {
    await store.close();
  }
}

await runCommand('token', mint);
