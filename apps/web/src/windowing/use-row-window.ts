import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import { offsetsOf, rowAt, rowOfSeq, rowsInView, type RowWindow } from './row-window.ts';
import { standingOf } from './row-offset.ts';

/** A row that a window is about: known by a number that grows from row to row. */
export interface WindowedRow {
  readonly seq: number;
}

/** A list of which only what is near the view is drawn. */
export interface RowWindowView extends RowWindow {
  readonly view: RefObject<HTMLDivElement | null>;
  /** The element whose children are the drawn rows, each with its `data-seq`. */
  readonly list: RefObject<HTMLDivElement | null>;
  readonly totalHeight: number;
  /** Where the first drawn row stands; null when the last one stands at the end. */
  readonly offset: number | null;
  readonly onScroll: () => void;
  readonly onWheel: (event: WheelEvent) => void;
  /** Brings a row into the view. */
  reveal(seq: number): void;
}

export interface RowWindowOptions<T extends WindowedRow> {
  readonly rows: readonly T[];
  /** Kept true while the newest row is to stay in view. */
  readonly isFollowing: Signal<boolean>;
  /** Are there newer rows that are not loaded, so that the end of the list is not the end? */
  readonly hasNewer: boolean;
  /** The row that stays in view though newer ones come, while something is done with it; another object brings it back. */
  readonly held: WindowedRow | null;
  readonly onNearTop: () => void;
  readonly onNearBottom: () => void;
}

interface ScrollState {
  readonly heights: Map<number, number>;
  /** The row that stays where it is, and how far above the view's top it begins. */
  anchor: { readonly seq: number; readonly above: number } | null;
  held: WindowedRow | null;
  height: number;
  width: number;
  top: number;
  offsets: Float64Array;
}

const estimatedHeight = 62;
const overscan = 700;
const overscanAtEnd = 250;
const nearEdge = 900;
const measuredMax = 40_000;

/**
 * Draws the rows that are in view. Heights are measured as rows appear; whatever changes above the view, what the reader
 * looks at stays where it is. `leading` is the height of what stands before the first row.
 */
export function useRowWindow<T extends WindowedRow>(
  options: RowWindowOptions<T>,
  leading: number,
): RowWindowView {
  const { rows, isFollowing, held } = options;
  const view = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const state = useRef<ScrollState>({
    ...{ heights: new Map(), anchor: null, held: null, height: 800, width: 0, top: 0 },
    offsets: new Float64Array(1),
  }).current;

  const follows = isFollowing.value;
  state.offsets = offsetsOf(rows, (row) => state.heights.get(row.seq), estimatedHeight);
  const total = state.offsets[rows.length] ?? 0;
  const wanted = wantedTop();
  const around = follows ? overscanAtEnd : overscan;
  const window = rowsInView(state.offsets, wanted - leading, state.height, around);

  function wantedTop(): number {
    if (follows) return Math.max(0, total + leading - state.height);
    if (state.anchor === null) return state.top;
    const index = rowOfSeq(rows, state.anchor.seq);
    return Math.max(0, (state.offsets[index] ?? total) + leading + state.anchor.above);
  }

  function keepAnchor() {
    const top = view.current?.getBoundingClientRect().top ?? 0;
    for (const row of list.current?.children ?? []) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom <= top) continue;
      state.anchor = { seq: seqOf(row), above: top - rect.top };
      return;
    }
    // Scrolled so fast that nothing drawn is in view.
    if (rows.length === 0) return;
    const index = rowAt(state.offsets, Math.max(0, state.top - leading));
    const above = state.top - leading - (state.offsets[index] ?? 0);
    state.anchor = { seq: (rows[index] as T).seq, above };
  }

  function reveal(seq: number) {
    isFollowing.value = false;
    state.anchor = { seq, above: -state.height / 3 };
    redraw(null);
  }

  function hold({ seq }: WindowedRow) {
    const standing = standingOf(view.current, list.current, seq);
    if (standing === null) return reveal(seq);
    state.anchor = { seq, above: -standing };
    isFollowing.value = false;
  }

  /** Goes on following where the newest row is in view. */
  function release() {
    const newest = rows.at(-1);
    if (newest === undefined || options.hasNewer) return;
    if (standingOf(view.current, list.current, newest.seq) !== null) isFollowing.value = true;
  }

  /** Takes the drawn rows' heights, and puts the view where it belongs. */
  function settle() {
    const element = view.current;
    if (element === null) return;
    let isChanged = false;
    if (state.heights.size > measuredMax) state.heights.clear();
    for (const row of list.current?.children ?? []) {
      const { height } = row.getBoundingClientRect();
      if (Math.abs((state.heights.get(seqOf(row)) ?? -1) - height) < 0.5) continue;
      state.heights.set(seqOf(row), height);
      isChanged = true;
    }
    // While the end is in view its rows stand on the bottom, so what is above need not be right to the pixel.
    if (isChanged && (!isFollowing.peek() || total < state.height * 3)) {
      state.offsets = offsetsOf(rows, (row) => state.heights.get(row.seq), estimatedHeight);
      redraw(null);
    }
    const top = isFollowing.peek() ? element.scrollHeight - element.clientHeight : wantedTop();
    if (Math.abs(element.scrollTop - top) > 1) element.scrollTop = top;
    state.top = element.scrollTop;
  }
  const newestSettle = useRef(settle);
  newestSettle.current = settle;

  useLayoutEffect(() => {
    if (held !== null) hold(held);
    else if (state.held !== null) release();
    state.held = held;
  }, [held]);
  useLayoutEffect(settle);
  useLayoutEffect(() => {
    const element = view.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      const { clientHeight, clientWidth } = element;
      const isResized = state.width !== clientWidth || state.height !== clientHeight;
      if (state.width !== clientWidth) state.heights.clear();
      state.height = clientHeight;
      state.width = clientWidth;
      if (isResized) redraw(null);
      else newestSettle.current();
    });
    observer.observe(element);
    if (list.current !== null) observer.observe(list.current);
    return () => observer.disconnect();
  }, []);

  return {
    ...window,
    ...{ view, list, reveal },
    totalHeight: total,
    offset: follows ? null : (state.offsets[window.start] ?? 0),
    onScroll() {
      const element = view.current;
      if (element === null) return;
      const { scrollTop, scrollHeight, clientHeight } = element;
      const isAtEnd = scrollHeight - scrollTop - clientHeight < 6;
      if (isAtEnd && !options.hasNewer && held === null) isFollowing.value = true;
      else if (scrollTop < state.top - 1) isFollowing.value = false;
      state.top = scrollTop;
      if (!isFollowing.peek()) keepAnchor();
      if (scrollTop < nearEdge) options.onNearTop();
      if (options.hasNewer && scrollHeight - scrollTop - clientHeight < nearEdge)
        options.onNearBottom();
      redraw(null);
    },
    onWheel(event) {
      // Before the view has moved: else the next event would pull it back to the end.
      if (event.deltaY >= 0 || !isFollowing.peek() || state.top <= 0) return;
      keepAnchor();
      isFollowing.value = false;
    },
  };
}

function seqOf(row: Element): number {
  return Number((row as HTMLElement).dataset.seq);
}
