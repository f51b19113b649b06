"""Is a vertebra whole, or cut by the border of the volume, or by a plane inside it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from ..case.parts import EMPTY_LAYERS
from ..model import Image, Vertebra, above, below
from ..model.geometry import FloatArray
from .surface import Shape

TOLERATED_CUT_MM2 = 10.0
"""A tip that just touches the border (a few voxels) loses nothing that is measured; a larger contact means that an
unknown part is missing."""

PROCESS_CUT_MM2 = 60.0
"""The tip of a spinous or transverse process may be cut over this area by one border: tight crops do so, while body,
pedicles and canal are whole. A process cut half-way has a larger section [D]."""

TOUCHING, BESIDE = (-1.0, 0.5), (0.5, 1.5)
"""Outer face of a label, in voxels of an image inside its border: at the border (a label may reach beyond that of a CT on
another grid by less than a voxel; what reaches farther was seen in a larger image), and one voxel before it: networks,
resampling and padding leave such an empty layer [D]."""

BESIDE_MM2 = 60.0
"""A whole vertebra's outermost layer at 1–2 mm voxels is smaller but for a few (80 mm² at most of 100 in three real spines):
one voxel before a border a larger one may be a cut [C]."""

AS_LARGE = 0.9
"""Of two planes through one sawn end either may be the larger by so much [D]."""

PROCESS_EDGES = frozenset({"left", "right", "posterior"})
"""Borders that a process meets alone. What the border above or below cuts may be a facet, and in front of it lies a body."""

OFF_PEDICLES_MM = 12.0
"""A cut process lies at least this far off the pedicles' axes, so that no needle enters through what is missing: entries lie
within 8 mm of them [D]."""

FLAT_SHARE, THICK_FLAT_SHARE = 0.35, 0.85
"""A flat end of a label of at least this share of (volume)^(2/3) may be a saw cut; the second for layers of voxels thicker
than :data:`FINE_MM`, in which an end plate and the facets beside it may end together. A whole vertebra ends in tips: at
most 0.17 of it in 28 real ones at 1–1.5 mm, 0.42 at 2 mm, 0.77 at 3 mm. Cuts that take a tenth to a half of the body leave
0.57–2.7 across the height, 0.44–1.1 from a side, and, from the front, 0.3–0.9 in half of the cases [C]."""

PLATE_SOLIDITY, CRUMB_MM2 = 0.85, 5.0
"""A plate fills 0.91–0.97 of its convex hull; one plane through body and arch fills less, as a ring with its pedicles or as
several pieces of at least the second size: 354 of 355 cuts across the height [C]. Drawn bodies with flat plates and facets
level with them do so too, so it is said and decides nothing [D]."""

FINE_MM, COARSE_MM = 1.6, 3.2
"""Beyond the second nothing is said: in a layer of 5 mm an end plate and its facets are one. [D]"""

LAYERS = 1.0
"""A flat end is looked for in this many layers of voxels: the steps of a cut across the grid fill one, and of a dished
plate only the rim lies in it. [D]"""

ROUNDING = 1e-4
"""A next layer a rounding error nearer than one step is not of the face."""

FACES_TRIED, REFINEMENTS = 12, 2
FACE_SPREAD = 0.996
"""Cosine (5°) within which facets of the hull count as one face; the plane is then fitted to the voxels. [D]"""

WORTH_FITTING = 0.2
"""A slab one layer thick and 5° askew still catches a fifth of a cut's area. [D]"""

MIN_FITTED = 8
"""Voxels that a plane is fitted to; fewer are a crumb's. [D]"""

SMALL_SHARE = 0.74
"""A body with less than this share of the depth or width of both its neighbours has lost a part. Neighbours in real spines
differ by up to 15 %, and a fracture makes a body broader, not smaller. [D]"""

PROFILE_MM = np.arange(-4.0, 4.01, 0.5)
"""Places along a face's normal where the CT is read: cortex and end plates are 0.5–1.5 mm thick. [D]"""

