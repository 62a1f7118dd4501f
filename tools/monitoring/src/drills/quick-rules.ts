import type { RuleFile } from '../alert-rules.ts';

/** Replaces windows of up to ten minutes. Covers several scrapes, which are two seconds apart. */
const shortWindow = '14s';
/** Replaces longer windows. Covers the three starts of a restarting hub. */
const longWindow = '45s';
const secondsOf = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Shortens the windows and each `for` to seconds, so that a drill is quick. Thresholds stay the same. */
export function quickRules({ groups }: RuleFile): RuleFile {
  return {
    groups: groups.map(({ name, rules }) => ({
      name,
      rules: rules.map((rule) => ({
        ...rule,
        expr: rule.expr.replace(/\[(\d+)([smhd])\]/g, (_, count: string, unit: string) => {
          const seconds = Number(count) * secondsOf[unit as keyof typeof secondsOf];
          return `[${seconds > 600 ? longWindow : shortWindow}]`;
        }),
        ...(rule.for !== undefined && { for: '2s' }),
      })),
    })),
  };
}
