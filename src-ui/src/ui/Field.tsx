/** A labelled text field whose hint and problem are read with it. */
import { type InputHTMLAttributes, type ReactNode, useId, useState } from "react";
import { Icon } from "./Icon";

type Native = Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value" | "id">;

export interface FieldProps extends Native {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** What is wrong, for people; empty when nothing is. */
  problem?: string | undefined;
  hint?: ReactNode;
  /** Stands at the field's end, inside of its box. */
  end?: ReactNode;
}

export function Field({ label, value, onChange, problem, hint, end, ...native }: FieldProps) {
  const id = useId();
  const described = [problem ? `${id}-problem` : "", hint ? `${id}-hint` : ""].filter(Boolean);
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      <span className={`input${problem ? " is-error" : ""}`}>
        <input
          {...native}
          id={id}
          value={value}
          aria-invalid={problem ? true : undefined}
          aria-describedby={described.length > 0 ? described.join(" ") : undefined}
          onChange={(event) => onChange(event.target.value)}
        />
        {end}
      </span>
      {problem ? (
        <span className="error" id={`${id}-problem`}>
          <Icon name="error" className="icon-sm" />
          {problem}
        </span>
      ) : null}
      {hint ? (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      ) : null}
    </div>
  );
}

/** A password, which can be shown, and whose writer is told of Caps Lock. */
export function PasswordField({ hint, ...props }: Omit<FieldProps, "type" | "end">) {
  const [shown, setShown] = useState(false);
  const [caps, setCaps] = useState(false);
  const locked = (
    <>
      <Icon name="arrow-up" className="icon-sm" />
      Caps Lock is on
    </>
  );
  return (
    <Field
      {...props}
      type={shown ? "text" : "password"}
      spellCheck={false}
      autoCapitalize="off"
      hint={caps ? locked : hint}
      onKeyDown={(event) => setCaps(event.getModifierState("CapsLock"))}
      onKeyUp={(event) => setCaps(event.getModifierState("CapsLock"))}
      onBlur={() => setCaps(false)}
      end={
        <button
          type="button"
          className="btn btn-ghost btn-icon btn-sm"
          aria-label={shown ? "Hide password" : "Show password"}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        >
          <Icon name={shown ? "eye-off" : "eye"} />
        </button>
      }
    />
  );
}
