import { describe, expect, it } from '@jest/globals';
import { HubError } from './errors.ts';
import { resolveOptions } from './options.ts';

describe('the options of createClient', () => {
  it('take the address with or without a path, as ws or http', () => {
    const urlOf = (url: string) => resolveOptions({ url, token: 'x' }).url;
    expect(urlOf('ws://127.0.0.1:8080')).toBe('ws://127.0.0.1:8080/v1/ws');
    expect(urlOf('https://chat.example.com/')).toBe('wss://chat.example.com/v1/ws');
    expect(urlOf('https://example.com/team/chat/?kind=person')).toBe(
      'wss://example.com/team/chat/v1/ws?kind=person',
    );
    expect(urlOf('wss://example.com/chat/v1/ws')).toBe('wss://example.com/chat/v1/ws');
  });

  it('name the agent in the address for a hub with dev auth', () => {
    const { url, getToken } = resolveOptions({ url: 'ws://localhost:1', agent: 'ada|1' });
    expect(url).toBe('ws://localhost:1/v1/ws?agent=ada%7C1');
    expect(getToken).toBeNull();
  });

  it('say what to load where the URL is incomplete, as in React Native', () => {
    const whole = globalThis.URL;
    globalThis.URL = class {
      get protocol(): string {
        throw new Error('URL.protocol is not implemented');
      }
    } as never;
    try {
      expect(() => resolveOptions({ url: 'ws://localhost', agent: 'ada' })).toThrow(
        /the URL of this platform is incomplete: load a polyfill/,
      );
    } finally {
      globalThis.URL = whole;
    }
  });

  it('are refused with the name of the bad option', () => {
    const refusalOf = (options: object) => {
      try {
        resolveOptions({ url: 'ws://localhost', agent: 'ada', ...options });
      } catch (error) {
        return error as HubError;
      }
      throw new Error('accepted');
    };
    expect(refusalOf({ url: 'nowhere' })).toMatchObject({ name: 'HubError', code: 'invalid' });
    expect(refusalOf({ url: 'ftp://x' }).message).toContain('ws://');
    expect(refusalOf({ token: 'x' }).message).toContain('token, getToken and agent');
    expect(refusalOf({ agent: undefined }).message).toContain('token, getToken and agent');
    expect(refusalOf({ queueMax: Number.NaN }).message).toContain('queueMax');
    expect(refusalOf({ callTimeoutMs: -1 }).message).toContain('callTimeoutMs');
  });
});
