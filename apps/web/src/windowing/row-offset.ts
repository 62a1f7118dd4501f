/** How far below the view's top a drawn row begins; null when it is not in view. */
export function standingOf(view: Element | null, list: Element | null, seq: number): number | null {
  const row = list?.querySelector(`:scope > [data-seq="${seq}"]`);
  if (view === null || row == null) return null;
  const [bounds, rect] = [view.getBoundingClientRect(), row.getBoundingClientRect()];
  return rect.bottom > bounds.top && rect.top < bounds.bottom ? rect.top - bounds.top : null;
}
