/** One icon of the sprite; decoration only, the words stand beside it or in a label. */
import sprite from "./icons.svg?raw";

// Within the page: of a file of its own WebKit reads all icons anew for each that is shown.
document.body.insertAdjacentHTML("beforeend", sprite);

export function Icon({ name, className }: { name: string; className?: string }) {
  return (
    <svg className={className ? `icon ${className}` : "icon"} aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}