AT_FACE_MM, AWAY_MM = 1.5, 2.5
"""Bone ends within the first of the face if it ends there; what lies on its two sides is read beyond the second. [D]"""

ALIKE_HU, ALIKE_SHARE = 40.0, 0.25
"""Means over a face that differ by less than this are of the same tissue: spongy bone and disc do by about 50 HU. [D]"""

PADDING_HU = 0.5
"""Tissue varies by more than this over a millimetre; padding does not [D]."""

CORTEX_HU = 60.0
"""A shell stands out by more than this, even blurred by slices of 3 mm (1 mm of 300 HU more than its surroundings). [D]"""

_EDGES = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))


@dataclass(frozen=True, eq=False)
class BorderContact:
    """Where a label lies on the border of its volume.

    Args:
        by_edge_mm2: area on each border touched, named by the patient's directions.
        points_ras: (N, 3) centres of the voxels there.
    """

    by_edge_mm2: dict[str, float]
    points_ras: FloatArray

    @property
    def area_mm2(self) -> float:
        """On all borders together."""
        return sum(self.by_edge_mm2.values())

    @property
    def where(self) -> str:
        """The borders in words."""
        return " and ".join(self.by_edge_mm2)

    @property
    def may_be_of_a_process(self) -> bool:
        """Whether no more than the tip of a process may have been cut, by its size and side."""
        return max(self.by_edge_mm2.values()) <= PROCESS_CUT_MM2 and PROCESS_EDGES.issuperset(self.by_edge_mm2)

    def is_of_a_process(self, vertebra: Vertebra) -> bool:
        """Whether what touches the border lies behind the body and clear of both pedicles and their entries."""
        known = vertebra.frame is not None and vertebra.mid_walls_mm is not None
        if not known or not self.may_be_of_a_process or len(vertebra.pedicles) < 2:
            return False
        assert vertebra.frame is not None and vertebra.mid_walls_mm is not None
        points = vertebra.frame.to_local(self.points_ras)
        clear = points[:, 1] < vertebra.mid_walls_mm[0]
        for pedicle in vertebra.pedicles.values():
            across = np.cross(points - pedicle.centre, pedicle.axis)
            clear &= np.linalg.norm(across, axis=1) > OFF_PEDICLES_MM
        return bool(clear.all())


def border_contact(shape: Shape, image: Image, gap_voxels: tuple[float, float] = TOUCHING) -> BorderContact:
    """How much of a label ends at the borders of an image, and where.

    Args:
        shape: the label.
        image: its label map, or a CT on any grid.
        gap_voxels: least and largest gap between the label's outer face and a border, in voxels of the image; negative
            where the label reaches beyond the border.
    """
    areas: dict[str, float] = {}
    found = [np.empty((0, 3))]
    points = shape.points_ras()
    index = image.to_ijk(points)
    voxel_mm3 = float(np.prod(shape.distance.spacing_mm))
    for axis, (size, across) in enumerate(zip(image.voxels.shape, image.ras_to_ijk[:3, :3], strict=True)):
        step_mm = shape.step_along(across / np.linalg.norm(across))
        step = step_mm * float(np.linalg.norm(across))
        along = int(np.argmax(np.abs(across)))
        for depth, positive in ((index[:, axis] + 0.5, False), (size - 0.5 - index[:, axis], True)):
            if not gap_voxels[0] <= depth.min() - step / 2 < gap_voxels[1]:
                continue
            layer = depth < depth.min() + step * (1 - ROUNDING)
            edge = _EDGES[along][int((across[along] > 0) == positive)]
            areas[edge] = areas.get(edge, 0.0) + int(layer.sum()) * voxel_mm3 / step_mm
            found.append(points[layer])
    return BorderContact(areas, np.concatenate(found))


