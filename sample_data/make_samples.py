"""Write the sample cases of this folder anew: ``python sample_data/make_samples.py``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "VertebralAugmentationPlanner"))

from VertebralAugmentationPlannerLib.sample import SAMPLES, write_sample  # noqa: E402


def main() -> None:
    """Write every sample into its folder here."""
    for name in SAMPLES:
        files = write_sample(name, HERE / name)
        print(f"{name}: {files.ct}, {files.labels}, {files.truth}")


if __name__ == "__main__":
    main()
