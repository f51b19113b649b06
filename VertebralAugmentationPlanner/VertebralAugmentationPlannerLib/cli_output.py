"""What the command line writes: progress while it works, a folder whole or not at all, and a summary to read."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import textwrap
from pathlib import Path
from types import TracebackType
from typing import TextIO

from .model import CasePlan, InputError, LevelPlan, PlanWarning

WIDTH = 80
BAR = 24
PRODUCTS = ("plan.json", "measurements.csv", "report.html", "scene.mrb")
"""What ``vap plan`` writes. Of an earlier run none is left beside a newer plan."""


class OutputFolder:
    """A folder that receives its files together at the end, or not at all.

    Everything is made in a temporary folder on the same disk and moved in by :meth:`commit`; leaving the ``with``
    block without it removes every trace. That the folder can be written is found out on entering.

    Raises:
        InputError: the folder cannot be made or written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.workshop = Path()

    def __enter__(self) -> OutputFolder:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"The output {self.path} is a file; give a folder with -o.")
        place = self.path
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            self.workshop = Path(tempfile.mkdtemp(prefix=".vap-", dir=place))
        except OSError as error:
            raise InputError(
                f"The output folder {self.path} cannot be written ({error.strerror}); give another with -o."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self.workshop, ignore_errors=True)

    def commit(self) -> list[str]:
        """Move the files in and return their names; products of an earlier run that were not made again go."""
        names = sorted(entry.name for entry in self.workshop.iterdir())
        try:
            if self.path.exists():
                for name in PRODUCTS:
                    if name not in names:
                        (self.path / name).unlink(missing_ok=True)
                for name in names:
                    os.replace(self.workshop / name, self.path / name)
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                os.chmod(self.workshop, 0o777 & ~_umask())
                os.rename(self.workshop, self.path)
        except OSError as error:
            raise InputError(f"The output folder {self.path} cannot be written ({error.strerror}).") from error
        return names


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


class Progress:
    """``progress(fraction, text)``: a bar on a terminal, a plain line for each new step elsewhere, or nothing."""

    def __init__(self, stream: TextIO, quiet: bool) -> None:
        self._stream, self._quiet = stream, quiet
        self._terminal = stream.isatty()
        self._said = ""

    def __call__(self, fraction: float, text: str) -> None:
        if self._quiet:
            return
        if self._terminal:
            done = round(BAR * min(max(fraction, 0.0), 1.0))
            line = f"[{'#' * done}{'.' * (BAR - done)}] {100 * fraction:3.0f} % {text}"
            self._write("\r" + line[: WIDTH - 1].ljust(WIDTH - 1))
        elif text != self._said:
            self._write(f"{100 * fraction:3.0f} % {text}\n")
        self._said = text

    def close(self) -> None:
        """Clear the bar."""
        if self._terminal and self._said and not self._quiet:
            self._write("\r" + " " * (WIDTH - 1) + "\r")
        self._said = ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # the reader of a pipe may have seen enough
            self._stream.write(text)
            self._stream.flush()


def summary(plan: CasePlan) -> str:
    """The plan for a human on a terminal of 80 columns: a table of levels, then what to beware of."""
    lines = [
        f"{'Level':<6}{'Grade':<7}{'Loss':>6}  {'Approach':<17}{'Cannula':<9}{'Clearance':>10}{'Cement':>9}"
        f"{'Warnings':>10}",
        "-" * 76,
    ]
    lines += [_row(level) for level in plan.levels]
    lines += (
        ["", "Clearance: from the cannula's surface to the nearest pedicle wall or canal."] if _needles(plan) else []
    )
    for level in plan.levels:
        lines += _remarks(level)
    lines += _listed("Case", plan.warnings)
    return "\n".join(lines)


def _row(level: LevelPlan) -> str:
    if not level.complete:
        return f"{level.level:<6}incomplete (cut by the image's border or damaged): not measured"
    measured = level.measurements
    grade = "–" if measured is None or measured.genant_grade is None else str(measured.genant_grade)
    cement = "–" if level.cement is None else f"{level.cement.volume_ml:.1f} ml"
    cannulas = "/".join(sorted({trajectory.cannula for trajectory in level.trajectories})) or "–"
    return (
        f"{level.level:<6}{grade:<7}{_loss(level):>6}  {level.approach or '–':<17}{cannulas:<9}{_clearance(level):>10}"
        f"{cement:>9}{len(level.warnings):>10}"
    )


def _loss(level: LevelPlan) -> str:
    if level.measurements is None:
        return "–"
    loss = level.measurements.height_loss_percent
    known = [value for value in (loss.anterior, loss.middle, loss.posterior) if value is not None]
    return f"{max(known):.0f} %" if known else "–"


def _clearance(level: LevelPlan) -> str:
    gaps = [
        gap
        for trajectory in level.trajectories
        for gap in (trajectory.clearance_mm.canal, trajectory.clearance_mm.pedicle_wall)
        if gap is not None
    ]
    return f"{min(gaps):.1f} mm" if gaps else "–"


def _needles(plan: CasePlan) -> bool:
    return any(level.trajectories for level in plan.levels)


def _remarks(level: LevelPlan) -> list[str]:
    lines = []
    for side, reason in level.skipped_sides.items():
        lines += _wrapped(f"{level.level} {side}: no safe trajectory: {reason}")
    for trajectory in level.trajectories:
        if trajectory.safety != "safe":
            lines += _wrapped(
                f"{level.level} {trajectory.side}, {trajectory.safety}: {trajectory.compromise or 'see the plan'}"
            )
    return lines + _listed(level.level, level.warnings)


def _listed(where: str, warnings: tuple[PlanWarning, ...]) -> list[str]:
    """Warnings that stop or caution; the rest is in the report."""
    lines = []
    for warning in sorted(warnings, key=lambda warning: warning.severity != "stop"):
        if warning.severity != "info":
            # Many messages already begin with their level.
            text = warning.message if warning.message.startswith(f"{where}:") else f"{where}: {warning.message}"
            lines += _wrapped(f"{warning.severity.upper()} {text}")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text.strip(), WIDTH - 2, initial_indent="* ", subsequent_indent="  ")
