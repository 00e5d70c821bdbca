/** Terminals can be told apart by their names. */
import { expect, test } from "vitest";
import { namesOf } from "./names";

const tab = (title: string, name = "") => ({ title, name });

test("terminals that say the same are numbered", () => {
  expect(namesOf([tab("shell"), tab("shell"), tab("shell", "logs"), tab("shell")])).toEqual([
    "shell",
    "shell 2",
    "logs",
    "shell 3",
  ]);
  expect(namesOf([tab("mo@box: ~/work"), tab("")])).toEqual(["~/work", "bash"]);
});
