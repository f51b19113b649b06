"""What leaves the workstation: report, tables, exports and the comparison of two plans."""

from .document import report_html, write_report
from .measurements_csv import measurements_csv, write_measurements_csv

__all__ = ["measurements_csv", "report_html", "write_measurements_csv", "write_report"]
