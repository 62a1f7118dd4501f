import { beforeAll, describe, expect, it } from '@jest/globals';
import { startHub, startProcess, temporaryFolder, waitFor } from '@openclaw/test-support';
import { suiteScope } from '@openclaw/test-support/scopes';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOnPath, runChecker } from './checkers.ts';
import { readText } from './repository.ts';

const itAnalyzes = isOnPath('systemd-analyze') ? it : it.skip;
// Python receives the datagram, because Node has no Unix datagram sockets.
const itNotifies = isOnPath('systemd-notify') && isOnPath('python3') ? it : it.skip;
const receiver = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("bound", flush=True)
while True: print(listener.recv(4096).decode(), flush=True)
`;

describe('openclaw-hub.service', () => {
  const scope = suiteScope();
  let file: string;
  let text: string;
  let folder: string;
  beforeAll(async () => {
    folder = (await scope.use(temporaryFolder('systemd'))).path;
    text = await readText('infra/systemd/openclaw-hub.service');
    file = join(folder, 'openclaw-hub.service');
    // systemd-analyze needs a program that exists, and this machine's Node may have another path.
    await writeFile(file, text.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`));
  });

  itAnalyzes('is accepted by systemd without a remark', async () => {
    expect(await runChecker('systemd-analyze', ['verify', file])).toEqual({ code: 0, output: '' });
    const misspelt = join(folder, 'misspelt.service');
    await writeFile(misspelt, text.replace('ProtectHome=', 'ProtectHomes='));
    expect((await runChecker('systemd-analyze', ['verify', misspelt])).output).toContain(
      'ProtectHomes',
    );
  });

  itAnalyzes('has an exposure of at most 2 of 10', async () => {
    // The threshold is given in tenths of a point.
    const args = ['security', '--offline=yes', '--threshold=20', '--no-pager'];
    expect((await runChecker('systemd-analyze', [...args, file])).code).toBe(0);
    // Negative control: the unit without its limits is refused.
    const open = join(folder, 'open.service');
    const limits = /^(Protect|Private|Restrict|SystemCall|Capability|Dynamic|NoNew|Lock).*$/gm;
    await writeFile(open, text.replaceAll(limits, ''));
    expect((await runChecker('systemd-analyze', [...args, open])).code).not.toBe(0);
  });

  it('starts the command of the image', async () => {
    const command = /^CMD (.*)$/m.exec(await readText('apps/chat-hub/Dockerfile'))?.[1] ?? '[]';
    const words = JSON.parse(command) as string[];
    const script = words.pop() ?? '';
    const [node = '', ...options] = words;
    const start = [`/usr/bin/${node}`, ...options, `/opt/openclaw-hub/${script}`].join(' ');
    expect(text).toContain(`\nExecStart=${start}\n`);
  });

  itNotifies('gets READY=1 from the hub once it listens', async () => {
    const socket = join(folder, 'notify');
    const listener = startProcess('python3', ['-c', receiver, socket]);
    scope.defer(() => listener.stop('SIGKILL'));
    await waitFor(() => existsSync(socket) && listener.output().includes('bound'), {
      what: 'the receiver',
    });
    await using hub = await startHub({ env: { NOTIFY_SOCKET: socket } });
    await waitFor(() => listener.output().includes('READY=1'), { what: 'READY=1' });
    expect((await fetch(`${hub.httpUrl}/healthz`)).status).toBe(200);
  });

  itNotifies('does not stop the hub when nobody listens there', async () => {
    const env = { NOTIFY_SOCKET: join(folder, 'nobody'), LOG_LEVEL: 'warn' };
    await using hub = await startHub({ env });
    await waitFor(() => hub.output().includes('systemd could not be notified'), {
      what: 'the warning',
    });
    expect((await fetch(`${hub.httpUrl}/healthz`)).status).toBe(200);
  });
});
