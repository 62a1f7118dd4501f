import { useEffect, useState } from 'preact/hooks';
import { openSession } from '../session/session.ts';
import {
  clearCredentials,
  loadCredentials,
  saveCredentials,
  type Credentials,
} from '../session/credentials.ts';
import type { Theme } from '../page/theme.ts';
import { createPageState, PageContext, type PageState } from '../page/page-state.ts';
import { SignIn } from './sign-in/sign-in.tsx';
import { Workspace } from './workspace/workspace.tsx';

/** The whole page: signing in, or what comes after. */
export function App({ theme }: { theme: Theme }) {
  const [credentials, setCredentials] = useState(() => loadCredentials(sessionStorage));
  const [page, setPage] = useState<PageState | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    if (credentials === null) return;
    let opened: PageState | null = null;
    const abort = new AbortController();
    const { signal } = abort;
    const end = (reason: string | null) => {
      clearCredentials(sessionStorage);
      setProblem(reason);
      setCredentials(null);
    };
    openSession(credentials, { signal, onTrouble: setProblem, onEnd: end }).then(
      (session) => {
        if (signal.aborted) return void session.close();
        saveCredentials(sessionStorage, credentials);
        opened = createPageState(session, theme, () => end(null));
        setProblem(null);
        setPage(opened);
      },
      (error: unknown) => {
        if (!signal.aborted) end(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      abort.abort();
      setPage(null);
      void opened?.session.close();
    };
  }, [credentials]);

  if (page !== null) {
    return (
      <PageContext.Provider value={page}>
        <Workspace />
      </PageContext.Provider>
    );
  }
  const signIn = (next: Credentials) => {
    setProblem(null);
    setCredentials(next);
  };
  return (
    <SignIn
      isBusy={credentials !== null}
      problem={problem}
      onSignIn={signIn}
      onCancel={() => {
        clearCredentials(sessionStorage);
        setProblem(null);
        setCredentials(null);
      }}
    />
  );
}