@dataclass(frozen=True, eq=False)
class FlatEnd:
    """A flat face that ends a label.

    Args:
        area_mm2, side: how large its largest piece is, and on which side of the patient.
        solidity: share of its convex hull that the face fills with all its larger pieces.
        points_ras: (N, 3) middles of its voxels, moved onto the face.
        normal_ras: (3,) outward unit normal.
    """

    area_mm2: float
    solidity: float
    side: str
    points_ras: FloatArray
    normal_ras: FloatArray

    @property
    def through_the_arch(self) -> bool:
        """Whether one plane ends body and arch at once: a plate, even a flat one, mostly ends by itself."""
        return self.solidity < PLATE_SOLIDITY


def flat_end(shape: Shape) -> FlatEnd | None:
    """The largest flat face that ends a label, if it is larger than real vertebrae have.

    Beyond such a plane lies nothing of the label, neither body nor process. It may have been cut short by an earlier
    crop, or by a tile's edge of the program that made it. A model of a vertebra with straight walls may end so, too:
    whether bone goes on beyond the face only the CT can tell (:func:`goes_on_beyond`).

    Returns:
        None where the label ends in tips, as a vertebra does.
    """
    matrix, spacing = shape.distance.ijk_to_ras[:3, :3], shape.distance.spacing_mm
    voxel = float(np.prod(spacing))
    index = np.argwhere(shape.mask)
    size = (len(index) * voxel) ** (2 / 3)
    largest: tuple[float, float, FloatArray, FloatArray] | None = None
    for normal in _hull_normals(shape.mask, matrix):
        for _ in range(1 + REFINEMENTS):
            step = float(np.abs(normal @ matrix).max())
            if step > COARSE_MM:
                break
            along = index @ (normal @ matrix)
            depth = (along.max() - along) / step
            face = index[depth < LAYERS - ROUNDING]
            pieces = _pieces(face)
            area = len(pieces[0]) * voxel / (LAYERS * step)
            share = area / size / (FLAT_SHARE if step <= FINE_MM else THICK_FLAT_SHARE)
            if share >= 1.0 and (largest is None or area > largest[0]):
                whole = [piece for piece in pieces if len(piece) * voxel / (LAYERS * step) >= CRUMB_MM2]
                solidity = _solidity(np.concatenate(whole), matrix, normal, voxel / (LAYERS * step))
                if step > FINE_MM:  # there a dished plate and the facets beside it may end in one layer
                    solidity = 1.0
                largest = (area, solidity, normal, shape.distance.to_ras(face) + 0.5 * step * normal)
            end = index[depth < 2 * LAYERS - ROUNDING]
            if share < WORTH_FITTING or len(end) < MIN_FITTED:
                break
            normal = _fitted(end @ matrix.T, normal)
    if largest is None:
        return None
    area, solidity, normal, points = largest
    axis = int(np.argmax(np.abs(normal)))
    return FlatEnd(area, solidity, _EDGES[axis][int(normal[axis] > 0)], points, normal)


def ends_at_border(shape: Shape, face: FlatEnd, image: Image) -> bool:
    """Whether an image ends within 4 mm in front of most of a label's flat face, or within three voxels of a layer of the label as
    large (an oblique plane may tie with that of a border): what lies beyond is then not known."""
    layers = border_contact(shape, image, (TOUCHING[0], EMPTY_LAYERS + 0.5)).by_edge_mm2
    if max(layers.values(), default=0.0) >= AS_LARGE * face.area_mm2:
        return True
    index = image.to_ijk(face.points_ras[:, None] + PROFILE_MM[PROFILE_MM > 0, None] * face.normal_ras)
    outside = (index < -0.5) | (index > np.array(image.voxels.shape) - 0.5)
    return bool(outside.any(axis=(1, 2)).mean() > 0.5)


def goes_on_beyond(face: FlatEnd, ct: Image) -> bool | None:
    """Whether the CT shows the same tissue on both sides of a face, and no shell in between: bone that was cut off.

    Returns:
        None where the CT cannot tell: it ends within 4 mm of most of the face, or is padded there with one value.
    """
    places = face.points_ras[:, None] + PROFILE_MM[:, None] * face.normal_ras
    values = ct.sample(places, outside=np.nan)
    values = values[np.isfinite(values).all(axis=1)]
    if 2 * len(values) < len(places) or np.median(np.ptp(values[:, PROFILE_MM > AWAY_MM], axis=1)) < PADDING_HU:
        return None
    profile = values.mean(axis=0)
    inside, beyond = (float(profile[sign * PROFILE_MM > AWAY_MM].mean()) for sign in (-1, 1))
    shell = float(profile[np.abs(PROFILE_MM) <= AT_FACE_MM].max()) - max(inside, beyond)
    return abs(inside - beyond) < max(ALIKE_HU, ALIKE_SHARE * abs(inside)) and shell < CORTEX_HU


