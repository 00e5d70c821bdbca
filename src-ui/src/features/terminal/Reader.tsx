/** What a terminal shows as a plain text that a screen reader reads line by line. */
import { useEffect, useRef } from "react";

export function Reader({ text, onClose }: { text: string; onClose: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.focus();
    element.setSelectionRange(element.value.length, element.value.length);
    element.scrollTop = element.scrollHeight;
  }, []);
  return (
    <textarea
      ref={area}
      className="term-reader"
      aria-label="Terminal output as text. Escape closes it."
      readOnly
      value={text}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        event.stopPropagation();
      }}
    />
  );
}
