"""Makes ``toy_spine`` importable whichever import mode pytest runs in, and finds the real CTs where there are any."""

import sys
from pathlib import Path

import pytest
from real_spines import NAMES, folder_of

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the VerSe cases."""
    return folder_of(NAMES[0]).parent