def too_small(vertebrae: Mapping[str, Vertebra]) -> dict[str, str]:
    """Why bodies far smaller than both their whole neighbours are no whole ones; by level."""
    whole = {level: vertebra for level, vertebra in vertebrae.items() if vertebra.complete}
    reasons = {}
    for level, vertebra in whole.items():
        beside = [whole.get(name or "") for name in (above(level, tuple(vertebrae)), below(level, tuple(vertebrae)))]
        for name, what in (("depth_mm", "deep"), ("width_mm", "wide")):
            own, others = getattr(vertebra, name), [getattr(other, name) for other in beside if other is not None]
            if own is not None and len(others) == 2 and None not in others and own < SMALL_SHARE * min(others):
                reasons[level] = (
                    f"its body is only {own:.0f} mm {what} between neighbours of {others[0]:.0f} and {others[1]:.0f} mm, so "
                    "either a part of it is missing from the label or the body is split or crushed"
                )
    return reasons


def _fitted(points: FloatArray, normal: FloatArray) -> FloatArray:
    """Normal of the plane through points (N, 3), to the same side as before."""
    fitted: FloatArray = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][2]
    return fitted if fitted @ normal > 0 else -fitted


def _hull_normals(mask: NDArray[np.bool_], matrix: FloatArray) -> list[FloatArray]:
    """Outward RAS normals to try: the grid's own axes, and the largest faces of the mask's convex hull."""
    columns = np.argwhere(mask.any(axis=2))
    lines = mask[tuple(columns.T)]
    first, last = lines.argmax(axis=1), mask.shape[2] - 1 - lines[:, ::-1].argmax(axis=1)
    ends = np.vstack([np.column_stack([columns, first]), np.column_stack([columns, last])])
    points = ends @ matrix.T
    try:
        hull = ConvexHull(points)
    except QhullError:  # a sheet or a line of voxels: no body to be cut
        return []
    corners = points[hull.simplices]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    normals = hull.equations[:, :3]
    found = [sign * axis / np.linalg.norm(axis) for axis in matrix.T for sign in (1.0, -1.0)]
    left = np.ones(len(areas), bool)
    while left.any() and len(found) < 6 + FACES_TRIED:
        top = int(np.argmax(np.where(left, areas, -1.0)))
        face = left & (normals @ normals[top] > FACE_SPREAD)
        mean = (areas[face, None] * normals[face]).sum(axis=0)
        found.append(mean / np.linalg.norm(mean))
        left &= ~face
    return found


def _pieces(index: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The connected pieces of some voxels (N, 3), the largest first."""
    low = index.min(axis=0)
    mask = np.zeros(index.max(axis=0) - low + 1, bool)
    mask[tuple((index - low).T)] = True
    pieces, count = ndimage.label(mask, np.ones((3, 3, 3)))
    own = pieces[tuple((index - low).T)]
    return sorted((index[own == number] for number in range(1, count + 1)), key=len, reverse=True)


def _solidity(face: NDArray[np.int64], matrix: FloatArray, normal: FloatArray, place_mm2: float) -> float:
    """Share of their convex hull that the voxels (N, 3) of a face fill, seen along its normal."""
    corners = face[:, None] + np.array(list(product((-0.5, 0.5), repeat=3))) * 0.8  # a cell's mean reach in a plane
    _, _, axes = np.linalg.svd(normal[None])
    flat = corners.reshape(-1, 3) @ matrix.T @ axes[1:].T
    return float(len(face) * place_mm2 / ConvexHull(flat).volume)
