"""Tides at two harbours: reads a small table, sums it up, prints it."""

from pathlib import Path

import pandas as pd

DATA = Path(__file__).parent / "data"


def load(file: Path) -> pd.DataFrame:
    """Read one table of levels; metres above chart datum."""
    return pd.read_csv(file, parse_dates=["day"])


def summarise(levels: pd.DataFrame) -> pd.DataFrame:
    """Lowest, highest and mean level of each harbour."""
    table = levels.groupby("harbour")["level_m"].agg(["min", "max", "mean"])
    table["range"] = table["max"] - table["min"]
    return table.round(2)


if __name__ == "__main__":
    levels = load(DATA / "tides.csv")
    print(f"loaded {len(levels)} levels")
    print(summarise(levels))
