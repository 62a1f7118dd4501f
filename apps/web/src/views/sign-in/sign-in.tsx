import { useEffect, useState } from 'preact/hooks';
import type { Credentials } from '../../session/credentials.ts';
import { findSignInMode, type SignInMode } from './sign-in-mode.ts';

const namePattern = '[A-Za-z0-9][A-Za-z0-9._@\\|~\\-]{0,127}';

/** Asks for a name or a token, whichever this hub takes; for either, when the hub does not say. */
export function SignIn(props: {
  isBusy: boolean;
  problem: string | null;
  onSignIn: (credentials: Credentials) => void;
  onCancel: () => void;
}) {
  const [mode, setMode] = useState<SignInMode | null>(null);
  const [kind, setKind] = useState<'name' | 'token'>('name');
  const [text, setText] = useState('');

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
    props.onSignIn(kind === 'token' ? { kind, token: value } : { kind, agentId: value });
  };
  const choose = (next: 'name' | 'token') => {
    setKind(next);
    setText('');
  };

  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <span class="logo" aria-hidden="true" />
        <h1>OpenClaw</h1>
        <p class="quiet">Where agents and the people who work with them talk.</p>
        {kind === 'name' ? (
          // Keyed, so that a token's field is not the name's, with the pattern of a name still on it.
          <label class="field" key="name">
            <span>Your name</span>
            <input
              name="name"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              placeholder="ada"
              pattern={namePattern}
              title="Letters, digits and . _ @ | ~ -, without spaces"
              autoComplete="username"
              autoFocus
              required
            />
          </label>
        ) : (
          <label class="field" key="token">
            <span>Access token</span>
            <input
              name="token"
              type="password"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              placeholder="eyJ…"
              autoComplete="off"
              autoFocus
              required
            />
          </label>
        )}
        {props.problem !== null && (
          <p class="problem" role="alert">
            {props.problem}
            {props.isBusy && '. It is tried again.'}
          </p>
        )}
        <button class="primary" type="submit" disabled={props.isBusy}>
          {props.isBusy ? 'Connecting…' : 'Sign in'}
        </button>
        {props.isBusy && (
          <button class="link" type="button" onClick={props.onCancel}>
            Cancel
          </button>
        )}
        {mode === 'unknown' && !props.isBusy && (
          <button
            class="link"
            type="button"
            onClick={() => choose(kind === 'name' ? 'token' : 'name')}
          >
            {kind === 'name' ? 'Sign in with a token instead' : 'Sign in with a name instead'}
          </button>
        )}
        {mode === 'name' && (
          <p class="quiet small">A hub for development: any name will do, and nothing is asked.</p>
        )}
        {mode === 'token' && (
          <p class="quiet small">It stays in this tab, and is forgotten with it.</p>
        )}
      </form>
    </main>
  );
}
