import { usePage } from '../page-state.ts';
import { Dialog, DialogActions } from '../shared/controls.tsx';
import { localKeys, pageActions } from './actions.ts';

export function KeysSheet() {
  const page = usePage();
  const close = () => (page.isKeysOpen.value = false);
  const listed = pageActions(page).flatMap(({ keys, name }) =>
    keys === null ? [] : [[keys, name] as const],
  );
  return (
    <Dialog label="Keys" extraClass="keys" onClose={close}>
      <h2>Keys</h2>
      <dl class="key-list">
        {[...listed, ...localKeys].map(([keys, name]) => (
          <div class="line" key={name}>
            <dt class="fill">{name}</dt>
            <dd>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <DialogActions action="Close" onAction={close} />
    </Dialog>
  );
}
