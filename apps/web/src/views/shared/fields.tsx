import type { ComponentProps } from 'preact';

/** An input below its label. */
export function TextField({
  label,
  onText,
  ...rest
}: ComponentProps<'input'> & { label: string; onText: (text: string) => void }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input {...rest} onInput={(event) => onText(event.currentTarget.value)} />
    </label>
  );
}

/** A search input; its label is its placeholder unless another one is given. */
export function FilterField(props: {
  label: string;
  placeholder?: string;
  value: string;
  onText: (text: string) => void;
}) {
  return (
    <input
      type="search"
      aria-label={props.label}
      placeholder={props.placeholder ?? props.label}
      value={props.value}
      onInput={(event) => props.onText(event.currentTarget.value)}
    />
  );
}
