import { visibleString } from '../../markdown/visible-text.ts';

/** A text of somebody else's in the middle of ours: it turns no other text around. */
export function Plain({ text }: { text: string }) {
  return <bdi>{visibleString(text)}</bdi>;
}
