import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Calls `onPress` when the pointer is pressed outside the element; menus close that way. */
export function useOutsidePress(element: RefObject<HTMLElement | null>, onPress: () => void): void {
  useEffect(() => {
    const onDown = (event: PointerEvent) => {
      if (!element.current?.contains(event.target as Node)) onPress();
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  });
}
