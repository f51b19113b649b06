"""Run the benchmarks and write docs/benchmarks.md: ``make benchmark``."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

KNOWN = {
    "pedicle_s": ("a pedicle: search, refinement, evaluation", "s", "under 0.5"),
    "vertebra_s": ("a vertebra, everything, both sides", "s", "under 1.5"),
    "anatomy_s_a_level": ("… of which anatomy", "s", ""),
    "measurements_s_a_level": ("… of which measurements (no CT)", "s", ""),
    "case_s": ("five levels, 512 × 512 × 400 voxels, with reading", "s", "under 12"),
    "case_gb": ("… memory at its peak", "GB", "under 3"),
    "start_s": ("a start: everything loaded for a plan and its report", "s", "under 3"),
    "drag_ms": ("a dragged needle judged again", "ms", "under 5"),
    "seconds_a_pedicle": ("analytic vertebra: a pedicle", "s", "under 0.5"),
    "seconds_a_drag": ("analytic vertebra: a dragged needle", "s", "under 0.005"),
    "setup_s": ("fluoroscopy: set-up of a level", "s", "under 5"),
    "AP_frames_per_s": ("fluoroscopy 256 × 256, AP", "a second", "10 and more"),
    "oblique_frames_per_s": ("… oblique", "a second", "10 and more"),
    "steep_frames_per_s": ("… steep", "a second", "10 and more"),
    "lateral_frames_per_s": ("… lateral", "a second", "10 and more"),
}
"""What a property recorded by a benchmark means, its unit, and what is asked for."""

PAGE = """\
# Benchmarks

Seconds of one core (processor time, so that other work on the machine does not count), written by `make benchmark`.
The same tests (`Testing/benchmarks`) fail where a limit is not kept.

Machine: {machine}; Python {python}.

| | measured | | asked for |
|---|---:|---|---|
{rows}"""


def main() -> int:
    """Run the benchmarks one after another, and write what they recorded."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        command = [sys.executable, "-m", "pytest", str(HERE), "-p", "no:xdist", "-m", "", f"--junitxml={results}"]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        recorded = [
            (item.get("name", ""), item.get("value", "")) for item in ElementTree.parse(results).iter("property")
        ]
    order = {name: place for place, name in enumerate(KNOWN)}
    recorded.sort(key=lambda item: order.get(item[0], len(order)))
    rows = []
    for name, value in recorded:
        title, unit, asked = KNOWN.get(name, (name.replace("_", " "), "", ""))
        rows.append(f"| {title} | {float(value):.3g} | {unit} | {asked} |\n")
    page = PAGE.format(machine=_machine(), python=platform.python_version(), rows="".join(rows))
    (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    print("docs/benchmarks.md written")
    return status


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} processors, {platform.system()}"


if __name__ == "__main__":
    sys.exit(main())
