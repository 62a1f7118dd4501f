import type { RuleFile } from '../alert-rules.ts';

/** Replaces shorter windows, and covers several scrapes, which are two seconds apart. */
const shortWindow = '14s';
/** Replaces windows of over ten minutes, and covers the three starts of a restarting hub. */
const longWindow = '45s';
const secondsOf = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Windows take seconds, so that a drill does too. Conditions and thresholds stay. */
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
