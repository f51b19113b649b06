"""All pictures of a level, for the report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..model import Case, CasePlan, InputError, LevelPlan, PlanningCancelled, Spine, Trajectory, Vertebra
from .carm import CArmPose, body_centre_ras, end_on, true_ap, true_lateral
from .fluoroscopy import FIELD_MM, REPORT_VOXEL_MM, Fluoroscope, fluoroscopy_picture
from .medial_border import MedialBorder, medial_border
from .mid_sagittal import mid_sagittal_picture
from .needle_slices import isthmus_picture, needle_axial_picture, needle_sagittal_picture
from .picture import Picture
from .view3d import GraphicsUnavailable, view3d_picture


@dataclass(frozen=True)
class LevelPictures:
    """The pictures of a level.

    Args:
        pictures: in reading order, where they could be drawn: "mid_sagittal" (height and Cobb lines, loss); by side
            "axial_…" and "sagittal_…" (slices that contain the needle) and "isthmus_…" (across it, with clearances);
            "ap" and "lateral" (fluoroscopy, needles at their targets); by side "end_on_…" (along the needle),
            "medial_ap_…" and "medial_lateral_…" (tip at the pedicle's medial border in AP, and the lateral of the same
            moment); "view3d".
        notes: by the same keys, one sentence why a picture is missing (no CT, no graphics).
        medial_borders: by side, the moment at which the tip reaches the pedicle's medial border, where the pedicle has
            an outline; needs no CT.
    """

    pictures: dict[str, Picture] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    medial_borders: dict[str, MedialBorder] = field(default_factory=dict)


def level_pictures(
    case: Case,
    spine: Spine,
    plan: CasePlan,
    level: str,
    *,
    keys: Collection[str] | None = None,
    progress: Callable[[float, str], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> LevelPictures:
    """The pictures of a level; for the keys see :class:`LevelPictures`.

    Args:
        keys: those to draw, where the level has them; None for all.
        progress: called before each picture with a fraction 0–1 and what is being drawn.
        should_cancel: polled at the same places.

    Raises:
        KeyError: the level is not in the plan.
        PlanningCancelled: ``should_cancel`` answered true between two pictures.
    """
    level_plan = plan.level(level)
    vertebra = spine.vertebrae[level_plan.level]
    jobs: dict[str, Callable[[], Picture]] = {}
    jobs["mid_sagittal"] = partial(mid_sagittal_picture, case, spine, level_plan)
    for trajectory in level_plan.trajectories:
        side = trajectory.side
        jobs[f"axial_{side}"] = partial(needle_axial_picture, case, spine, level_plan, side)
        jobs[f"sagittal_{side}"] = partial(needle_sagittal_picture, case, spine, level_plan, side)
        jobs[f"isthmus_{side}"] = partial(isthmus_picture, case, spine, level_plan, side)
    jobs.update(_fluoroscopy_jobs(case, spine, level_plan, vertebra))
    jobs["view3d"] = partial(view3d_picture, spine, level_plan)
    if keys is not None:
        jobs = {key: job for key, job in jobs.items() if key in keys}

    result = LevelPictures(medial_borders=_medial_borders(vertebra, level_plan.trajectories))
    for done, (key, job) in enumerate(jobs.items()):
        if should_cancel is not None and should_cancel():
            raise PlanningCancelled
        if progress is not None:
            progress(done / len(jobs), f"drawing {level}: {key.replace('_', ' ')}")
        try:
            result.pictures[key] = job()
        except (InputError, GraphicsUnavailable) as reason:
            result.notes[key] = str(reason)
    return result


def _medial_borders(vertebra: Vertebra, needles: Sequence[Trajectory]) -> dict[str, MedialBorder]:
    """By side; a numeral of the geometry alone, which needs no CT."""
    with_outline = [needle for needle in needles if needle.side in vertebra.pedicles]
    if not with_outline:
        return {}
    ap = true_ap(vertebra, detector_mm=FIELD_MM)
    return {needle.side: medial_border(vertebra, needle, ap) for needle in with_outline}


def _fluoroscopy_jobs(
    case: Case, spine: Spine, level_plan: LevelPlan, vertebra: Vertebra
) -> dict[str, Callable[[], Picture]]:
    made: list[Fluoroscope] = []

    def fluoroscope() -> Fluoroscope:
        # Made with the first picture that asks for it, so that a missing CT becomes that picture's note.
        if not made:
            made.append(Fluoroscope(case.ct, body_centre_ras(vertebra), REPORT_VOXEL_MM))
        return made[0]

    def view(carm: CArmPose, needles: Sequence[Trajectory], name: str, named_levels: bool) -> Picture:
        return fluoroscopy_picture(
            fluoroscope(), carm, vertebra, needles, view_name=name, spine=spine if named_levels else None
        )

    needles = level_plan.trajectories
    jobs: dict[str, Callable[[], Picture]] = {
        "ap": lambda: view(true_ap(vertebra, detector_mm=FIELD_MM), needles, "AP", True),
        "lateral": lambda: view(true_lateral(vertebra, detector_mm=FIELD_MM), needles, "Lateral", True),
    }
    for needle in needles:
        jobs[f"end_on_{needle.side}"] = partial(
            view, end_on(needle, detector_mm=FIELD_MM), [needle], f"End-on {needle.side}", False
        )
        for name in ("ap", "lateral"):
            jobs[f"medial_{name}_{needle.side}"] = partial(_medial_border_picture, fluoroscope, vertebra, needle, name)
    return jobs


def _medial_border_picture(
    make_fluoroscope: Callable[[], Fluoroscope], vertebra: Vertebra, needle: Trajectory, view: str
) -> Picture:
    """AP or lateral at the moment when the tip reaches the pedicle's medial border in AP."""
    fluoroscope = make_fluoroscope()
    ap = true_ap(vertebra, detector_mm=FIELD_MM)
    border = medial_border(vertebra, needle, ap)
    depth = border.depth_mm
    if depth is None:
        raise InputError(
            f"The {needle.side} needle’s tip does not cross the pedicle’s medial border in AP before its target."
        )
    if view == "ap":
        note = f"{needle.side} tip at the\nmedial border:\n{depth:.0f} mm deep"
        caption = f"{vertebra.level}: the {needle.side} tip at the pedicle’s medial border in AP, {depth:.0f} mm deep."
        return fluoroscopy_picture(
            fluoroscope, ap, vertebra, [needle], depth_mm=depth, view_name="AP", note=note, caption=caption
        )
    lateral = true_lateral(vertebra, detector_mm=FIELD_MM)
    return fluoroscopy_picture(
        fluoroscope,
        lateral,
        vertebra,
        [needle],
        depth_mm=depth,
        view_name="Lateral",
        note=f"same depth {depth:.0f} mm:\n{border.place}",
        # One clause up to the full stop: the report prints that much of a caption.
        caption=f"{vertebra.level}: the lateral of the same moment, the tip {border.place}. "
        "Go on past the medial border only once the tip has passed the posterior wall.",
    )
