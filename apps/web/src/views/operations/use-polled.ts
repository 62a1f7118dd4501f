import { useEffect } from 'preact/hooks';

/** Does the work now, and again `everyMs` after it has ended, while the page is seen. */
export function usePolled(work: () => Promise<void>, everyMs: number, inputs: readonly unknown[]) {
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      if (document.visibilityState === 'visible') await work();
      if (!isOver) timer = setTimeout(() => void turn(), everyMs);
    };
    void turn();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, inputs);
}
