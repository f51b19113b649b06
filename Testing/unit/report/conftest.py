"""Makes ``plans`` importable whichever import mode pytest runs in, and one CT series for all tests of the room."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def ct_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM CT series around the hand-made plan. Read only."""
    from ct_series import write_series

    return write_series(tmp_path_factory.mktemp("ct"))
