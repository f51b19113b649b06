"""Why a label cannot be read as a whole vertebra."""

from __future__ import annotations


class NotReadable(ValueError):
    """This label cannot be taken for a whole vertebra; the message is the reason shown to the user."""
