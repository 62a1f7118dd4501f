const hoursAndMinutes = { hour: '2-digit', minute: '2-digit' } as const;
const time = new Intl.DateTimeFormat(undefined, hoursAndMinutes);
const shortTime = new Intl.DateTimeFormat(undefined, { ...hoursAndMinutes, hourCycle: 'h23' });
const axisTime = new Intl.DateTimeFormat(undefined, {
  ...hoursAndMinutes,
  second: '2-digit',
  hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayMs = 86_400_000;

export const timeText = (timestamp: number): string => time.format(timestamp);
/** The time without AM and PM, for narrow places. */
export const shortTimeText = (timestamp: number): string => shortTime.format(timestamp);
/** The time with seconds, for the axis of a chart. */
export const axisTimeText = (timestamp: number): string => axisTime.format(timestamp);
export const fullTimeText = (timestamp: number): string => full.format(timestamp);

export function dayText(timestamp: number, nowMs = Date.now()): string {
  if (isSameDay(timestamp, nowMs)) return 'Today';
  if (isSameDay(timestamp, nowMs - dayMs)) return 'Yesterday';
  return day.format(timestamp);
}

/** True when both times are on one day in the reader's time zone. */
export function isSameDay(a: number, b: number): boolean {
  // Two times are on one day when they are less than 24 hours apart and on the same day of the month. This is cheaper
  // than formatting both.
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
