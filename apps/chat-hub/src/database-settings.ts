import { databaseUrlProblem } from '@openclaw/chat-store';
import { z } from 'zod';

export const databaseVariables = {
  HUB_DB_URL: z
    .string()
    .superRefine((url, context) => {
      const message = databaseUrlProblem(url);
      if (message !== null) context.addIssue({ code: 'custom', message });
    })
    .optional(),
  HUB_DB_HOST: z.string().optional(),
  HUB_DB_PORT: z.coerce.number().int().min(1).max(65_535).default(5432),
  // No other characters are accepted, because the programs that read the URL do not all decode them in the same way.
  HUB_DB_NAME: z
    .string()
    .regex(/^[\p{L}\p{N}_.-]{1,63}$/u, 'may have letters, digits, _ . and - only')
    .default('openclaw'),
  HUB_DB_USER: z.string().default('openclaw'),
  HUB_DB_PASSWORD: z.string().optional(),
  HUB_DB_PARAMETERS: z
    .string()
    .regex(/^[^?#@\s]+$/, 'must be as in a URL, such as sslmode=verify-full')
    .optional(),
};

type DatabaseSettings = z.output<z.ZodObject<typeof databaseVariables>>;

const sqliteFile = 'sqlite:.data/hub.sqlite';

/** Percent-encodes the user and the password when it builds the URL from the separate variables. */
export function databaseUrlOf(settings: DatabaseSettings): string {
  const { HUB_DB_URL: url, HUB_DB_HOST: host } = settings;
  if (host === undefined) return url ?? sqliteFile;
  const address = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const { HUB_DB_USER: user, HUB_DB_PASSWORD: password, HUB_DB_PORT: port } = settings;
  const credentials = [user, ...(password === undefined ? [] : [password])]
    .map(encodeURIComponent)
    .join(':');
  const { HUB_DB_NAME: name, HUB_DB_PARAMETERS: parameters } = settings;
  const query = parameters === undefined ? '' : `?${parameters}`;
  return `postgres://${credentials}@${address}:${port}/${encodeURIComponent(name)}${query}`;
}

export function databaseProblem(
  given: Readonly<Record<string, string | undefined>>,
): string | null {
  const parts = Object.keys(databaseVariables).filter(
    (name) => name !== 'HUB_DB_URL' && given[name] !== undefined,
  );
  const [part] = parts;
  if (part === undefined) return null;
  if (given['HUB_DB_URL'] !== undefined) return `HUB_DB_URL: ${part} is set too; set one of them`;
  if (given['HUB_DB_HOST'] === undefined) return `HUB_DB_HOST: is needed beside ${part}`;
  if (/[\s/?#@%]/.test(given['HUB_DB_HOST'])) return 'HUB_DB_HOST: is not a host name or address';
  return null;
}
