import { execFile } from 'node:child_process';
import type { Logger } from 'pino';

/**
 * Notifies systemd when `NOTIFY_SOCKET` is set (Type=notify). Runs `systemd-notify`, because Node has no Unix
 * datagram sockets. After a failure, systemd stops the hub at the end of TimeoutStartSec.
 */
export function notifyReady(notifySocket: string | null, log: Logger): void {
  if (notifySocket === null) return;
  const env = { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: notifySocket };
  execFile('systemd-notify', ['--ready'], { env, timeout: 10_000 }, (error) => {
    if (error) log.warn({ err: error }, 'systemd could not be notified that the hub is ready');
  });
}
