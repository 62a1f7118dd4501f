import { useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { useSignal, type Signal } from '@preact/signals';
import { indexOfSeq } from '../store/timeline.ts';
import { offsetsOf, rowAt, rowsInView } from './row-window.ts';

interface WindowedRow {
  readonly seq: number;
}

/**
 * `first` and `last` are seqs of rows. A row at the top is in view while any part of it is. A row at the bottom is in
 * view when its middle is.
 */
export interface RowsInView {
  readonly first: number;
  readonly last: number;
  /** The distance in pixels from the top of the first row down to the top of the view. */
  readonly above: number;
}

export interface RowWindowOptions {
  /** The seqs increase from row to row. */
  readonly rows: readonly WindowedRow[];
  /** True while the newest row is kept in view. */
  readonly isFollowing: Signal<boolean>;
  /** True when the channel has newer rows that are not loaded. */
  readonly hasNewer: boolean;
  /** This row stays in view when new rows arrive. A new object for the same row scrolls to that row again. */
  readonly held: WindowedRow | null;
  readonly leadingHeight: number;
  /** The window calls this after each render and scroll, with null when no row is in view. */
  readonly onView?: (inView: RowsInView | null) => void;
  readonly onNearTop: () => void;
  readonly onNearBottom: () => void;
}

const estimatedHeight = 62;
const overscan = 700;
const overscanAtEnd = 250;
const nearEdge = 900;
const atEdge = 6;
const measuredMax = 40_000;

/**
 * Renders only the rows near the view. Rows are measured after they are rendered. A change above
 * the view does not move the visible rows.
 */
export function useRowWindow(options: RowWindowOptions) {
  const { rows, isFollowing, held, leadingHeight: leading } = options;
  const view = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const shown = useSignal<RowsInView | null>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const state = useRef({
    heights: new Map<number, number>(),
    /**
     * The anchored row stays in place. `above` is the distance in pixels from its top down to the top of the view.
     */
    anchor: null as { readonly seq: number; readonly above: number } | null,
    held: null as WindowedRow | null,
    height: 800,
    width: 0,
    top: 0,
    offsets: offsetsOf(rows, () => undefined, estimatedHeight),
    isEndInView: true,
    isRevealing: false,
  }).current;

  const follows = isFollowing.value;
  state.offsets = offsetsOf(rows, (row) => state.heights.get(row.seq), estimatedHeight);
  const totalHeight = state.offsets[rows.length] ?? 0;
  const around = follows ? overscanAtEnd : overscan;
  const window = rowsInView(state.offsets, wantedTop() - leading, state.height, around);

  function wantedTop(): number {
    if (follows) return Math.max(0, totalHeight + leading - state.height);
    if (state.anchor === null) return state.top;
    const index = indexOfSeq(rows, state.anchor.seq);
    return Math.max(0, (state.offsets[index] ?? totalHeight) + leading + state.anchor.above);
  }

  function keepAnchor() {
    const { top = 0, bottom = 0 } = view.current?.getBoundingClientRect() ?? {};
    for (const row of list.current?.children ?? []) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom <= top) continue;
      if (rect.top >= bottom) break;
      state.anchor = { seq: seqOf(row), above: top - rect.top };
      return;
    }
    // The reader scrolled so fast that no rendered row is in view.
    const index = rowAt(state.offsets, Math.max(0, state.top - leading));
    const row = rows[index];
    if (row === undefined) return;
    state.anchor = { seq: row.seq, above: state.top - leading - (state.offsets[index] ?? 0) };
  }

  /** Returns how many pixels the row's top is below the top of the view, or null when the row is not in view. */
  function offsetInView(seq: number): number | null {
    const row = list.current?.querySelector(`:scope > [data-seq="${seq}"]`);
    if (view.current === null || row == null) return null;
    const [bounds, rect] = [view.current.getBoundingClientRect(), row.getBoundingClientRect()];
    return rect.bottom > bounds.top && rect.top < bounds.bottom ? rect.top - bounds.top : null;
  }

  /**
   * Scrolls so that the row begins a third of the way down the view. If the row is near the end, shows the end and
   * follows new rows.
   */
  function reveal(seq: number) {
    isFollowing.value = false;
    state.isRevealing = true;
    state.anchor = { seq, above: -state.height / 3 };
    redraw(null);
  }

  function hold({ seq }: WindowedRow) {
    const offset = offsetInView(seq);
    if (offset === null) return reveal(seq);
    state.anchor = { seq, above: -offset };
    isFollowing.value = false;
  }

  function release() {
    const newest = rows.at(-1);
    if (newest === undefined || options.hasNewer) return;
    if (offsetInView(newest.seq) !== null) isFollowing.value = true;
  }

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
    // While the newest row is followed, rows are laid out from the bottom. Wrong estimates of heights far above the
    // view then move no visible row, so they need no redraw.
    if (isChanged && (!isFollowing.peek() || totalHeight < state.height * 3)) {
      state.offsets = offsetsOf(rows, (row) => state.heights.get(row.seq), estimatedHeight);
      redraw(null);
    }
    if (held !== null && state.anchor?.seq === held.seq) {
      // An editor is taller than its message, but must not extend below the end of the view.
      const least = Math.min(0, (state.heights.get(held.seq) ?? 0) - state.height);
      state.anchor = { seq: held.seq, above: Math.max(least, state.anchor.above) };
    }
    const top = isFollowing.peek() ? element.scrollHeight - element.clientHeight : wantedTop();
    if (Math.abs(element.scrollTop - top) > 1) element.scrollTop = top;
    state.top = element.scrollTop;
    const isEndInView = belowView(element) < atEdge;
    if (isEndInView !== state.isEndInView) redraw(null);
    state.isEndInView = isEndInView;
    if (state.isRevealing && !isChanged) {
      state.isRevealing = false;
      if (isEndInView && !options.hasNewer && held === null) isFollowing.value = true;
    }
    if (!state.isRevealing) reportView();
  }

  function reportView() {
    shown.value = inView();
    options.onView?.(shown.value);
  }

  function inView(): RowsInView | null {
    const bounds = view.current?.getBoundingClientRect();
    if (bounds === undefined) return null;
    let first: number | null = null;
    let last: number | null = null;
    let above = 0;
    for (const row of list.current?.children ?? []) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom <= bounds.top + 1) continue;
      // A row that is taller than the view counts as in view as soon as it begins above the middle of the view.
      if (Math.min((top + bottom) / 2, top + state.height / 2) >= bounds.bottom) break;
      if (first === null) above = bounds.top - top;
      first ??= seqOf(row);
      last = seqOf(row);
    }
    return first === null || last === null ? null : { first, last, above };
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
    view,
    /** The ref is for the element whose children are the rendered rows, each with its `data-seq`. */
    list,
    totalHeight,
    /** The top of the first rendered row. Null while rows are laid out from the bottom. */
    offset: follows ? null : (state.offsets[window.start] ?? 0),
    isEndInView: state.isEndInView,
    reveal,
    settle: () => newestSettle.current(),
    shown,
    onScroll: () => {
      const element = view.current;
      if (element === null) return;
      const { scrollTop } = element;
      const below = belowView(element);
      if (below < atEdge && !options.hasNewer && held === null) isFollowing.value = true;
      else if (scrollTop < state.top - 1) isFollowing.value = false;
      // An editor may be rendered one frame after it was anchored, so a scroll that this code caused must not replace
      // the anchor.
      const isOwnScroll = Math.abs(scrollTop - state.top) <= 1;
      state.top = scrollTop;
      if (!isFollowing.peek() && !isOwnScroll) keepAnchor();
      if (scrollTop < nearEdge) options.onNearTop();
      if (options.hasNewer && below < nearEdge) options.onNearBottom();
      reportView();
      redraw(null);
    },
    onWheel: (event: WheelEvent) => {
      // Stops following new rows before the view moves, because the next event would scroll the view back to the end.
      if (event.deltaY >= 0 || !isFollowing.peek() || state.top <= 0) return;
      keepAnchor();
      isFollowing.value = false;
    },
  };
}

function belowView({ scrollHeight, scrollTop, clientHeight }: Element): number {
  return scrollHeight - scrollTop - clientHeight;
}

function seqOf(row: Element): number {
  return Number((row as HTMLElement).dataset.seq);
}
