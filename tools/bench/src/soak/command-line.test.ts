import { describe, expect, it } from '@jest/globals';
import { help, listOfFaults, parseCommandLine } from './command-line.ts';
import { faultKinds } from './faults.ts';

describe('the command line', () => {
  it('has defaults', () => {
    expect(parseCommandLine([])).toMatchObject({
      minutes: 5,
      system: { db: 'sqlite', redis: 'single', hubs: 3 },
      rate: 150,
    });
  });

  it('parses all options', () => {
    const args =
      '--minutes 0.5 --seed 3 --db postgres --faults hub.freeze,redis.kill --json x.json';
    expect(parseCommandLine(args.split(' '))).toMatchObject({
      minutes: 0.5,
      seed: 3,
      faults: ['hub.freeze', 'redis.kill'],
      jsonFile: 'x.json',
      system: { db: 'postgres' },
    });
  });

  it.each([
    ['--minutes 0', '--minutes'],
    ['--seed x', '--seed'],
    ['--hubs 1', '--hubs'],
    ['--db mysql', 'sqlite, postgres'],
    ['--faults hub.freeze', '--faults'],
    ['--nothing', 'nothing'],
  ])('refuses %s and names the option', (text, named) => {
    expect(() => parseCommandLine(text.split(' '))).toThrow(named);
  });

  it('has a help text and a list of faults', () => {
    expect(parseCommandLine(['--help'])).toBe(help);
    expect(parseCommandLine(['--list'])).toBe(listOfFaults());
    for (const name of Object.keys(faultKinds)) expect(listOfFaults()).toContain(name);
  });
});
