export interface Directive {
  readonly name: string;
  readonly value: string;
  /** The reason is the comment above the setting or above its block. */
  readonly reason: string;
}

export function parseConf(text: string): Directive[] {
  const directives: Directive[] = [];
  let reason: string[] = [];
  let isBlockDone = false;
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      reason = [];
    } else if (line.startsWith('#')) {
      if (isBlockDone) reason = [];
      reason.push(line.replace(/^#\s*/, ''));
    } else {
      const [name = '', ...words] = line.trim().split(/\s+/);
      directives.push({ name, value: words.join(' '), reason: reason.join(' ') });
    }
    isBlockDone = line.trim() !== '' && !line.startsWith('#');
  }
  return directives;
}

/** The value as CONFIG GET returns it: sizes in bytes, without quotes. */
export function asConfigGet(value: string): string {
  return value
    .replaceAll('"', '')
    .split(' ')
    .map((word) => {
      const [, number, unit] = /^(\d+)(kb|mb|gb)$/.exec(word) ?? [];
      if (number === undefined) return word;
      return String(Number(number) * 1024 ** (['kb', 'mb', 'gb'].indexOf(unit ?? '') + 1));
    })
    .join(' ');
}
