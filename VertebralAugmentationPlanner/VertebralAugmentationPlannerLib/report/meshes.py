"""Surfaces of a plan: bone, needles as tubes of true thickness, balloons and cement. RAS, mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from ..model import BalloonPlan, CasePlan, LevelPlan, Spine, Trajectory, Vertebra
from ..model.geometry import FloatArray, unit
from ..model.palette import BALLOON, BONE, CEMENT, rgb, safety_colour

TUBE_SIDES = 64
"""A 64-sided tube is at most 0.005 mm thinner than a round cannula of 8G."""
SPHERE_RINGS = 32
SPHERE_SEGMENTS = 64
ON_SURFACE_MM = 1e-3
"""A voxel centre exactly on the surface would give triangles without area and holes; it is put 1 µm outside."""
BONE_OPACITY = 0.35
"""Bone is context: what lies inside must be seen."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed triangle surface, normals outwards.

    Args:
        name: “T12 left needle”.
        kind: "bone", "needle", "balloon" or "cement".
        points: (N, 3) RAS, mm.
        triangles: (M, 3) indices into ``points``.
        colour: red, green, blue in 0–1.
        opacity: 0–1.
    """

    name: str
    kind: str
    points: FloatArray
    triangles: NDArray[np.int64]
    colour: tuple[float, float, float]
    opacity: float = 1.0

    @property
    def volume_ml(self) -> float:
        """Enclosed volume by the divergence theorem."""
        a, b, c = (self.points[self.triangles[:, n]] for n in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6000.0)


def plan_meshes(plan: CasePlan, spine: Spine | None = None) -> list[Mesh]:
    """Every surface of the plan; bone only where the spine is given."""
    meshes: list[Mesh] = []
    for level in plan.levels:
        vertebra = spine.vertebrae.get(level.level) if spine else None
        if vertebra is not None and vertebra.bone_mm is not None:
            meshes.append(bone_mesh(vertebra))
        for needle in level.trajectories:
            meshes += _needle_meshes(level, needle)
    return meshes


def _needle_meshes(level: LevelPlan, needle: Trajectory) -> list[Mesh]:
    name = f"{level.level} {needle.side}"
    meshes = [needle_mesh(needle, f"{name} needle")]
    if needle.balloon is not None and needle.balloon.planned_volume_ml > 0:
        meshes.append(balloon_mesh(needle.balloon, f"{name} balloon"))
    if needle.cement_ml:
        meshes.append(cement_mesh(needle, f"{name} cement"))
    return meshes


def bone_mesh(vertebra: Vertebra) -> Mesh:
    """The surface of a vertebra: the zero level of its signed distance, closed at the edge of its grid."""
    assert vertebra.bone_mm is not None and vertebra.grid is not None and vertebra.frame is not None
    field = np.where(np.abs(vertebra.bone_mm) < ON_SURFACE_MM, -ON_SURFACE_MM, vertebra.bone_mm)
    field = np.pad(field, 1, constant_values=-1.0)
    image = vtk.vtkImageData()
    image.SetDimensions(*field.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(np.asfortranarray(field, np.float32).ravel(order="F"), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    contour.Update()
    surface = contour.GetOutput()
    index = vtk_to_numpy(surface.GetPoints().GetData()).astype(float) - 1.0  # the padding shifted it by one voxel
    points = vertebra.frame.to_ras(vertebra.grid.to_local(index))
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)
    return _outwards(Mesh(f"{vertebra.level} bone", "bone", points, triangles, rgb(BONE), BONE_OPACITY))


def needle_mesh(needle: Trajectory, name: str) -> Mesh:
    """The cannula as a closed tube from the skin (from the bone entry where there is no skin) to the target."""
    start = np.array(needle.skin_ras if needle.skin_ras is not None else needle.entry_ras, float)
    end = np.array(needle.target_ras, float)
    across, up = _across(unit(end - start))
    angle = 2 * np.pi * np.arange(TUBE_SIDES) / TUBE_SIDES
    ring = needle.cannula_outer_diameter_mm / 2 * (np.outer(np.cos(angle), across) + np.outer(np.sin(angle), up))
    points = np.vstack([start + ring, end + ring, start[None], end[None]])
    here = np.arange(TUBE_SIDES)
    following = (here + 1) % TUBE_SIDES
    n = TUBE_SIDES
    sides = [np.stack([here, following, n + following], 1), np.stack([here, n + following, n + here], 1)]
    caps = [
        np.stack([np.full(n, 2 * n), following, here], 1),
        np.stack([np.full(n, 2 * n + 1), n + here, n + following], 1),
    ]
    triangles = np.vstack([*sides, *caps]).astype(np.int64)
    return _outwards(Mesh(name, "needle", points, triangles, rgb(safety_colour(needle.safety))))


def balloon_mesh(balloon: BalloonPlan, name: str) -> Mesh:
    """The inflated balloon as a spheroid about its axis, of the planned volume and diameter."""
    axis = unit(np.subtract(balloon.distal_ras, balloon.proximal_ras))
    half_length = (balloon.planned_length_mm or balloon.length_mm) / 2
    half_width = balloon.planned_diameter_mm / 2
    mesh = _spheroid(np.array(balloon.centre_ras, float), axis, half_length, half_width)
    return _with_volume(Mesh(name, "balloon", *mesh, rgb(BALLOON), 0.6), balloon.planned_volume_ml)


def cement_mesh(needle: Trajectory, name: str) -> Mesh:
    """The planned cement of one needle as a spheroid of its volume, around the balloon or the tip.

    It shows the amount, not where cement will flow: that is not predicted.
    """
    assert needle.cement_ml
    axis = unit(np.subtract(needle.target_ras, needle.entry_ras))
    centre, ratio = np.array(needle.target_ras, float), 1.0
    if needle.balloon is not None:
        centre = np.array(needle.balloon.centre_ras, float)
        length = needle.balloon.planned_length_mm or needle.balloon.length_mm
        ratio = length / needle.balloon.planned_diameter_mm
    mesh = _spheroid(centre, axis, 10.0 * ratio, 10.0)
    return _with_volume(Mesh(name, "cement", *mesh, rgb(CEMENT), 0.6), needle.cement_ml)


def _spheroid(
    centre: FloatArray, axis: FloatArray, half_length: float, half_width: float
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Points and triangles of a spheroid: two poles on the axis and rings between them."""
    across, up = _across(axis)
    polar = np.pi * np.arange(1, SPHERE_RINGS) / SPHERE_RINGS
    round_ = 2 * np.pi * np.arange(SPHERE_SEGMENTS) / SPHERE_SEGMENTS
    radial = np.outer(np.cos(round_), across) + np.outer(np.sin(round_), up)
    rings = np.cos(polar)[:, None, None] * axis * half_length + np.sin(polar)[:, None, None] * radial * half_width
    poles = np.array([axis * half_length, -axis * half_length])
    points = centre + np.vstack([rings.reshape(-1, 3), poles])
    n, last = SPHERE_SEGMENTS, len(rings) * SPHERE_SEGMENTS
    here = np.arange(n)
    following = (here + 1) % n
    triangles = [np.stack([np.full(n, last), here, following], 1)]
    for ring in range(len(rings) - 1):
        a, b = ring * n, (ring + 1) * n
        triangles += [
            np.stack([a + here, b + here, b + following], 1),
            np.stack([a + here, b + following, a + following], 1),
        ]
    triangles.append(np.stack([np.full(n, last + 1), last - n + following, last - n + here], 1))
    return points, np.vstack(triangles).astype(np.int64)


def _with_volume(mesh: Mesh, volume_ml: float) -> Mesh:
    """The mesh scaled about its centre to enclose exactly a volume, so that its facets cost nothing."""
    mesh = _outwards(mesh)
    centre = mesh.points.mean(axis=0)
    scale = (volume_ml / mesh.volume_ml) ** (1 / 3)
    points = centre + scale * (mesh.points - centre)
    return Mesh(mesh.name, mesh.kind, points, mesh.triangles, mesh.colour, mesh.opacity)


def _outwards(mesh: Mesh) -> Mesh:
    if mesh.volume_ml >= 0:
        return mesh
    return Mesh(mesh.name, mesh.kind, mesh.points, mesh.triangles[:, ::-1], mesh.colour, mesh.opacity)


def _across(axis: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors perpendicular to the axis and to each other."""
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    across = unit(np.cross(axis, helper))
    return across, np.cross(axis, across)
