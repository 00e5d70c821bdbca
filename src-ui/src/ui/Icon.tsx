/** One icon of the sprite in `public/icons.svg`; decoration only, the words stand beside it or in a label. */
export function Icon({ name, className }: { name: string; className?: string }) {
  return (
    <svg className={className ? `icon ${className}` : "icon"} aria-hidden="true">
      <use href={`/icons.svg#i-${name}`} />
    </svg>
  );
}
