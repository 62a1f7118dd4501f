import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

const nearEnd = 80;

/** A scrolled list that is drawn whole. */
export interface FollowingScroll {
  readonly view: RefObject<HTMLDivElement | null>;
  /** What is in the view: the rows, each with its `data-seq`, and what stands around them. */
  readonly list: RefObject<HTMLDivElement | null>;
  readonly onScroll: () => void;
}

/**
 * Keeps the end of a list in view for as long as the reader is there, whatever makes it longer. Who reads further up stays
 * with what they read, also when older rows are put before the `first`.
 */
export function useFollowingScroll(first: number | undefined, isHeld: boolean): FollowingScroll {
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
    ...{ view, list },
    onScroll() {
      const element = view.current;
      if (element === null) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      // What came in may not have been scrolled to yet; only who moves up wants to read there.
      if (scrollHeight - scrollTop - clientHeight < nearEnd) state.isFollowing = true;
      else if (scrollTop < state.top - 1) state.isFollowing = false;
      state.top = scrollTop;
    },
  };
}
