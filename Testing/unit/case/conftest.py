"""Makes ``toy_spine`` importable whichever import mode pytest runs in, and finds the real CTs where there are any."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the VerSe cases: the environment variable VAP_DATA, else ``shared/data`` beside the repository."""
    beside = Path(__file__).parents[4] / "shared" / "data"
    folder = Path(os.environ.get("VAP_DATA", beside))
    if not (folder / "verse005" / "vertebrae.nii.gz").exists():
        pytest.skip("the real CTs are not here; set VAP_DATA to their folder")
    return folder
