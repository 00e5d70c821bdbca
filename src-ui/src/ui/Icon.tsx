/** One icon of the sprite; decoration only, the words stand beside it or in a label. */
import sprite from "./icons.svg?no-inline";

// By a name that never changes its content: an icon that is first shown without a server is there as well.
export function Icon({ name, className }: { name: string; className?: string }) {
  return (
    <svg className={className ? `icon ${className}` : "icon"} aria-hidden="true">
      <use href={`${sprite}#i-${name}`} />
    </svg>
  );
}
