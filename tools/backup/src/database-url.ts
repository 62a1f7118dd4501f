import { resolve } from 'node:path';

export function sqlitePath(url: string): string | null {
  if (!url.startsWith('sqlite:')) return null;
  return resolve(url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, ''));
}

/** The name contains no user and no password. */
export function databaseName(url: string): string {
  const path = sqlitePath(url);
  if (path !== null) return path;
  const { host, pathname } = new URL(url);
  return `PostgreSQL ${host}${pathname}`;
}
