"""The way in of the command ``vap``. Ctrl-C while the program is still being loaded ends like Ctrl-C later on."""

from __future__ import annotations

import sys


def main() -> int:
    """Load and run :func:`cli.main`; returns the exit status."""
    try:
        # Loading takes a few tenths of a second; outside of this block an interrupt would show its traceback.
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        print("vap: cancelled; nothing was written.", file=sys.stderr)
        return 130
