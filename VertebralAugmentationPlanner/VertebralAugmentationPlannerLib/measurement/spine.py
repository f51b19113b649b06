"""Measure every whole vertebra of a spine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model import Case, Measurements, PlanOptions, PlanWarning, Spine, Vertebra
from . import hazards, notes, pedicle_norms
from .angles import Angles, measure_angles
from .cleft import cleft_volume_ml
from .cortex import CorticalDefect, CortexUnseen, cortical_defects
from .density import trabecular_density_hu
from .foreign import Foreign, find_foreign, was_augmented
from .fracture import fracture_shape, genant_grade
from .heights import doubtful_rims, height_points_ras, heights_3x3, midsagittal_heights, with_visible_rims
from .lateral import lower_side
from .materials import Window, window_of
from .normal import Usual
from .of_class import of_class
from .posterior_wall import Bulge, Walls, largest_bulge, read_walls
from .reference import LevelReference, find_references
from .sampling import body_voxels
from .volumes import anterior_two_thirds_ml


@dataclass(frozen=True)
class MeasuredLevel:
    """The measurements of one level and what to beware of."""

    measurements: Measurements
    warnings: tuple[PlanWarning, ...]


@dataclass(frozen=True)
class CtReadings:
    """What the CT says about one body; all None without a CT. ``window``: where the whole CT was cut off. ``unseen``: why no
    gaps in the cortex could be looked for, where a CT cannot tell. ``seen_share``: how much of the body the CT shows."""

    density_hu: float | None
    cleft_ml: float | None
    defects: list[CorticalDefect] | None
    foreign: Foreign | None
    window: Window = field(default_factory=Window)
    unseen: str | None = None
    seen_share: float = 0.0


@dataclass(frozen=True)
class _WholeSpine:
    """What is read of all levels before any is measured: a level is judged by its neighbours.

    Args:
        complete: the whole levels, with the rims that can be seen; the mappings hold these.
        grids: 3 × 3 heights, mm.
    """

    spine: Spine
    case: Case
    options: PlanOptions
    usual: Usual
    complete: Mapping[str, Vertebra]
    grids: Mapping[str, tuple[tuple[float | None, ...], ...]]
    references: Mapping[str, LevelReference]
    walls: Mapping[str, Walls]
    readings: Mapping[str, CtReadings]

    def neighbours(self, level: str) -> tuple[str, ...]:
        """The levels that a level is compared with; none where the reference is none of them."""
        reference = self.references[level].reference
        return reference.levels if reference.method == "neighbours" else ()


def measure_spine(spine: Spine, case: Case, options: PlanOptions) -> dict[str, MeasuredLevel]:
    """Measurements and warnings of every complete level, from head to foot.

    Args:
        spine: the vertebrae with their frames, end plates, bodies and walls.
        case: CT (may be None: then density and cleft are None, with a warning) and labels.
        options: no measurement depends on them; by ``etiology`` a warning of gaps in the cortex is graver.
    """
    found = spine.complete()
    doubtful = {level: doubtful_rims(vertebra) for level, vertebra in found.items()}
    complete = {level: with_visible_rims(vertebra) for level, vertebra in found.items()}
    heights = {level: midsagittal_heights(vertebra) for level, vertebra in complete.items()}
    grids = {level: heights_3x3(vertebra, heights[level]) for level, vertebra in complete.items()}
    window = Window() if case.ct is None else window_of(case.ct)
    readings = {level: read_ct(vertebra, case, window) for level, vertebra in complete.items()}
    usual = Usual(six_lumbar="L6" in spine.vertebrae)
    references = find_references(
        heights,
        doubtful=[level for level, rims in doubtful.items() if rims],
        usual=usual,
        lopsided=[level for level, grid in grids.items() if lower_side(grid)],
        cemented=[level for level, ct in readings.items() if was_augmented(ct.foreign)],
    )
    walls = {level: read_walls(vertebra) for level, vertebra in complete.items()}
    whole = _WholeSpine(spine, case, options, usual, complete, grids, references, walls, readings)
    return {level: _measure_level(level, whole) for level in complete}


def read_ct(vertebra: Vertebra, case: Case, window: Window) -> CtReadings:
    """Density, gas (none is looked for in a CT that is cut off above it), cortical gaps, cement and metal of one body."""
    if case.ct is None:
        return CtReadings(None, None, None, None)
    voxels = body_voxels(vertebra, case.ct)
    density = trabecular_density_hu(voxels, window)
    cleft_ml = cleft_volume_ml(voxels) if window.above_gas_hu is None else None
    defects, unseen = None, None
    try:
        defects = cortical_defects(vertebra, voxels, density)
    except CortexUnseen as error:
        unseen = str(error)
    return CtReadings(density, cleft_ml, defects, find_foreign(voxels), window, unseen, voxels.seen_share)


def _measure_level(level: str, whole: _WholeSpine) -> MeasuredLevel:
    vertebra, found, ct = whole.complete[level], whole.references[level], whole.readings[level]
    neighbours = whole.neighbours(level)
    bulge = largest_bulge(whole.walls[level], [whole.walls[name] for name in neighbours])
    shape = fracture_shape(found.loss)
    angles = measure_angles(level, whole.complete)
    mid = midsagittal_heights(vertebra)
    measurements = Measurements(
        anterior_height_mm=mid.anterior,
        middle_height_mm=mid.middle,
        posterior_height_mm=mid.posterior,
        heights_3x3_mm=whole.grids[level],
        depth_mm=None if vertebra.mid_walls_mm is None else vertebra.depth_mm,
        width_mm=vertebra.width_mm,
        body_volume_ml=vertebra.body_volume_ml,
        anterior_two_thirds_volume_ml=anterior_two_thirds_ml(vertebra),
        reference=found.reference,
        height_loss_percent=found.loss,
        genant_grade=genant_grade(found.loss),
        fracture_shape=shape,
        of_class=of_class(
            vertebra,
            [whole.complete[name] for name in neighbours],
            found.loss,
            bulge.own,
            bulge.healthy,
            shape,
            whole.usual,
        ),
        wedge_angle_deg=angles.wedge_angle_deg,
        segmental_kyphosis_deg=angles.segmental_kyphosis_deg,
        gardner_angle_deg=angles.gardner_angle_deg,
        body_density_hu=ct.density_hu,
        reference_density_hu=_mean_density(neighbours, whole.readings),
        cleft_volume_ml=ct.cleft_ml,
        posterior_wall_retropulsion_mm=bulge.mm,
        height_points_ras=height_points_ras(vertebra),
    )
    return MeasuredLevel(measurements, _warnings(level, measurements, angles, bulge, whole))


def _mean_density(levels: tuple[str, ...], readings: Mapping[str, CtReadings]) -> float | None:
    known = [hu for hu in (readings[level].density_hu for level in levels) if hu is not None]
    return sum(known) / len(known) if known else None


def _warnings(
    level: str, measurements: Measurements, angles: Angles, bulge: Bulge, whole: _WholeSpine
) -> tuple[PlanWarning, ...]:
    fractured = {name for name, found in whole.references.items() if found.fractured}
    ct, case, spine, vertebra = whole.readings[level], whole.case, whole.spine, whole.complete[level]
    densities = {name: read.density_hu for name, read in whole.readings.items()}
    tumour = whole.options.etiology == "tumour"
    return (
        *hazards.canal_warnings(measurements, bulge.where),
        *hazards.wall_reference_warnings(measurements),
        *hazards.wall_coverage_warnings(level, bulge.seen_mm),
        *hazards.wall_hollow_warnings(level, bulge.hollow_mm),
        *hazards.cleft_warnings(measurements),
        *hazards.cortex_warnings(ct.defects, level in fractured, ct.unseen, tumour),
        *hazards.foreign_warnings(ct.foreign, ct.window),
        *hazards.coverage_warnings(ct.foreign, ct.seen_share),
        *hazards.pedicle_warnings(vertebra),
        *pedicle_norms.size_warnings(vertebra),
        *hazards.neighbour_warnings(level, fractured, densities, spine),
        *notes.reference_notes(level, whole.references[level], spine),
        *notes.height_notes(spine.vertebrae[level]),
        *notes.side_notes(level, measurements),
        *notes.loss_notes(measurements),
        *notes.density_notes(measurements),
        *notes.resolution_notes(case),
        *notes.not_computed(measurements, angles, case, ct.window, ct.seen_share),
    )
