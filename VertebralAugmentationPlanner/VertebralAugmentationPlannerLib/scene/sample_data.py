"""The three synthetic cases for Slicer's Sample Data module. They ship with the extension: no internet is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

NAMES = ("t12-wedge", "l1-biconcave-l3-wedge", "l2-crush")
"""As ``sample.SAMPLES``, which is not imported here: this is read each time Slicer starts."""

CATEGORY = "VertebralAugmentationPlanner"
FILES = ("ct.nii.gz", "labels.nii.gz")

_MODULE_FOLDER = Path(__file__).parents[2]
SHIPPED = (_MODULE_FOLDER / "Resources" / "SampleData", _MODULE_FOLDER.parent / "sample_data")
"""Where the files lie: in the built extension, and in the source tree."""


def sampleFolder(name: str) -> Path | None:
    """The folder with a case's CT and labels, or None where they were not shipped."""
    for folder in SHIPPED:
        if all((folder / name / file).is_file() for file in FILES):
            return folder / name
    return None


def sampleDataSources(iconFolder: str, homepage: str) -> list[dict[str, Any]]:
    """Arguments of ``SampleDataLogic.registerCustomSampleDataSource``, one dictionary for each case.

    The button of the Sample Data module loads the case with named levels (``customDownloader``);
    ``SampleData.downloadSamples`` from the console loads the two files as they are.
    """
    return [
        {
            "category": CATEGORY,
            "sampleName": name,
            "thumbnailFileName": str(Path(iconFolder) / f"Sample-{name}.png"),
            "uris": [_uri(name, file, homepage) for file in FILES],
            "fileNames": [f"{name}-{file}" for file in FILES],
            "nodeNames": [f"{name} CT", f"{name} vertebrae"],
            "loadFileTypes": ["VolumeFile", "SegmentationFile"],
            "customDownloader": loadSource,
        }
        for name in NAMES
    ]


def _uri(name: str, file: str, homepage: str) -> str:
    folder = sampleFolder(name)
    return f"{homepage}/raw/main/sample_data/{name}/{file}" if folder is None else (folder / file).as_uri()


def loadSource(source: Any) -> list[Any]:
    """Load the case of a ``SampleDataSource`` and show its CT; returns the nodes."""
    from .demo import loadDemoCase

    ct, segmentation = loadDemoCase(source.sampleName)
    slicer.util.setSliceViewerLayers(background=ct, fit=True)
    return [ct, segmentation]
