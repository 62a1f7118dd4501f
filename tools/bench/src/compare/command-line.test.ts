import { describe, expect, it } from '@jest/globals';
import { CommandLineError } from '../command-line.ts';
import { parseCommandLine } from './command-line.ts';

describe('the command line of the bench', () => {
  it('reads works, systems and rates', () => {
    expect(
      parseCommandLine(['--work', 'hall, teams', '--against', 'hub', '--rate', '1000,2500']),
    ).toMatchObject({
      works: ['hall', 'teams'],
      systems: ['hub'],
      rates: [1_000, 2_500],
      rounds: 3,
    });
  });

  it.each([
    ['--rate', '0'],
    ['--rounds', '1.5'],
    ['--sockets', '30'],
    ['--nothing', '1'],
  ])('refuses %s %s, and names the option', (name, value) => {
    const parse = () => parseCommandLine([name, value]);
    expect(parse).toThrow(CommandLineError);
    expect(parse).toThrow(name);
  });
});
