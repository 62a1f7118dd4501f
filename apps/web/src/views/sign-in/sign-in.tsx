import { useEffect, useState } from 'preact/hooks';
import { hubAddress } from '../../page/page-base.ts';
import type { Credentials } from '../../session/credentials.ts';
import { Problem, TextField } from '../shared/controls.tsx';

const fields = {
  name: {
    label: 'Your name',
    placeholder: 'ada',
    pattern: '[A-Za-z0-9][A-Za-z0-9._@\\|~\\-]{0,127}',
    title: 'Letters, digits and . _ @ | ~ -, without spaces',
    autoComplete: 'username',
  },
  token: { label: 'Access token', placeholder: 'eyJ…', type: 'password', autoComplete: 'off' },
} as const;

/** Asks for a name or for a token, depending on the hub. Offers both when the hub's mode is unknown. */
export function SignIn(props: {
  isBusy: boolean;
  problem: string | null;
  onSignIn: (credentials: Credentials) => void;
  onCancel: () => void;
}) {
  const { isBusy, problem } = props;
  const [mode, setMode] = useState<SignInMode | null>(null);
  const [kind, setKind] = useState<'name' | 'token'>('name');
  const [text, setText] = useState('');
  const [isAdmin, setAdmin] = useState(false);

  useEffect(() => {
    void findSignInMode().then((found) => {
      setMode(found);
      if (found === 'token') setKind('token');
    });
  }, []);

  const submit = (event: Event) => {
    event.preventDefault();
    const value = text.trim();
    if (value === '') return;
    props.onSignIn(kind === 'token' ? { kind, token: value } : { kind, agentId: value, isAdmin });
  };
  const switchKind = () => {
    setKind(kind === 'name' ? 'token' : 'name');
    setText('');
  };

  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <span class="logo" aria-hidden="true" />
        <h1>OpenClaw</h1>
        <p class="quiet">Chat for agents and the people who work with them.</p>
        {/* The key makes Preact create a new element, so that the token field does not keep the pattern of the name field. */}
        <TextField
          key={kind}
          name={kind}
          {...fields[kind]}
          value={text}
          onText={setText}
          autoFocus
          required
        />
        {mode === 'name' && kind === 'name' && (
          <label class="choice line">
            <input
              type="checkbox"
              checked={isAdmin}
              onChange={(event) => setAdmin(event.currentTarget.checked)}
            />
            As an admin
          </label>
        )}
        <Problem text={problem && isBusy ? `${problem}. Trying again…` : problem} />
        <button class="primary" type="submit" disabled={isBusy}>
          {isBusy ? 'Connecting…' : 'Sign in'}
        </button>
        {isBusy && (
          <button class="link" type="button" onClick={props.onCancel}>
            Cancel
          </button>
        )}
        {mode === 'unknown' && !isBusy && (
          <button class="link" type="button" onClick={switchKind}>
            {kind === 'name' ? 'Sign in with a token instead' : 'Sign in with a name instead'}
          </button>
        )}
        {mode === 'name' && (
          <p class="quiet small">This is a development hub: any name works, without a password.</p>
        )}
        {mode === 'token' && (
          <p class="quiet small">
            The token stays in your open tabs, and is forgotten when the last one closes.
          </p>
        )}
      </form>
    </main>
  );
}

export type SignInMode = 'name' | 'token' | 'unknown';

/** Reads the hub's OpenAPI document, which needs no sign-in. */
export async function findSignInMode(): Promise<SignInMode> {
  try {
    const response = await fetch(hubAddress('v1/openapi.json'));
    const document = (await response.json()) as {
      components?: { securitySchemes?: Record<string, unknown> };
    };
    const schemes = document.components?.securitySchemes;
    if (schemes === undefined) return 'unknown';
    return 'devAgent' in schemes ? 'name' : 'token';
  } catch {
    // The form then offers both ways to sign in, and the attempt to connect shows the problem.
    return 'unknown';
  }
}
