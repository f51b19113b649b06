"""Anatomy from labels: frame, body, end plates, pedicles and canal of every whole vertebra."""

from .spine import build_spine

__all__ = ["build_spine"]
