import { useLayoutEffect, useRef } from 'preact/hooks';

const nearEnd = 80;

/**
 * For a list whose rows are all drawn. It keeps the list's end in view while the reader is there, unless `isHeld`. A
 * reader who has scrolled up keeps the same rows in view, even when older rows are added before `first`. The children
 * of `list` are the rows, each with its `data-seq`.
 */
export function useFollowingScroll(first: number | undefined, isHeld: boolean) {
  const view = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const state = useRef({ isFollowing: true, isHeld, top: 0, first, firstTop: 0 }).current;
  state.isHeld = isHeld;

  const follow = () => {
    const element = view.current;
    if (element !== null && state.isFollowing && !state.isHeld) {
      element.scrollTop = element.scrollHeight;
    }
  };
  const topOf = (seq: number | undefined) =>
    list.current?.querySelector<HTMLElement>(`:scope > [data-seq="${seq}"]`)?.offsetTop ?? null;

  useLayoutEffect(() => {
    const moved = topOf(state.first);
    const element = view.current;
    if (element !== null && moved !== null && !state.isFollowing) {
      element.scrollTop += moved - state.firstTop;
    }
    state.first = first;
    state.firstTop = topOf(first) ?? 0;
  }, [first]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(follow);
    for (const { current } of [view, list]) if (current !== null) observer.observe(current);
    return () => observer.disconnect();
  }, []);

  return {
    view,
    list,
    onScroll: () => {
      const element = view.current;
      if (element === null) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      // The distance from the end may have grown only because rows were added. Only scrolling up is a choice of the
      // reader.
      if (scrollHeight - scrollTop - clientHeight < nearEnd) state.isFollowing = true;
      else if (scrollTop < state.top - 1) state.isFollowing = false;
      state.top = scrollTop;
    },
  };
}
