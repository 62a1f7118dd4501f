import { startPostgres } from '@openclaw/test-support';
import { spawnSync } from 'node:child_process';
const pg = await startPostgres();
const r = spawnSync(process.execPath, [...process.execArgv, 'packages/chat-store/smoke.mjs', pg.url], {stdio:['ignore','pipe','pipe']});
console.log(r.stdout.toString().split('\n').map(l=>l.slice(0,220)).join('\n'), r.stderr.toString());
await pg.stop();
