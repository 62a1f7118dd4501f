// `npm run dev:web` serves the web UI by Vite, with hot reload, and starts a hub for it on HUB_PORT (8080). A hub that
// already answers there is used instead. When one of the started programs ends, the other is stopped.
import { spawn } from 'node:child_process';
import { delimiter, resolve } from 'node:path';

const hubPort = process.env.HUB_PORT || '8080';
const hubUrl = `http://127.0.0.1:${hubPort}`;
const children = [];

function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  children.push(child);
  child.on('exit', (code) => {
    for (const other of children) other.kill();
    process.exitCode ??= code ?? 1;
  });
}

const isRunning = await fetch(`${hubUrl}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
  ({ ok }) => ok,
  () => false,
);
if (!isRunning) {
  start(process.execPath, [...process.execArgv, 'apps/chat-hub/src/main.ts'], {
    env: { ...process.env, HUB_AUTH: 'dev', HUB_HOST: '127.0.0.1', HUB_PORT: hubPort },
  });
}
const path = [resolve('apps/web/node_modules/.bin'), process.env.PATH].join(delimiter);
start('vite', ['--host', '127.0.0.1', ...process.argv.slice(2)], {
  cwd: 'apps/web',
  env: { ...process.env, PATH: path },
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => children.forEach((child) => child.kill(signal)));
}
