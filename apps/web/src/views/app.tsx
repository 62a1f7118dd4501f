import { useEffect, useRef, useState } from 'preact/hooks';
import { plainReason } from '../page/plain-errors.ts';
import type { Theme } from '../page/theme.ts';
import { type Credentials, storedCredentials } from '../session/credentials.ts';
import { openSession } from '../session/session.ts';
import { createSharedSignIn, type SharedSignIn } from '../session/shared-sign-in.ts';
import { createPageState, PageContext, type PageState } from './page-state.ts';
import { SignIn } from './sign-in/sign-in.tsx';
import { Workspace } from './workspace/workspace.tsx';

export function App({ theme }: { theme: Theme }) {
  const [stored] = useState(storedCredentials);
  const [credentials, setCredentials] = useState(stored.peek());
  const [page, setPage] = useState<PageState | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(credentials === null);
  const newest = useRef(credentials);
  newest.current = credentials;
  const signIn = (next: Credentials) => {
    newest.current = next;
    setProblem(null);
    setCredentials(next);
  };
  const end = (reason: string | null) => {
    stored.value = null;
    setProblem(reason);
    setCredentials(null);
  };
  const signOut = () => {
    // The next agent may not have access to this view, so the page starts again at the home view.
    if (newest.current !== null) history.replaceState(null, '', '#/');
    end(null);
  };
  const tabs = useRef<SharedSignIn | null>(null);

  useEffect(() => {
    const shared = createSharedSignIn(() => newest.current, {
      signedIn: signIn,
      signedOut: signOut,
    });
    tabs.current = shared;
    if (isAsking) void shared.ask().then(() => setAsking(false));
    return shared.close;
  }, []);
  useEffect(() => {
    if (credentials === null) return;
    let opened: PageState | null = null;
    const abort = new AbortController();
    const { signal } = abort;
    const leave = () => {
      tabs.current?.signedOut();
      signOut();
    };
    openSession(credentials, { signal, onRetry: setProblem, onEnd: end }).then(
      (session) => {
        if (signal.aborted) return void session.close();
        stored.value = credentials;
        opened = createPageState(session, theme, leave);
        tabs.current?.signedIn(credentials);
        setProblem(null);
        setPage(opened);
      },
      (error: unknown) => {
        if (!signal.aborted) end(plainReason(error));
      },
    );
    return () => {
      abort.abort();
      setPage(null);
      void opened?.close();
    };
  }, [credentials]);

  if (page !== null) {
    return (
      <PageContext.Provider value={page}>
        <Workspace />
      </PageContext.Provider>
    );
  }
  // The page is asking the other tabs. If one of them is signed in, the form would be shown only for a moment.
  if (isAsking) return null;
  return (
    <SignIn
      isBusy={credentials !== null}
      problem={problem}
      onSignIn={signIn}
      onCancel={() => end(null)}
    />
  );
}
