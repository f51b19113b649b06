"""What the command line writes: progress while it works, and a folder whole or not at all."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from .model import InputError
from .model.serialisation import HALF_CHARACTERS

WIDTH = 80
BAR = 24
PRODUCTS = ("plan.json", "measurements.csv", "report.html", "scene.mrb")
"""What ``vap plan`` writes. Of an earlier run none is left beside a newer plan."""

LEAST_FREE_BYTES = 1 << 16
"""A disk with less room than a page of any report, after a file could not be written, is full. [D]"""

LONGEST_SHOWN = 100
"""Characters of a path that a sentence quotes where the path may be too long."""


def say(stream: TextIO, text: str) -> OSError | None:
    """Write a text to a standard stream, now; returns what stood in its way.

    A stream that fails leads nowhere from then on, so that nothing that is still kept for it fails once more at the end.
    """
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError):  # no stream of the system's
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return error
    return None


def refuse_dead_ends(path: Path) -> None:
    """Refuse, before the work, an output at which nothing can be written.

    Raises:
        InputError: a link on the way leads nowhere, or a name is longer than the disk allows.
    """
    try:
        for place in (path, *path.parents):
            if place.is_symlink() and not place.exists():
                raise InputError(f"The output {place} is a link that leads nowhere; remove it or give another with -o.")
        place = _nearest(path)
        for name in path.relative_to(place).parts:  # below a folder that is still to be made, no name is looked at
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.lstat(place / name)
    except OSError as error:
        raise InputError(
            f"The output {_short(path)} cannot be written ({error.strerror}); give another with -o."
        ) from error


def refuse_odd_paths(paths: Mapping[str, str | None]) -> None:
    """Refuse a path that no file can have, before anything is read.

    Args:
        paths: by what the user calls them, such as "CT" or "--canal"; None where it was not given.

    Raises:
        InputError: one is empty, too long for the file system, out of reach, or of bytes that are no text: the image
            libraries take the process down over such a name.
    """
    for name, path in paths.items():
        if path is None:
            continue
        if not path:
            raise InputError(f"The argument {name} is empty; give it a value.")
        if "\0" in path:
            raise InputError(f"The path given as {name} holds a NUL character, which no file’s name can; give another.")
        if HALF_CHARACTERS.search(path):
            raise InputError(f"The path given as {name} is not UTF-8, which no image can be read by; rename it.")
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # to be made, or another error's sentence
        except OSError as error:
            too_long = error.errno == errno.ENAMETOOLONG
            reason = "longer than the file system allows" if too_long else f"out of reach ({error.strerror})"
            raise InputError(f"The path given as {name} is {reason}; give another: {_short(path)}.") from error


def _nearest(path: Path) -> Path:
    """The path itself where it is there, else the nearest folder above it that is."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


PLAIN = {"−": "-", "–": "-", "—": "-", "─": "-", "≥": ">=", "≤": "<=", "…": "...", "“": '"', "”": '"', "’": "'"}
"""What a stream that cannot show a character gets in its place: a C-arm's angle must not lose its sign."""

SPELLED_OUT = "spelled-out"


def _spelled_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in lost), error.end


codecs.register_error(SPELLED_OUT, _spelled_out)


def _short(path: str | Path) -> str:
    text = str(path)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


class OutputFolder:
    """A folder that receives its files together at the end, or not at all.

    Everything is made in a temporary folder on the same disk and moved in by :meth:`commit`; leaving the ``with``
    block without it removes every trace. That the folder can be written is found out on entering.

    Args:
        path: the folder, there already or not.
        products: names of which none may be left of an earlier run.

    Raises:
        InputError: the folder cannot be made or written, or a product's name is taken by a folder in it.
    """

    def __init__(self, path: str | os.PathLike[str], products: Sequence[str] = PRODUCTS) -> None:
        self.path, self.products = Path(path), tuple(products)
        self.workshop = Path()

    def __enter__(self) -> OutputFolder:
        refuse_dead_ends(self.path)
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"The output {self.path} is a file; give a folder with -o.")
        self._refuse_folders(self.products)
        try:
            self.workshop = _workshop(_nearest(self.path))
        except OSError as error:
            raise InputError(
                f"The output folder {self.path} cannot be written ({error.strerror}); give another with -o."
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        full = _is_full(self.workshop) or _says_full(error)
        shutil.rmtree(self.workshop, ignore_errors=True)
        if isinstance(error, InputError) and str(self.workshop) in str(error):
            # The temporary folder is nothing that a user knows; what stands in its way is the disk, or the folder given.
            if full:
                raise InputError(f"The disk of the output folder {self.path} is full; nothing was written.") from error
            raise InputError(str(error).replace(str(self.workshop), str(self.path))) from error

    def commit(self) -> list[str]:
        """Move the files in and return their names; products of an earlier run that were not made again go.

        Where one cannot be moved, those moved before it go back and the folder is as it was.
        """
        made = [entry.relative_to(self.workshop) for entry in sorted(self.workshop.rglob("*")) if entry.is_file()]
        self._refuse_folders([*self.products, *made])
        try:
            if self.path.exists():
                self._exchange(made)
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                os.rename(self.workshop, self.path)
        except OSError as error:
            raise InputError(f"The output folder {self.path} cannot be written ({error.strerror}).") from error
        return [name.as_posix() for name in made]

    def _exchange(self, made: Sequence[Path]) -> None:
        """Old files out, new ones in; on any error everything back, last move first."""
        kept = self.workshop / ".before"
        moves: list[tuple[Path, Path]] = []
        folders: list[Path] = []

        def move(source: Path, target: Path) -> None:
            if not target.parent.exists():
                target.parent.mkdir(parents=True)
                folders.append(target.parent)
            os.replace(source, target)
            moves.append((source, target))

        try:
            for name in dict.fromkeys([*made, *map(Path, self.products)]):
                if os.path.lexists(self.path / name):
                    move(self.path / name, kept / name)
            for name in made:
                move(self.workshop / name, self.path / name)
        except BaseException:
            for source, target in reversed(moves):
                os.replace(target, source)
            for folder in folders:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            raise

    def _refuse_folders(self, names: Iterable[str | Path]) -> None:
        taken = next((self.path / name for name in names if (self.path / name).is_dir()), None)
        if taken is not None:
            raise InputError(f"{taken} is a folder, where a file is to be written; give another folder with -o.")


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < LEAST_FREE_BYTES
    except OSError:
        return False  # the folder is gone: that is another error, and has its own sentence


def _says_full(error: BaseException | None) -> bool:
    """Whether a full disk was in the way: the file that met it may be gone since, and its room free again."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__
    return False


def _workshop(folder: Path) -> Path:
    """A new folder in another, with the rights that folders get there: it becomes the output. One of ``tempfile`` is its owner's
    alone, and on Windows stays so wherever it is moved."""
    path = folder / f".vap-{secrets.token_hex(8)}"
    path.mkdir()
    return path


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
        say(self._stream, text)  # the reader of a pipe may have seen enough, or the terminal be closed
