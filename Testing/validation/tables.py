"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def markdown(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; the first column to the left, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float], counts: bool = False) -> list[str]:
    """Number of values, mean, mean absolute and largest absolute value; of flags only how many are set."""
    if not values:
        return ["0", "", "", ""]
    if counts:
        return [str(len(values)), str(int(np.sum(values))), "", ""]
    absolute = np.abs(values)
    return [str(len(values)), f"{np.mean(values):+.2f}", f"{absolute.mean():.2f}", f"{absolute.max():.2f}"]
