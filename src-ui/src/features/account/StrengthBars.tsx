/** A password's strength as four bars and a word, while it is typed. */
import { PASSWORD_CHARS_MIN } from "../../host/generated/limits";
import { strengthOf } from "./strength";

export function StrengthBars({ password, own }: { password: string; own: readonly string[] }) {
  const { bars, word, why } = strengthOf(password, own);
  const tone = bars < 2 ? "danger" : bars < 3 ? "warn" : "ok";
  if (bars === 0)
    return <>At least {PASSWORD_CHARS_MIN} characters. A few words are easy to remember.</>;
  return (
    <span className="strength">
      <span className="bars" aria-hidden="true">
        {[1, 2, 3, 4].map((bar) => (
          <i key={bar} className={bar <= bars ? tone : ""} />
        ))}
      </span>
      <span>
        <span className="medium strength-word">{word}</span> {why}
      </span>
    </span>
  );
}
