/** Lines that stand for what is on its way. */

interface Props {
  /** What comes, for who does not see the lines. */
  label: string;
  place: "side" | "main";
  /** It is seldom waited for: the lines are shown only when it takes long. */
  late?: boolean;
}

const WIDTHS = { side: ["62%", "44%", "70%", "52%"], main: ["38%", "52%", "30%"] };

export function Waiting({ label, place, late = false }: Props) {
  return (
    <div className={`waiting-${place}${late ? " late" : ""}`} role="status" aria-label={label}>
      {WIDTHS[place].map((width) => (
        <span key={width} className="skeleton" style={{ width }} />
      ))}
    </div>
  );
}
