import { h, type Component, type FunctionComponent } from 'preact';

/** A component that is drawn again only when one of its props is another. */
export function memo<P extends object>(component: FunctionComponent<P>): FunctionComponent<P> {
  function shouldComponentUpdate(this: Component<P>, next: P): boolean {
    const props = this.props as Record<string, unknown>;
    const others = next as Record<string, unknown>;
    for (const name of Object.keys(others)) if (props[name] !== others[name]) return true;
    return Object.keys(props).length !== Object.keys(others).length;
  }
  function Memo(this: Component<P>, props: P) {
    this.shouldComponentUpdate = shouldComponentUpdate;
    return h(component, props);
  }
  return Memo as FunctionComponent<P>;
}
