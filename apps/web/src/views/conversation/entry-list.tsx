import type { ComponentChildren } from 'preact';
import type { useRowWindow } from '../../windowing/use-row-window.ts';

/** The height of `.leading`, above the first entry. */
export const leadingHeight = 56;

/** A scrolled list of which only the rows in `drawn` are drawn. The children are above them, the footer is below. */
export function EntryList(props: {
  label: string;
  rows: ReturnType<typeof useRowWindow>;
  drawn: ComponentChildren;
  footer: ComponentChildren;
  children: ComponentChildren;
}) {
  const { rows } = props;
  return (
    <div
      class="scroller fill"
      ref={rows.view}
      onScroll={rows.onScroll}
      onWheel={rows.onWheel}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label={props.label}
    >
      {props.children}
      <div class="rows" style={{ height: `${rows.totalHeight}px` }}>
        <div
          class="rows-drawn"
          ref={rows.list}
          style={rows.offset === null ? { bottom: 0 } : { top: `${rows.offset}px` }}
        >
          {props.drawn}
        </div>
      </div>
      {props.footer}
    </div>
  );
}
