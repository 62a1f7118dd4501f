const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const shortTime = new Intl.DateTimeFormat(undefined, {
  ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
});
const clock = new Intl.DateTimeFormat(undefined, {
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
});
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayMs = 86_400_000;

/** Hours and minutes. */
export function timeText(timestamp: number): string {
  return time.format(timestamp);
}

/** The same where there is little room. */
export function shortTimeText(timestamp: number): string {
  return shortTime.format(timestamp);
}

/** To the second, for an axis. */
export function clockText(timestamp: number): string {
  return clock.format(timestamp);
}

/** All there is to say of a moment. */
export function wholeText(timestamp: number): string {
  return whole.format(timestamp);
}

/** Today, Yesterday, or the day by its name. */
export function dayText(timestamp: number, nowMs = Date.now()): string {
  if (isSameDay(timestamp, nowMs)) return 'Today';
  if (isSameDay(timestamp, nowMs - dayMs)) return 'Yesterday';
  return day.format(timestamp);
}

/** Do both moments lie on one day, where the reader is? */
export function isSameDay(a: number, b: number): boolean {
  // Within 23 hours of each other and on the same date of the month, which costs no formatting.
  if (Math.abs(a - b) >= dayMs) return false;
  return new Date(a).getDate() === new Date(b).getDate();
}

/** Seconds, minutes or hours since then, roughly. */
export function agoText(timestamp: number, nowMs = Date.now()): string {
  const seconds = Math.max(0, Math.round((nowMs - timestamp) / 1000));
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return day.format(timestamp);
}
