import { useEffect, useState } from 'preact/hooks';
import { errorMessage } from '../page/notices.ts';
import type { Theme } from '../page/theme.ts';
import { type Credentials, storedCredentials } from '../session/credentials.ts';
import { openSession } from '../session/session.ts';
import { createPageState, PageContext, type PageState } from './page-state.ts';
import { SignIn } from './sign-in/sign-in.tsx';
import { Workspace } from './workspace/workspace.tsx';

export function App({ theme }: { theme: Theme }) {
  const [stored] = useState(storedCredentials);
  const [credentials, setCredentials] = useState(stored.peek());
  const [page, setPage] = useState<PageState | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const end = (reason: string | null) => {
    stored.value = null;
    setProblem(reason);
    setCredentials(null);
  };
  useEffect(() => {
    if (credentials === null) return;
    let opened: PageState | null = null;
    const abort = new AbortController();
    const { signal } = abort;
    openSession(credentials, { signal, onRetry: setProblem, onEnd: end }).then(
      (session) => {
        if (signal.aborted) return void session.close();
        stored.value = credentials;
        opened = createPageState(session, theme, () => end(null));
        setProblem(null);
        setPage(opened);
      },
      (error: unknown) => {
        if (!signal.aborted) end(errorMessage(error));
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
      onCancel={() => end(null)}
    />
  );
}
