import { reads, writes, type Hub } from './hub.ts';
import { answer, type Handlers } from '../calls/answer.ts';

/** read.* and ping: how far an agent has read, and whether the hub is there. */
export function readingMethods(hub: Hub): Pick<Handlers, 'read.mark' | 'read.state' | 'ping'> {
  return {
    'read.mark': writes(hub, 'read.mark'),
    'read.state': reads(hub, 'read.state'),
    ping: () => answer({ timestamp: Date.now() }),
  };
}
