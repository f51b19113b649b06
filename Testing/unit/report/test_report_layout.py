"""How the report lies on paper and in a narrow window, by the browser that prints it."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from plans import case_plan, every_picture

from VertebralAugmentationPlannerLib.model import CasePlan, LevelPlan, PlanWarning
from VertebralAugmentationPlannerLib.report import document, report_html, write_report


def four_levels(plan: CasePlan) -> list[LevelPlan]:
    """Both levels of the plan twice, so that the overview has four large pictures."""
    t12, l2 = plan.levels[:2]
    return [t12, dataclasses.replace(t12, level="L1"), l2, dataclasses.replace(l2, level="L3")]


def with_many_warnings(level: LevelPlan) -> LevelPlan:
    cautions = tuple(
        PlanWarning(
            f"c{n}",
            "caution",
            "T12 left: the pedicle reads 11.8 mm wide, 1.7 times the usual 7.1 mm: check whether its label holds a rib.",
            "[D]",
        )
        for n in range(8)
    )
    notes = tuple(
        PlanWarning(
            f"n{n}", "info", "A note of usual length, with a number such as 12.3 mm and what it means.", "doi [V]"
        )
        for n in range(8)
    )
    return dataclasses.replace(level, warnings=(*cautions, *notes))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium to print with")
@pytest.mark.parametrize("crowded", [False, True])
@pytest.mark.parametrize("pictures", [False, True])
def test_it_prints_to_two_a4_pages_a_level(
    tmp_path: Path, crowded: bool, pictures: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = case_plan()
    if crowded:
        plan = dataclasses.replace(plan, levels=tuple(map(with_many_warnings, four_levels(plan))))
    if pictures:
        monkeypatch.setattr(document, "level_page_pictures", lambda *_: every_picture())
    source, target = tmp_path / "report.html", tmp_path / "report.pdf"
    write_report(plan, source)
    browse(source, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    data = target.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == (9 if crowded else 5)
    boxes = {tuple(float(x) for x in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", data)}
    assert all(abs(box[2] - 595) < 1 and abs(box[3] - 842) < 1 for box in boxes), "A4 is 595 × 842 points"


def browse(page: Path, *asked: str) -> str:
    """What the browser says of a page on standard output."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               f"--user-data-dir={page.parent / 'profile'}", *asked, page.as_uri()]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, timeout=120, encoding="utf-8")
    return done.stdout


MEASURE = """<script>
const wide = [...document.querySelectorAll("body *")].filter((one) => !one.closest(".wide, svg")
  && one.getBoundingClientRect().right > innerWidth + 1).length;
const over = [...document.querySelectorAll("th, td")].filter((cell) => {
  const words = document.createRange();
  words.selectNodeContents(cell);
  return words.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1;
}).length;
document.title = `${innerWidth <= 600} ${wide} ${over}`;
</script>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium to look with")
def test_in_a_narrow_window_nothing_runs_out_of_it_and_no_cell_into_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "level_page_pictures", lambda *_: every_picture())
    page = tmp_path / "report.html"
    page.write_text(report_html(case_plan()).replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    dom = browse(page, "--window-size=390,3000", "--dump-dom")
    assert re.search(r"<title>(.*?)</title>", dom).group(1) == "true 0 0"
