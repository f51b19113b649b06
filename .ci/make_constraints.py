"""Write constraints.txt anew: ``python .ci/make_constraints.py REPORT.json …`` with one pip report per Python version.

A report comes from a fresh virtual environment of that version, in the root of the repository:

    python3.10 -m venv /tmp/fresh && /tmp/fresh/bin/pip install --dry-run --report 3.10.json -e '.[dev]'

What every version resolves alike is pinned once; where they differ, each pin names its versions.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

HEAD = """\
# The versions this repository is tested with; resolved afresh on Python {versions} by .ci/make_constraints.py.
# Used by the Makefile; `pip install .` alone takes any version that pyproject.toml allows.
"""


def pins(report: Path) -> tuple[str, dict[str, str]]:
    """Python version ("3.11") and the packages of one report, without this one."""
    content = json.loads(report.read_text(encoding="utf-8"))
    packages = {}
    for item in content["install"]:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        if name != "vertebral-augmentation-planner":
            packages[name] = item["metadata"]["version"]
    return content["environment"]["python_version"], packages


def constraints(reports: dict[str, dict[str, str]]) -> list[str]:
    """Lines of constraints.txt."""
    versions = sorted(reports, key=lambda version: tuple(map(int, version.split("."))))
    lines = []
    for name in sorted({name for packages in reports.values() for name in packages}):
        chosen: dict[str, list[str]] = defaultdict(list)
        for version in versions:
            if name in reports[version]:
                chosen[reports[version][name]].append(version)
        if len(chosen) == 1:
            lines.append(f"{name}=={next(iter(chosen))}")
            continue
        for pin, where in chosen.items():
            lines.append(f"{name}=={pin} ; {marker(where, versions)}")
    return lines


def marker(where: list[str], versions: list[str]) -> str:
    """Environment marker for some of the versions; the newest one stands for those to come, too."""
    first, last = where[0], where[-1]
    assert where == versions[versions.index(first) : versions.index(last) + 1], "one pin on a run of versions"
    if last == versions[-1]:
        return f'python_version >= "{first}"'
    if first == versions[0]:
        return f'python_version <= "{last}"'
    return (
        f'python_version == "{first}"'
        if first == last
        else f'python_version >= "{first}" and python_version <= "{last}"'
    )


def main() -> None:
    """Merge the reports named on the command line."""
    reports = dict(pins(Path(name)) for name in sys.argv[1:])
    if not reports:
        sys.exit(__doc__)
    root = Path(__file__).resolve().parents[1]
    text = HEAD.format(versions=", ".join(sorted(reports))) + "\n".join(constraints(reports)) + "\n"
    (root / "constraints.txt").write_text(text, encoding="utf-8")
    print(f"constraints.txt: {len(text.splitlines()) - 2} pins for Python {', '.join(sorted(reports))}")


if __name__ == "__main__":
    main()
