import assert from "node:assert/strict";
import { test } from "node:test";

import { summarise } from "./main.js";

test("the lowest and highest level of each harbour", () => {
  const rows = summarise([
    { harbour: "Brest", metres: 1 },
    { harbour: "Brest", metres: 7 },
  ]);
  assert.deepEqual(rows.Brest, { lowest: 1, highest: 7 });
});
