"""Keeping ITK quiet."""

from __future__ import annotations

import contextlib
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
