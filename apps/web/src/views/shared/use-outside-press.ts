import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Calls when something outside the element is pressed, as what hovers over the page is closed. */
export function useOutsidePress(element: RefObject<HTMLElement | null>, onPress: () => void): void {
  useEffect(() => {
    const onDown = (event: PointerEvent) => {
      if (!element.current?.contains(event.target as Node)) onPress();
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  });
}
