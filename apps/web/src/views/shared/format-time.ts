// All places show the 24-hour clock, whatever the browser's language: 16:34.
const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const time = new Intl.DateTimeFormat(undefined, clock);
const timeWithSeconds = new Intl.DateTimeFormat(undefined, { ...clock, second: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'full',
  timeStyle: 'medium',
  hourCycle: 'h23',
});
const dayMs = 86_400_000;

export const timeText = (timestamp: number): string => time.format(timestamp);
export const timeWithSecondsText = (timestamp: number): string => timeWithSeconds.format(timestamp);
export const fullTimeText = (timestamp: number): string => full.format(timestamp);

export function dayText(timestamp: number, nowMs = Date.now()): string {
  if (isSameDay(timestamp, nowMs)) return 'Today';
  if (isSameDay(timestamp, nowMs - dayMs)) return 'Yesterday';
  return day.format(timestamp);
}

/** The text is, for example, `16:33` for today, and `Yesterday 16:33` for an earlier day. */
export function sinceText(timestamp: number, nowMs = Date.now()): string {
  const text = timeText(timestamp);
  return isSameDay(timestamp, nowMs) ? text : `${dayText(timestamp, nowMs)} ${text}`;
}

export function isSameDay(a: number, b: number): boolean {
  // Two times less than 24 hours apart are on the same day if they have the same day of the month. Formatting the times
  // would be slower.
  if (Math.abs(a - b) >= dayMs) return false;
  return new Date(a).getDate() === new Date(b).getDate();
}

export function agoText(timestamp: number, nowMs = Date.now()): string {
  const seconds = Math.max(0, Math.round((nowMs - timestamp) / 1000));
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return day.format(timestamp);
}
