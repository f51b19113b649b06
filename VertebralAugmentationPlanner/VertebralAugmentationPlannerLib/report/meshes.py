"""Surfaces of a plan: bone, needles as tubes of true thickness, balloons and cement. RAS, mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkCleanPolyData, vtkFlyingEdges3D

from ..model import BalloonPlan, CasePlan, LevelPlan, Spine, Trajectory, Vertebra
from ..model.geometry import FloatArray
from ..model.palette import BALLOON, BONE, CEMENT, rgb, safety_colour
from ..model.solids import TUBE_SIDES, balloon_surface, perpendicular_pair, spheroid_surface

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
    image = vtkImageData()
    image.SetDimensions(*field.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(np.asfortranarray(field, np.float32).ravel(order="F"), deep=True))
    contour = vtkFlyingEdges3D()
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
    """The cannula as a closed tube from the skin (from the bone entry where there is no skin) to the target.

    Drawn here and not by VTK, whose caps have no vertex in the middle: the tip itself must be a point of the file.
    """
    start = np.array(needle.skin_ras if needle.skin_ras is not None else needle.entry_ras, float)
    end = np.array(needle.target_ras, float)
    across, up = perpendicular_pair(end - start)
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
    mesh = Mesh(name, "balloon", *_closed(balloon_surface(balloon)), rgb(BALLOON), 0.6)
    return _with_volume(mesh, balloon.planned_volume_ml)


def cement_mesh(needle: Trajectory, name: str) -> Mesh:
    """The planned cement of one needle as a spheroid of its volume, around the balloon or the tip.

    It shows the amount, not where cement will flow: that is not predicted.
    """
    assert needle.cement_ml
    axis = np.subtract(needle.target_ras, needle.entry_ras)
    centre, ratio = needle.target_ras, 1.0
    if needle.balloon is not None:
        centre = needle.balloon.centre_ras
        length = needle.balloon.planned_length_mm or needle.balloon.length_mm
        ratio = length / needle.balloon.planned_diameter_mm
    spheroid = spheroid_surface(centre, axis, 20.0 * ratio, 20.0)
    return _with_volume(Mesh(name, "cement", *_closed(spheroid), rgb(CEMENT), 0.6), needle.cement_ml)


def _closed(surface: vtkPolyData) -> tuple[FloatArray, NDArray[np.int64]]:
    """Points and triangles of a VTK surface, points at one place (where caps meet a tube) joined."""
    joined = vtkCleanPolyData()
    joined.SetInputData(surface)
    joined.PointMergingOn()
    joined.Update()
    output = joined.GetOutput()
    points = vtk_to_numpy(output.GetPoints().GetData()).astype(float)
    return points, vtk_to_numpy(output.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)


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
