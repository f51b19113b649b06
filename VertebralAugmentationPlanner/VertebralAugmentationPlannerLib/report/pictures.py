"""Pictures for the pages, where they can be had. The report stands without them and says why they are missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..model import SIDES, Case, CasePlan, LevelPlan, Spine
from .markup import Markup, div, element, render

if TYPE_CHECKING:
    from ..imaging import MedialBorder

PLAN_ALONE = "No pictures: this report was written from the plan alone, without the CT and labels."


PICTURES_A_ROW = 4
"""As in the style sheet's grid."""


class PictureLike(Protocol):
    """What the report asks of a picture of the imaging room."""

    @property
    def caption(self) -> str:
        """What the reader should see; the first clause is printed above the picture."""
        ...

    @property
    def width_px(self) -> int:
        """Width of the picture in its own units."""
        ...

    @property
    def height_px(self) -> int:
        """Height of the picture in its own units."""
        ...

    def to_svg(self, width: str | None = None) -> str:
        """A self-contained ``svg`` element."""
        ...


@dataclass(frozen=True)
class PagePictures:
    """The pictures of one level by name (see ``imaging.level_pictures``), and why some are missing."""

    pictures: Mapping[str, PictureLike] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    """Why there are none at all."""
    medial_borders: Mapping[str, MedialBorder] = field(default_factory=dict)
    """By side, where a needle's tip is when it reaches the pedicle's medial border in AP; it takes the anatomy to know."""


def level_page_pictures(
    plan: CasePlan,
    level: LevelPlan,
    case: Case | None,
    spine: Spine | None,
    progress: Callable[[float, str], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> PagePictures:
    """Draw the pictures of one level, or say why not."""
    if case is None or spine is None:
        return PagePictures(reason=PLAN_ALONE)
    from ..imaging import level_pictures  # here, so that a report without pictures loads no renderer

    keys = {*record_keys(level), *(operator_keys(level) if level.approach is not None else ())}
    drawn = level_pictures(case, spine, plan, level.level, keys=keys, progress=progress, should_cancel=should_cancel)
    return PagePictures(drawn.pictures, drawn.notes, medial_borders=drawn.medial_borders)


def operator_keys(level: LevelPlan) -> list[str]:
    """Names of the pictures of the first page in reading order, four a row; each side below its own column."""
    sides = [side for side in SIDES if level.needle(side) is not None]
    if len(sides) == 2:
        left, right = sides
        return [f"end_on_{left}", f"axial_{left}", f"end_on_{right}", f"axial_{right}",
                f"sagittal_{left}", "ap", f"sagittal_{right}", "lateral"]  # fmt: skip
    if not sides:
        return ["mid_sagittal", "ap", "lateral", "view3d"]
    side = sides[0]
    return [f"end_on_{side}", f"axial_{side}", f"sagittal_{side}", "view3d",
            "ap", "lateral", f"medial_ap_{side}", f"medial_lateral_{side}"]  # fmt: skip


def record_keys(level: LevelPlan) -> list[str]:
    """Names of the pictures of the second page: whatever belongs to the record and is not on the first."""
    if level.approach is None:  # measured only: the record is the only sheet
        return ["mid_sagittal", "view3d", "ap", "lateral"]
    isthmus = [f"isthmus_{item.side}" for item in level.trajectories]
    first = set(operator_keys(level))
    return [key for key in ("mid_sagittal", "view3d", *isthmus) if key not in first]


def picture_grid(pictures: PagePictures, keys: Sequence[str]) -> Markup:
    """The named pictures in a grid, and one line for those that could not be drawn."""
    if pictures.reason is not None:
        return element("p", pictures.reason, class_="no-pictures")
    figures = [_figure(pictures.pictures[key]) for key in keys if key in pictures.pictures]
    reasons = list(dict.fromkeys(pictures.notes[key] for key in keys if key in pictures.notes))
    missing = element("p", "Missing pictures: " + " ".join(reasons), class_="no-pictures") if reasons else None
    class_ = "pictures" if len(figures) > PICTURES_A_ROW else "pictures one-row"
    return render([div(class_, figures) if figures else None, missing])


def _figure(picture: PictureLike) -> Markup:
    """The picture below the first clause of its caption; the rest shows where the pointer rests on it."""
    caption = element("figcaption", short_caption(picture.caption))
    # The outer svg is fitted into its cell of the grid; the inner one cuts what is drawn beyond the picture's edge.
    frame = f"0 0 {picture.width_px} {picture.height_px}"
    drawing = element("svg", Markup(picture.to_svg(width="100%")), viewBox=frame, preserveAspectRatio="xMidYMin")
    return element("figure", caption, drawing, title=picture.caption)


def short_caption(caption: str) -> str:
    """The first clause: eight pictures share a page, and a full caption below each would shrink them."""
    return re.split(r"(?:[.;])\s", caption, maxsplit=1)[0].rstrip(".") + "."
