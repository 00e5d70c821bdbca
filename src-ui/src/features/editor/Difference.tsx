/** Two texts beside each other, both to be read only. */
import { useCallback } from "react";
import { Diff, type Sides } from "./Diff";
import { languageOf } from "./shape";

interface Props {
  path: string;
  before: string;
  after: string;
  /** What stands on which side. */
  names: readonly [string, string];
}

export function Difference({ path, before, after, names }: Props) {
  const sides = useCallback(
    ({ monaco }: typeof import("./monaco")): Sides => {
      const made = (text: string) => monaco.editor.createModel(text, languageOf(path));
      const [original, modified] = [made(before), made(after)];
      return { original, modified, own: [original, modified] };
    },
    [path, before, after],
  );
  return <Diff label={names.join(", ")} names={names} readOnly sides={sides} />;
}
