"""A plausible two-level plan, written by hand: a T12 wedge with two balloons, and an L2 whose left pedicle is too thin.

Points are built in a vertebral frame so that entry, target, angles and lengths agree with one another.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from VertebralAugmentationPlannerLib.imaging import MedialBorder
from VertebralAugmentationPlannerLib.model import (
    SCHEMA,
    BalloonPlan,
    CArm,
    CasePlan,
    CementPlan,
    Clearance,
    FramePlan,
    HeightLoss,
    ImageRecord,
    Inputs,
    LevelPlan,
    Measurements,
    PedicleMeasurement,
    Pedicles,
    PlanOptions,
    PlanWarning,
    Predicted,
    Reference,
    Software,
    Trajectory,
)
from VertebralAugmentationPlannerLib.model.serialisation import rounded, to_plain
from VertebralAugmentationPlannerLib.report.pictures import PagePictures

T12_ORIGIN = (4.0, 32.0, -118.0)
L2_ORIGIN = (2.5, 41.0, -176.0)
SKIPPED_LEFT = "the isthmus is 3.9 mm, an 11G needle with 1 mm each side needs 5.1 mm"


def point(origin: tuple[float, float, float], right: float, anterior: float, superior: float) -> tuple[float, ...]:
    """RAS point of local coordinates in an upright frame, mm."""
    return tuple(float(value) for value in np.add(origin, (right, anterior, superior)))


def carm_of(entry: tuple[float, ...], target: tuple[float, ...], side: str) -> CArm:
    """End-on angles by the formula of the reference: LPS direction d, alpha = atan2(px, −py), beta = asin(pz)."""
    direction = np.subtract(target, entry) * (-1, -1, 1)  # RAS to LPS
    direction = direction / np.linalg.norm(direction)
    beam = direction if direction[1] < 0 else -direction
    alpha = math.degrees(math.atan2(beam[0], -beam[1]))
    beta = math.degrees(math.asin(beam[2]))
    words = f"prone, receptor above: {abs(alpha):.0f}° towards the patient’s {side}, {abs(beta):.0f}° towards the head"
    return CArm(alpha, beta, words)


def t12_trajectory(side: str) -> Trajectory:
    sign = 1.0 if side == "right" else -1.0
    entry = point(T12_ORIGIN, sign * 19.0, -42.0, 9.0)
    target = point(T12_ORIGIN, sign * 7.5, 7.0, 0.5)
    skin = tuple(np.add(entry, np.subtract(entry, target) / np.linalg.norm(np.subtract(entry, target)) * 52.0))
    axis = np.subtract(target, entry) / np.linalg.norm(np.subtract(target, entry))
    centre = np.subtract(target, axis * 9.0)
    tight = side == "left"
    return Trajectory(
        side=side,
        route="transpedicular",
        entry_ras=entry,
        target_ras=target,
        skin_ras=skin,
        cannula="10G",
        cannula_outer_diameter_mm=3.4,
        bone_path_mm=float(np.linalg.norm(np.subtract(target, entry))),
        skin_to_target_mm=float(np.linalg.norm(np.subtract(target, skin))),
        convergence_angle_deg=math.degrees(math.atan2(11.5, 49.0)),
        craniocaudal_angle_deg=-math.degrees(math.atan2(8.5, 49.0)),
        carm=carm_of(entry, target, side),
        clearance_mm=Clearance(
            canal=2.4,
            pedicle_wall=0.6 if tight else 1.7,
            endplate=4.1,
            anterior_wall=6.2,
            lateral_wall=8.8,
            neighbour=None if tight else 2.2,
        ),
        breach_grade="A",
        tolerated_offset_mm=0.6 if tight else 1.7,
        tolerated_angle_deg=1.1 if tight else 3.2,
        midline_offset_mm=7.5,
        safety="tight" if tight else "safe",
        compromise="0.6 mm to the pedicle’s inner wall, 0.4 mm less than the margin; an 11G needle would keep it"
        if tight
        else None,
        balloon=BalloonPlan(
            model="Generic 15 mm",
            length_mm=15.0,
            proximal_ras=tuple(centre - axis * 7.5),
            distal_ras=tuple(centre + axis * 7.5),
            centre_ras=tuple(centre),
            planned_volume_ml=2.6,
            planned_diameter_mm=15.8,
            stopped_by="end_plate",
            max_volume_ml=4.0,
            max_pressure_psi=400.0,
            source="typical 15 mm balloon, from memory [M]",
            planned_length_mm=19.0,
            cannula_retraction_mm=18.5,
        ),
        cement_ml=2.75,
        bone_fillers=2,
    )


def l2_trajectory() -> Trajectory:
    entry = point(L2_ORIGIN, 24.0, -44.0, 6.0)
    target = point(L2_ORIGIN, 1.0, 8.0, -1.0)
    skin = tuple(np.add(entry, np.subtract(entry, target) / np.linalg.norm(np.subtract(entry, target)) * 69.5))
    return Trajectory(
        side="right",
        route="transpedicular",
        entry_ras=entry,
        target_ras=target,
        skin_ras=skin,
        cannula="11G",
        cannula_outer_diameter_mm=3.05,
        bone_path_mm=float(np.linalg.norm(np.subtract(target, entry))),
        skin_to_target_mm=float(np.linalg.norm(np.subtract(target, skin))),
        convergence_angle_deg=math.degrees(math.atan2(23.0, 52.0)),
        craniocaudal_angle_deg=-math.degrees(math.atan2(7.0, 52.0)),
        carm=carm_of(entry, target, "right"),
        clearance_mm=Clearance(2.0, 1.4, 5.5, 5.1, 11.0, 3.0),
        breach_grade="A",
        tolerated_offset_mm=1.4,
        tolerated_angle_deg=2.6,
        midline_offset_mm=1.0,
        safety="safe",
        cement_ml=4.4,
        bone_fillers=3,
    )


def t12_measurements() -> Measurements:
    return Measurements(
        anterior_height_mm=17.2,
        middle_height_mm=17.9,
        posterior_height_mm=26.1,
        heights_3x3_mm=((17.5, 18.2, 26.0), (17.2, 17.9, 26.1), (17.0, 18.1, 25.9)),
        depth_mm=29.4,
        width_mm=39.2,
        body_volume_ml=20.4,
        anterior_two_thirds_volume_ml=12.1,
        reference=Reference(26.4, 23.2, 27.0, "neighbours", ("T10", "T11", "L1")),
        height_loss_percent=HeightLoss(34.8, 22.8, 3.3),
        genant_grade=2,
        fracture_shape="wedge+biconcave",
        of_class="OF3",
        wedge_angle_deg=16.8,
        segmental_kyphosis_deg=19.5,
        gardner_angle_deg=18.1,
        body_density_hu=112.0,
        reference_density_hu=78.0,
        cleft_volume_ml=0.4,
        posterior_wall_retropulsion_mm=1.2,
        height_points_ras={
            "anterior": (point(T12_ORIGIN, 0, 14.0, 8.6), point(T12_ORIGIN, 0, 14.0, -8.6)),
            "middle": (point(T12_ORIGIN, 0, 0.0, 8.9), point(T12_ORIGIN, 0, 0.0, -9.0)),
            "posterior": (point(T12_ORIGIN, 0, -14.0, 13.0), point(T12_ORIGIN, 0, -14.0, -13.1)),
        },
    )


def l2_measurements() -> Measurements:
    return Measurements(
        anterior_height_mm=22.0,
        middle_height_mm=20.1,
        posterior_height_mm=27.6,
        heights_3x3_mm=((22.4, 20.5, None), (22.0, 20.1, 27.6), (21.8, 20.0, 27.3)),
        depth_mm=31.0,
        width_mm=44.0,
        body_volume_ml=28.8,
        anterior_two_thirds_volume_ml=18.2,
        reference=Reference(28.0, 24.9, 28.6, "neighbours", ("L1", "L3")),
        height_loss_percent=HeightLoss(21.4, 19.3, 3.5),
        genant_grade=1,
        fracture_shape="wedge",
        of_class="OF2",
        wedge_angle_deg=10.2,
        segmental_kyphosis_deg=None,
        gardner_angle_deg=4.4,
        body_density_hu=90.0,
        reference_density_hu=78.0,
        cleft_volume_ml=0.0,
        posterior_wall_retropulsion_mm=0.0,
    )


def pedicle(origin: tuple[float, float, float], side: str, width: float, height: float) -> PedicleMeasurement:
    sign = 1.0 if side == "right" else -1.0
    return PedicleMeasurement(width, height, point(origin, sign * 13.0, -22.0, 5.0), (-sign * 0.1736, 0.9848, 0.0))


def frame(origin: tuple[float, float, float]) -> FramePlan:
    return FramePlan(origin, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def t12() -> LevelPlan:
    return LevelPlan(
        level="T12",
        complete=True,
        frame=frame(T12_ORIGIN),
        measurements=t12_measurements(),
        pedicles=Pedicles(pedicle(T12_ORIGIN, "left", 6.4, 14.8), pedicle(T12_ORIGIN, "right", 7.9, 15.1)),
        approach="bilateral",
        approach_reason="a needle from one side ends 6 mm short of the midline; two needles fill both halves",
        trajectories=(t12_trajectory("left"), t12_trajectory("right")),
        skipped_sides={},
        cement=CementPlan(
            0.30,
            12.1,
            5.5,
            3.1,
            6.1,
            27.0,
            4,
            1.5,
            "balloon cavities 5.2 ml + 1.0 ml, held at the ceiling",
            "30 % of the body",
            3.1,
            6.1,
        ),
        predicted=Predicted(20.9, 9.4, 0.40),
        warnings=(
            PlanWarning(
                "retropulsion",
                "caution",
                "The posterior wall bulges 1.2 mm into the canal: watch for backflow of"
                " cement and inject under lateral view.",
                "157 levels, IJSS 15:353 [V]",
            ),
            PlanWarning(
                "tight_path",
                "caution",
                "Left needle: 0.6 mm to the pedicle’s inner wall, margin 1.0 mm.",
                "margins of this plan [D]",
            ),
            PlanWarning("cleft", "info", "A gas cleft of 0.4 ml will take cement first.", "AJNR 26:1634 [V]"),
        ),
    )


def l2() -> LevelPlan:
    return LevelPlan(
        level="L2",
        complete=True,
        frame=frame(L2_ORIGIN),
        measurements=l2_measurements(),
        pedicles=Pedicles(pedicle(L2_ORIGIN, "left", 3.9, 12.2), pedicle(L2_ORIGIN, "right", 7.4, 14.0)),
        approach="unilateral-right",
        approach_reason="the left pedicle is too thin; the right needle reaches the midline",
        trajectories=(l2_trajectory(),),
        skipped_sides={"left": SKIPPED_LEFT},
        cement=CementPlan(
            0.30, 18.2, 4.4, 3.5, 5.9, 15.3, 3, 1.5, "30 % of the trabecular space of the anterior two-thirds"
        ),
        predicted=None,
        warnings=(
            PlanWarning(
                "balloon-none",
                "stop",
                "No balloon fits the 11G cannula: kyphoplasty is not possible from the right;"
                " plan a vertebroplasty or another access.",
                "device catalogue",
            ),
            PlanWarning("segmental-missing", "info", "L3 is cut by the image border: no segmental angle.", "geometry"),
        ),
    )


def case_plan() -> CasePlan:
    """The whole plan; every float is rounded as the planner rounds it, so that saving loses nothing."""
    plan = CasePlan(
        schema=SCHEMA,
        software=Software("VertebralAugmentationPlanner", "0.1.0"),
        inputs=Inputs(
            ct=ImageRecord("ct.nii.gz", "ab" * 32, (512, 512, 400), (0.7, 0.7, 1.0)),
            segmentation=ImageRecord("labels.nii.gz", "cd" * 32, (512, 512, 400), (0.7, 0.7, 1.0)),
            numbering="totalsegmentator",
        ),
        coordinate_system="RAS",
        options=to_plain(PlanOptions(levels=("T12", "L2"))),
        levels=(
            t12(),
            l2(),
            LevelPlan(
                "L3",
                False,
                None,
                None,
                Pedicles(None, None),
                None,
                None,
                (),
                {},
                None,
                None,
                (PlanWarning("incomplete", "info", "L3 is cut by the lower border of the image.", "geometry"),),
            ),
        ),
        warnings=(
            PlanWarning(
                "supine",
                "info",
                "The CT was taken lying: standing, kyphosis and height loss are larger (18.3 mm"
                " sitting against 24.3 mm supine in one series).",
                "JOSR 2020 doi 10.1186/s13018-020-01649-y [V]",
            ),
        ),
    )
    return rounded(plan)


def only(plan: CasePlan, name: str, **changes: object) -> CasePlan:
    """The plan of one level alone, with changes to it."""
    level = replace(plan.level(name), **changes)  # type: ignore[arg-type]
    return replace(plan, levels=(level,))


class Square:
    """Stands in for a picture of the imaging room."""

    width_px = height_px = 300
    caption = "Slice along the needle, seen from the patient’s left. The rest of the caption is long."

    def to_svg(self, width: str | None = None) -> str:
        return f'<svg viewBox="0 0 300 300" style="width:{width}"><rect width="300" height="300"/></svg>'


def every_picture() -> PagePictures:
    """All pictures of a level with two needles, and where their tips cross the medial border."""
    keys = [f"{view}_{side}" for view in ("axial", "sagittal", "isthmus", "end_on", "medial_ap", "medial_lateral")
            for side in ("left", "right")]  # fmt: skip
    borders = {side: MedialBorder(29.2, 9.1) for side in ("left", "right")}
    names = [*keys, "ap", "lateral", "view3d", "mid_sagittal"]
    return PagePictures(dict.fromkeys(names, Square()), medial_borders=borders)
