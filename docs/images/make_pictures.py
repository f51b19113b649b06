"""Make the README's picture from a sample case: ``make pictures``. Needs Chromium (or PRINTER=…) to draw the vectors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "VertebralAugmentationPlanner"))

from VertebralAugmentationPlannerLib import PlanOptions, plan_loaded_case  # noqa: E402
from VertebralAugmentationPlannerLib.anatomy import build_spine  # noqa: E402
from VertebralAugmentationPlannerLib.case import load_case  # noqa: E402
from VertebralAugmentationPlannerLib.imaging import level_pictures  # noqa: E402

SAMPLE, LEVEL = ROOT / "sample_data" / "t12-wedge", "T12"
SHOWN = {
    "mid_sagittal": "Measured: heights, loss, kyphosis",
    "axial_left": "Planned: needle, slack, balloon",
    "view3d": "Checked: canal, walls, neighbours",
    "ap": "Expected under the C-arm",
}
HEIGHT, TOP, GAP = 400, 34, 4
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #14171c; font: 17px system-ui, "DejaVu Sans", sans-serif; color: #e8ecf1 }}
main {{ display: flex; width: {total}px; height: {tall}px; gap: {gap}px }}
figure {{ margin: 0; background: #1e2126 }}
figure > svg {{ display: block; width: 100% !important; height: {height}px !important }}
figcaption {{ height: {top}px; line-height: {top}px; text-align: center; background: #14171c }}
</style><main>{figures}</main>"""


def main() -> None:
    """Plan the sample and write docs/images/plan.png."""
    browser = os.environ.get("PRINTER") or shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        sys.exit("Chromium is needed to draw the picture; set PRINTER to a browser that has --headless --screenshot.")
    options = PlanOptions(levels=LEVEL)
    case = load_case(str(SAMPLE / "ct.nii.gz"), str(SAMPLE / "labels.nii.gz"), options)
    spine = build_spine(case)
    plan = plan_loaded_case(case, options, spine)
    pictures = level_pictures(case, spine, plan, LEVEL).pictures
    widths = {key: round(HEIGHT * pictures[key].width_px / pictures[key].height_px) for key in SHOWN}
    figures = "".join(
        f'<figure style="width: {widths[key]}px"><figcaption>{caption}</figcaption>{pictures[key].to_svg()}</figure>'
        for key, caption in SHOWN.items()
    )
    total = sum(widths.values()) + GAP * (len(SHOWN) - 1)
    page = PAGE.format(total=total, gap=GAP, height=HEIGHT, tall=HEIGHT + TOP, top=TOP, figures=figures)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "page.html").write_text(page, encoding="utf-8")
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--window-size={total},{HEIGHT + TOP}",
                f"--screenshot={HERE / 'plan.png'}",
                f"file://{folder}/page.html",
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    print(f"{HERE / 'plan.png'} written")


if __name__ == "__main__":
    main()
