"""What leaves the workstation: report, tables, exports and the comparison of two plans."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .commands import EXPORTS, compare_command, export_command, report_command, report_path
from .compare import Difference, PlanComparison, compare_plans
from .compare_tables import comparison_csv, comparison_html, comparison_text
from .dicom_series import SourceSeries, read_source_series
from .document import report_html, write_report
from .measurements_csv import measurements_csv, write_measurements_csv
from .mesh_files import write_glb, write_stl
from .meshes import Mesh, plan_meshes
from .needles import needle_csv, needle_markups, write_needle_csv, write_needle_markups

if TYPE_CHECKING:
    from .dicom_pdf import print_to_pdf, write_encapsulated_pdf
    from .dicom_seg import write_dicom_seg
    from .dicom_sr import write_dicom_sr

__all__ = [
    "EXPORTS",
    "Difference",
    "Mesh",
    "PlanComparison",
    "SourceSeries",
    "compare_command",
    "compare_plans",
    "comparison_csv",
    "comparison_html",
    "comparison_text",
    "export_command",
    "measurements_csv",
    "needle_csv",
    "needle_markups",
    "plan_meshes",
    "print_to_pdf",
    "read_source_series",
    "report_command",
    "report_html",
    "report_path",
    "write_dicom_seg",
    "write_dicom_sr",
    "write_encapsulated_pdf",
    "write_glb",
    "write_measurements_csv",
    "write_needle_csv",
    "write_needle_markups",
    "write_report",
    "write_stl",
]

_DICOM = {
    "print_to_pdf": "dicom_pdf",
    "write_encapsulated_pdf": "dicom_pdf",
    "write_dicom_seg": "dicom_seg",
    "write_dicom_sr": "dicom_sr",
}


def __getattr__(name: str) -> Any:
    # These load pydicom, a tenth of a second and more that a plan and its report do without.
    if name not in _DICOM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_DICOM[name]}", __name__), name)
