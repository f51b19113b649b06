"""Surfaces read back by trimesh, VTK and Slicer have the plan's places, thickness and volumes, in mm."""

from __future__ import annotations

import errno
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vtk
from ct_series import BODY_SEMI_AXES_MM, spine
from plans import T12_ORIGIN, case_plan
from vtk.util.numpy_support import vtk_to_numpy

from VertebralAugmentationPlannerLib.model import CasePlan, InputError
from VertebralAugmentationPlannerLib.report import Mesh, plan_meshes, write_glb, write_stl

trimesh = pytest.importorskip("trimesh", reason="trimesh, the independent reader, is not installed")

LPS = np.array([-1.0, -1.0, 1.0])


@pytest.fixture(scope="module")
def meshes() -> list[Mesh]:
    return plan_meshes(case_plan(), spine())


@pytest.fixture(scope="module")
def stl(meshes: list[Mesh], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stl")
    write_stl(meshes, folder)
    return folder


@pytest.fixture(scope="module")
def glb(meshes: list[Mesh], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("glb") / "plan.glb"
    write_glb(meshes, path)
    return path


def test_there_is_a_file_for_every_object(stl: Path) -> None:
    names = {path.stem for path in stl.iterdir()}
    assert names == {
        "T12_bone", "T12_left_needle", "T12_left_balloon", "T12_left_cement", "T12_right_needle", "T12_right_balloon",
        "T12_right_cement", "L2_bone", "L2_right_needle", "L2_right_cement",
    }  # fmt: skip


def test_every_surface_is_closed_and_faces_outwards(stl: Path) -> None:
    for path in stl.iterdir():
        surface = trimesh.load(path)
        assert surface.is_watertight, path.name
        assert surface.volume > 0, path.name


def test_the_bone_has_the_volume_and_place_of_its_ellipsoid(stl: Path) -> None:
    surface = trimesh.load(stl / "T12_bone.stl")
    assert surface.volume == pytest.approx(4 / 3 * np.pi * np.prod(BODY_SEMI_AXES_MM), rel=0.005)
    np.testing.assert_allclose(surface.center_mass * LPS, T12_ORIGIN, atol=0.01)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_needle_is_a_tube_of_the_cannulas_thickness_from_skin_to_target(stl: Path, side: str) -> None:
    needle = case_plan().level("T12").trajectory(side)
    points = trimesh.load(stl / f"T12_{side}_needle.stl").vertices * LPS
    start, end = np.array(needle.skin_ras), np.array(needle.target_ras)
    axis = (end - start) / np.linalg.norm(end - start)
    along = (points - start) @ axis
    radius = np.linalg.norm(points - start - np.outer(along, axis), axis=1)
    assert along.min() == pytest.approx(0, abs=0.01)
    assert along.max() == pytest.approx(needle.skin_to_target_mm, abs=0.01)
    assert 2 * radius.max() == pytest.approx(needle.cannula_outer_diameter_mm, abs=0.01)
    for tip in (start, end):
        assert np.linalg.norm(points - tip, axis=1).min() < 0.01


def test_balloon_and_cement_enclose_the_planned_volumes(stl: Path) -> None:
    for level, side in (("T12", "left"), ("T12", "right"), ("L2", "right")):
        needle = case_plan().level(level).trajectory(side)
        cement = trimesh.load(stl / f"{level}_{side}_cement.stl")
        assert cement.volume / 1000 == pytest.approx(needle.cement_ml, abs=0.01)
        if needle.balloon:
            balloon = trimesh.load(stl / f"{level}_{side}_balloon.stl")
            assert balloon.volume / 1000 == pytest.approx(needle.balloon.planned_volume_ml, abs=0.01)
            np.testing.assert_allclose(balloon.center_mass * LPS, needle.balloon.centre_ras, atol=0.01)


def test_slicer_loads_the_stl_in_ras(stl: Path) -> None:
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    scene = slicer.vtkMRMLScene()
    storage = scene.AddNewNodeByClass("vtkMRMLModelStorageNode")
    storage.SetFileName(str(stl / "T12_left_needle.stl"))
    model = scene.AddNewNodeByClass("vtkMRMLModelNode")
    assert storage.ReadData(model)
    points = vtk_to_numpy(model.GetPolyData().GetPoints().GetData())
    target = case_plan().level("T12").trajectory("left").target_ras
    assert np.linalg.norm(points - target, axis=1).min() < 0.01


def test_the_glb_is_named_coloured_and_in_metres_with_the_head_up(glb: Path, meshes: list[Mesh]) -> None:
    scene = trimesh.load(glb)
    assert set(scene.geometry) == {mesh.name for mesh in meshes}
    needle = case_plan().level("T12").trajectory("left")
    skin = np.array(needle.skin_ras)
    points = trimesh.load(glb).dump(concatenate=False)
    names = list(scene.graph.nodes_geometry)
    tube = points[names.index("T12 left needle")].vertices
    right, anterior, superior = skin / 1000
    assert np.linalg.norm(tube - (-right, superior, anterior), axis=1).min() < 1e-5


def test_raw_vertices_of_the_glb_are_ras_in_mm(glb: Path) -> None:
    geometry = trimesh.load(glb).geometry["T12 left balloon"]
    centre = case_plan().level("T12").trajectory("left").balloon
    assert centre is not None
    np.testing.assert_allclose(geometry.center_mass, centre.centre_ras, atol=0.01)
    assert geometry.volume / 1000 == pytest.approx(2.6, abs=0.01)


def test_vtk_reads_the_glb_too(glb: Path, meshes: list[Mesh]) -> None:
    reader = vtk.vtkGLTFReader()
    reader.SetFileName(str(glb))
    reader.Update()
    surfaces = vtk.vtkCompositeDataGeometryFilter()
    surfaces.SetInputConnection(reader.GetOutputPort())
    surfaces.Update()
    assert surfaces.GetOutput().GetNumberOfCells() == sum(len(mesh.triangles) for mesh in meshes)


def test_the_glb_keeps_to_the_container_rules(glb: Path) -> None:
    data = glb.read_bytes()
    magic, version, length = struct.unpack("<4sII", data[:12])
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack("<I4s", data[12:20])
    assert kind == b"JSON" and size % 4 == 0
    document = json.loads(data[20 : 20 + size])
    assert all(view["byteOffset"] % 4 == 0 for view in document["bufferViews"])
    assert not any("uri" in buffer for buffer in document["buffers"]), "nothing beside the file"


def test_without_a_spine_the_needles_come_alone() -> None:
    assert {mesh.kind for mesh in plan_meshes(case_plan())} == {"needle", "balloon", "cement"}


def test_nothing_to_write_is_said(tmp_path: Path) -> None:
    plan = case_plan()
    empty = CasePlan(plan.schema, plan.software, plan.inputs, "RAS", plan.options, (plan.level("L3"),), ())
    with pytest.raises(InputError, match="no needle and no bone"):
        write_stl(plan_meshes(empty), tmp_path / "stl")
    assert not (tmp_path / "stl").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
def test_a_full_disk_is_named_as_the_reason_and_nothing_is_printed(
    meshes: list[Mesh], tmp_path: Path, capfd: Any
) -> None:
    for mesh in meshes:
        (tmp_path / f"{mesh.name.replace(' ', '_')}.stl").symlink_to("/dev/full")
    with pytest.raises(InputError, match="No space left on device") as refusal:
        write_stl(meshes, tmp_path)
    assert isinstance(refusal.value.__cause__, OSError) and refusal.value.__cause__.errno == errno.ENOSPC
    assert capfd.readouterr() == ("", "")
