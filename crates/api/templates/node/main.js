// Tides at two harbours: sums a small table up and prints it.
export function summarise(levels) {
  const rows = {};
  for (const { harbour, metres } of levels) {
    const row = (rows[harbour] ??= { lowest: metres, highest: metres });
    row.lowest = Math.min(row.lowest, metres);
    row.highest = Math.max(row.highest, metres);
  }
  return rows;
}

if (process.argv[1] === import.meta.filename) {
  console.table(
    summarise([
      { harbour: "Brest", metres: 0.87 },
      { harbour: "Brest", metres: 7.08 },
      { harbour: "Saint-Malo", metres: 1.31 },
      { harbour: "Saint-Malo", metres: 12.41 },
    ]),
  );
}
