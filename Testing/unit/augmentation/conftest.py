"""The folder's helpers are found by name, without making the tests a package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
