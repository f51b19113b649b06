"""The printed report as a DICOM Encapsulated PDF.

DICOM has storage classes for encapsulated PDF, CDA, STL, OBJ and MTL documents (PS3.4 B.5) and none for HTML, so the
report goes in as PDF. A PDF needs something that prints HTML: any browser of the Chromium family that is at hand,
Slicer's own web view, or a PDF the user printed.
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import tempfile
from os import PathLike
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid

from ..model import CasePlan, InputError
from .dicom_series import DERIVED_SERIES_NUMBER, MANUFACTURER, SourceSeries, check_plan_is_inside, save_dicom
from .wording import document_title

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
PRINT_TIMEOUT_S = 120
"""A report of seven levels with pictures prints in a few seconds; a browser that hangs is ended."""

_PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
"""Copied from the CT so that the document lands in the same study."""


PROGRAM_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
INSTALLED = (
    "Google/Chrome/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
    "Chromium/Application/chrome.exe",
)
APPLICATIONS = ("Google Chrome", "Microsoft Edge", "Chromium")
"""Where browsers lie on Windows and macOS, which put none on the PATH. [M]"""


def _browser() -> str | None:
    """A browser of the Chromium family, by its path."""
    on_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if on_path is not None:
        return on_path
    programs = [Path(os.environ[name]) for name in PROGRAM_FOLDERS if name in os.environ]
    places = [folder / name for folder in programs for name in INSTALLED]
    places += [Path(f"/Applications/{name}.app/Contents/MacOS/{name}") for name in APPLICATIONS]
    return next((str(place) for place in places if place.is_file()), None)


def print_to_pdf(html_path: str | PathLike[str], pdf_path: str | PathLike[str]) -> None:
    """Print report.html to A4 PDF with a Chromium-family browser, offline.

    Raises:
        InputError: there is no such browser, or it failed.
    """
    browser = _browser()
    if browser is None:
        raise InputError(
            "No browser that prints HTML was found (Chromium, Chrome or Edge), which dicom-pdf needs; install one."
        )
    source, target = Path(html_path).resolve(), Path(pdf_path).resolve()
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser, "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--no-sandbox", f"--user-data-dir={profile}",
            "--no-pdf-header-footer", f"--print-to-pdf={target}", source.as_uri(),
        ]  # fmt: skip
        # The sandbox is off because it needs rights that containers and hospital accounts lack; the page is our own,
        # holds no script and loads nothing.
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PRINT_TIMEOUT_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise InputError(f"{Path(browser).name} could not print the report ({type(error).__name__}).") from error
    if not target.is_file():
        raise InputError(f"{Path(browser).name} printed nothing, although it said that it did.")


def write_encapsulated_pdf(
    plan: CasePlan, pdf_path: str | PathLike[str], path: str | PathLike[str], source: SourceSeries
) -> None:
    """Wrap a PDF of the report into the CT's study. Needs pydicom only.

    Raises:
        InputError: the PDF cannot be read or is not a PDF, or the plan lies outside the series.
    """
    check_plan_is_inside(plan, source)
    try:
        document = Path(pdf_path).read_bytes()
    except OSError as error:
        raise InputError(f"The PDF {pdf_path} cannot be read: {error.strerror}.") from error
    if not document.startswith(b"%PDF-"):
        raise InputError(f"{Path(pdf_path).name} is not a PDF; print report.html to PDF and give that file.")
    save_dicom(_dataset(plan, document, source), path)


def _dataset(plan: CasePlan, document: bytes, source: SourceSeries) -> Dataset:
    first = source.headers[0]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"  # the title has signs (T9–L1) that the scanner's own set rarely has
    for name in _PATIENT_AND_STUDY:
        setattr(dataset, name, first[name].value)
    _general(dataset, plan)
    dataset.ConversionType = "SD"
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = document_title(plan)
    dataset.ConceptNameCodeSequence = [_title_code()]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    dataset.EncapsulatedDocumentLength = len(document)
    dataset.SourceInstanceSequence = [_reference(header) for header in source.headers]
    return dataset


def _general(dataset: Dataset, plan: CasePlan) -> None:
    now = datetime.datetime.now()
    dataset.SOPClassUID = EncapsulatedPDFStorage
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.SeriesInstanceUID = generate_uid(prefix=None)
    dataset.Modality = "DOC"
    dataset.SeriesNumber = DERIVED_SERIES_NUMBER + 3
    dataset.InstanceNumber = 1
    dataset.SeriesDescription = "Vertebral augmentation plan, report"
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = plan.software.name
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = plan.software.version
    dataset.ContentDate = dataset.SeriesDate = now.strftime("%Y%m%d")
    dataset.ContentTime = dataset.SeriesTime = now.strftime("%H%M%S")
    dataset.AcquisitionDateTime = ""


def _title_code() -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "126000", "DCM"
    code.CodeMeaning = "Imaging Measurement Report"
    return code


def _reference(header: Any) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = header.SOPClassUID
    item.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return item
