// `npm run call-path -- [METHOD] [PARAMS] [--max N]` prints the files of our sources through which one call runs in the
// hub. METHOD is by default message.send; PARAMS is JSON. Exits 1 if the hub's main thread runs through more than N
// files. The program observes runs with a call and runs without one. It prints a file if one of its functions ran in
// all runs with a call, and was missing in at least one run without. Timers run with and without a call, so their
// functions do not count.
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectRpc, startHub, startRedis, waitFor } from '@openclaw/test-support';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const channelId = 'call-path';
const warmUps = 10;
const runs = 12;
/** The call is complete when no client has received anything for this long. */
const quietMs = 10;
const defaults = { 'message.send': { channelId, content: 'hello' } };

/** The process must have been started with --inspect. Counts calls in its main thread and its workers. */
async function openCoverage(output) {
  const url = await waitFor(() => /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(output())?.[0]);
  const socket = new WebSocket(url);
  await new Promise((done, failed) => {
    socket.onopen = done;
    socket.onerror = () => failed(new Error('the inspector did not open'));
  });
  const pending = new Map();
  const workerIds = new Set();
  let lastId = 0;
  const take = ({ id, result, error, method, params }) => {
    if (method === 'NodeWorker.attachedToWorker') workerIds.add(params.sessionId);
    if (method === 'NodeWorker.detachedFromWorker') workerIds.delete(params.sessionId);
    if (method === 'NodeWorker.receivedMessageFromWorker') take(JSON.parse(params.message));
    if (error) pending.get(id)?.failed(new Error(error.message));
    else pending.get(id)?.done(result);
    pending.delete(id);
  };
  socket.onmessage = ({ data }) => take(JSON.parse(data));
  const ask = (workerId, method, params = {}) =>
    new Promise((done, failed) => {
      const id = ++lastId;
      pending.set(id, { done, failed });
      const command = JSON.stringify({ id, method, params });
      if (workerId === null) socket.send(command);
      else {
        const inner = { sessionId: workerId, message: command };
        socket.send(
          JSON.stringify({ id: ++lastId, method: 'NodeWorker.sendMessageToWorker', params: inner }),
        );
      }
    });
  await ask(null, 'NodeWorker.enable', { waitForDebuggerOnStart: false });
  const threads = [null, ...workerIds];
  for (const thread of threads) {
    await ask(thread, 'Profiler.enable');
    await ask(thread, 'Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }
  return {
    async takeCalled() {
      const taken = { main: new Set(), workers: new Set() };
      for (const thread of threads) {
        const called = thread === null ? taken.main : taken.workers;
        const { result } = await ask(thread, 'Profiler.takePreciseCoverage');
        for (const { url, functions } of result) {
          if (!url.startsWith('file:')) continue;
          const file = relative(root, fileURLToPath(url));
          if (!/^(packages\/[^/]+|apps\/chat-hub)\/src\//.test(file)) continue;
          // The function that covers the whole module runs when it is imported, so it does not count as called.
          const moduleEnd = Math.max(...functions.map(({ ranges }) => ranges[0].endOffset));
          const isCalled = ({ ranges: [{ count, startOffset, endOffset }] }) =>
            count > 0 && !(startOffset === 0 && endOffset === moduleEnd);
          for (const one of functions.filter(isCalled))
            called.add(`${file}:${one.ranges[0].startOffset}`);
        }
      }
      return taken;
    },
    close: () => socket.close(),
  };
}

async function untilQuiet(clients) {
  const count = () => clients.reduce((sum, { received }) => sum + received.length, 0);
  for (let last = -1; last !== count();) {
    last = count();
    await delay(quietMs);
  }
}

function filesOnPath(called, idle) {
  const inAll = (runs) => runs.reduce((all, functions) => all.intersection(functions));
  const files = [...inAll(called).difference(inAll(idle))].map((one) => one.replace(/:\d+$/, ''));
  return [...new Set(files)].sort();
}

async function filesOf(method, params) {
  const redis = await startRedis();
  const hub = await startHub({
    fromSource: true,
    env: {
      REDIS_URL: redis.url,
      NODE_OPTIONS: '--inspect=127.0.0.1:0',
      HUB_LIMIT_MESSAGE: '1000/60',
    },
  });
  try {
    const clients = await Promise.all(
      ['alice', 'bob'].map((agent) => connectRpc(`${hub.url}/v1/ws?agent=${agent}`)),
    );
    const [alice, bob] = clients;
    await alice.call('channel.create', { channelId, name: 'Call path' });
    await bob.call('channel.join', { channelId });
    for (const client of clients) await client.call('subscribe', { topics: [{ channelId }] });
    for (let index = 0; index < warmUps; index += 1) await alice.call(method, params);
    await untilQuiet(clients);
    const coverage = await openCoverage(() => hub.output());
    const observe = async (work) => {
      const taken = [];
      let longestMs = 0;
      await coverage.takeCalled();
      for (let run = 0; run < runs; run += 1) {
        const startedMs = performance.now();
        await work();
        await untilQuiet(clients);
        longestMs = Math.max(longestMs, performance.now() - startedMs);
        taken.push(await coverage.takeCalled());
      }
      return { taken, longestMs };
    };
    const { taken: called, longestMs } = await observe(() => alice.call(method, params));
    // On a busy machine a run with a call may last until every timer is due. Then so must a run without one.
    const { taken: idle } = await observe(() => delay(longestMs));
    coverage.close();
    for (const client of clients) await client.close();
    const pathOf = (thread) =>
      filesOnPath(
        called.map((taken) => taken[thread]),
        idle.map((taken) => taken[thread]),
      );
    return { main: pathOf('main'), workers: pathOf('workers') };
  } finally {
    await hub.stop();
    await redis.stop();
  }
}

function print(title, files) {
  console.log(`${title} (${files.length})`);
  for (const [folder, inFolder] of Map.groupBy(files, dirname)) {
    console.log(`  ${folder} (${inFolder.length})`);
    for (const file of inFolder) console.log(`    ${relative(folder, file)}`);
  }
  console.log();
}

const usage = `npm run call-path -- [METHOD] [PARAMS] [--max N]
Prints the files that one call runs through in the hub. METHOD defaults to message.send; PARAMS is JSON.
Exits with 1 when the hub's own thread runs through more than N files.`;

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { max: { type: 'string' }, help: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [method = 'message.send', json] = positionals;
    return { ...values, method, params: json ? JSON.parse(json) : (defaults[method] ?? {}) };
  } catch (error) {
    console.error(`call-path: ${error.message}\n${usage}`);
    process.exit(2);
  }
}

const { method, params, max, help } = readArguments();
if (help) {
  console.log(usage);
  process.exit(0);
}
const { main, workers } = await filesOf(method, params);
const onlyWorkers = workers.filter((file) => !main.includes(file));
print("The hub's thread", main);
print("Only in the store's threads", onlyWorkers);
console.log(
  `${method} runs through ${main.length} files in the hub's thread and ${onlyWorkers.length} more in the store's threads, ` +
    `${main.length + onlyWorkers.length} in all.`,
);
if (max !== undefined && main.length > Number(max)) {
  console.error(`call-path: more than ${max} files in the hub's thread`);
  process.exitCode = 1;
}
