"""Keeping ITK quiet."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import SimpleITK as sitk


@contextlib.contextmanager
def itk_warnings_off() -> Iterator[None]:
    """ITK prints its own many-line warnings to stderr; ours is one sentence."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


@contextlib.contextmanager
def decoders_quiet() -> Iterator[None]:
    """Decoders of NIfTI and of compressed DICOM write lines of their own straight to the process's stderr; here to
    nowhere."""
    try:
        kept = os.dup(2)
    except OSError:  # a window without a console has no stderr to keep clean
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
