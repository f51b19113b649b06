"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def markdown(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; the first column to the left, numbers to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def spread(values: Sequence[tuple[float, str]], counts: bool = False) -> list[str]:
    """Number of values, mean, mean absolute and largest absolute value with its level; of flags only how many are set."""
    if not values:
        return ["0", "", "", ""]
    numbers = np.array([value for value, _ in values])
    if counts:
        return [str(len(values)), str(int(np.sum(numbers))), "", ""]
    absolute = np.abs(numbers)
    worst = values[int(absolute.argmax())][1]
    return [
        str(len(values)),
        f"{numbers.mean():+.2f}",
        f"{absolute.mean():.2f}",
        f"{absolute.max():.2f} ({worst})",
    ]
