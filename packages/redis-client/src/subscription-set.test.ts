import { describe, expect, it } from '@jest/globals';
import { createSubscriptionSet, type HandlerEntry } from './subscription-set.ts';

const entry = (): HandlerEntry => ({ handle: () => undefined });
const names = (changes: { add: ReadonlyMap<string, unknown>; remove: readonly string[] }) => ({
  add: [...changes.add.keys()],
  remove: changes.remove,
});

describe('the registry of subscriptions', () => {
  it('subscribes a name with its first handler and unsubscribes it with its last', () => {
    const set = createSubscriptionSet('topic');
    const [one, two] = [entry(), entry()];
    set.add('a', one);
    set.add('a', two);
    expect(names(set.takeChanges())).toEqual({ add: ['a'], remove: [] });
    expect(names(set.takeChanges())).toEqual({ add: [], remove: [] });
    expect(set.remove('a', one)).toBe(true);
    expect(set.remove('a', one)).toBe(false);
    expect(names(set.takeChanges())).toEqual({ add: [], remove: [] });
    expect(set.remove('a', two)).toBe(true);
    expect(names(set.takeChanges())).toEqual({ add: [], remove: ['a'] });
    expect(set.size).toBe(0);
  });

  it('sends nothing for a name that was added and removed, or removed and added, in one turn', () => {
    const set = createSubscriptionSet('topic');
    const [one, two] = [entry(), entry()];
    set.add('a', one);
    set.remove('a', one);
    expect(names(set.takeChanges())).toEqual({ add: [], remove: [] });
    set.add('a', one);
    const { add } = set.takeChanges();
    set.confirm('a', add.get('a')!);
    set.remove('a', one);
    set.add('a', two);
    expect(names(set.takeChanges())).toEqual({ add: [], remove: [] });
    expect(set.isUnconfirmed('a')).toBe(false);
  });

  // The race: before the first SUBSCRIBE is answered, the client sends UNSUBSCRIBE and a second SUBSCRIBE. Invariant:
  // the first answer confirms only the first SUBSCRIBE.
  it('takes the confirmation of an earlier SUBSCRIBE only for that one', () => {
    const set = createSubscriptionSet('topic');
    const one = entry();
    set.add('a', one);
    const first = set.takeChanges().add.get('a')!;
    set.remove('a', one);
    set.takeChanges();
    set.add('a', one);
    const second = set.takeChanges().add.get('a')!;
    set.confirm('a', first);
    expect(set.isUnconfirmed('a')).toBe(true);
    expect(set.countUnconfirmed()).toBe(1);
    set.retryLater('a', first);
    set.confirm('a', second);
    expect(set.isUnconfirmed('a')).toBe(false);
  });

  it('subscribes every name again on a new connection, and a refused name at the next try', () => {
    const set = createSubscriptionSet('topic');
    for (const name of ['a', 'b']) set.add(name, entry());
    for (const [name, told] of set.takeChanges().add) set.confirm(name, told);
    expect(set.countUnconfirmed()).toBe(0);
    set.reset();
    expect(set.countUnconfirmed()).toBe(2);
    const { add } = set.takeChanges();
    expect([...add.keys()]).toEqual(['a', 'b']);
    set.confirm('a', add.get('a')!);
    set.retryLater('b', add.get('b')!);
    expect(names(set.takeChanges())).toEqual({ add: ['b'], remove: [] });
  });

  it('calls the handlers that were registered when the message arrived', () => {
    const set = createSubscriptionSet('topic');
    const [one, two] = [entry(), entry()];
    set.add('a', one);
    const seen = set.handlers('a');
    set.add('a', two);
    set.remove('a', one);
    expect(seen).toEqual([one]);
    expect(set.handlers('a')).toEqual([two]);
  });
});
