// `npm start`: the hub. `npm start -- --demo`, which is `npm run demo`: a hub with a simulated fleet in it.
const at = process.argv.indexOf('--demo');
if (at > 0) process.argv.splice(at, 1);
await import(at > 0 ? '../../apps/demo/src/main.ts' : '../../apps/chat-hub/src/main.ts');
