"""Surfaces as STL (one file an object, LPS mm) and as one GLB scene (vertices in mm, shown in metres)."""

from __future__ import annotations

import errno
import json
import os
import re
import struct
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkCommonMisc import vtkErrorCode
from vtkmodules.vtkIOGeometry import vtkSTLWriter

from ..model import InputError
from .dicom_series import to_lps
from .meshes import Mesh

STL_HEADER = "VertebralAugmentationPlanner, mm, SPACE=LPS"
"""Slicer reads SPACE=LPS from the header and turns the points back to RAS; other tools ignore it. 80 bytes at most."""

_FLOAT, _UNSIGNED_INT = 5126, 5125
_VERTICES, _INDICES = 34962, 34963
_GLB_MAGIC, _GLB_JSON, _GLB_BINARY = 0x46546C67, 0x4E4F534A, 0x004E4942

_RAS_MM_TO_GLTF = [-0.001, 0, 0, 0, 0, 0, 0.001, 0, 0, 0.001, 0, 0, 0, 0, 0, 1]
"""Column-major. glTF is in metres, +Y up, the front of a thing facing +Z, its right side −X (glTF 2.0, 3.4)."""


OWN_STL = re.compile(r"[TL]\d+_(bone|(left|right)_(needle|balloon|cement))\.stl")
"""The names under which surfaces are written."""


def own_stl(folder: str | PathLike[str]) -> list[str]:
    """Names of the surfaces that an earlier export left in a folder, where there is one."""
    return sorted(path.name for path in Path(folder).glob("*.stl") if OWN_STL.fullmatch(path.name) and _is_own(path))


def _is_own(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(STL_HEADER)) == STL_HEADER.encode("ascii")


def write_stl(meshes: Sequence[Mesh], folder: str | PathLike[str]) -> list[Path]:
    """Write each mesh as binary STL, LPS mm: ``T12_left_needle.stl``.

    STL has neither units nor axes; medical printers and viewers expect mm, and Slicer finds the axes in the header.

    Returns:
        The files, in the order of the meshes.

    Raises:
        InputError: there is nothing to write, or the folder cannot be written.
    """
    _refuse_nothing(meshes)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {target} cannot be written: {error.strerror}.") from error
    paths = [target / (mesh.name.replace(" ", "_") + ".stl") for mesh in meshes]
    for mesh, path in zip(meshes, paths, strict=True):
        _write_one_stl(mesh, path)
    return paths


def write_glb(meshes: Sequence[Mesh], path: str | PathLike[str]) -> None:
    """Write all meshes as one binary glTF 2.0 scene, named and coloured.

    glTF prescribes metres and +Y up. The vertices are RAS mm, as everywhere here; one root node turns and scales them,
    so a viewer shows the true size and a reader of the raw vertices gets mm.

    Raises:
        InputError: there is nothing to write, or the file cannot be written.
    """
    _refuse_nothing(meshes)
    document, binary = _gltf(meshes)
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    length = 12 + 8 + len(text) + 8 + len(binary)
    content = struct.pack("<III", _GLB_MAGIC, 2, length)
    content += struct.pack("<II", len(text), _GLB_JSON) + text
    content += struct.pack("<II", len(binary), _GLB_BINARY) + binary
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def _refuse_nothing(meshes: Sequence[Mesh]) -> None:
    if not meshes:
        raise InputError("The plan holds no needle and no bone was given, so there is no surface to write.")


def _write_one_stl(mesh: Mesh, path: Path) -> None:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(to_lps(mesh.points), deep=True))
    cells = vtkCellArray()
    count = len(mesh.triangles)
    offsets = numpy_to_vtkIdTypeArray(np.arange(0, 3 * count + 1, 3, dtype=np.int64), deep=True)
    cells.SetData(offsets, numpy_to_vtkIdTypeArray(np.ascontiguousarray(mesh.triangles).ravel(), deep=True))
    surface = vtkPolyData()
    surface.SetPoints(points)
    surface.SetPolys(cells)
    writer = vtkSTLWriter()
    writer.SetFileName(str(path))
    writer.SetFileTypeToBinary()
    writer.SetBinaryHeader(numpy_to_vtk(np.frombuffer(STL_HEADER.ljust(80).encode(), np.uint8).copy(), deep=True))
    writer.SetInputData(surface)
    writer.AddObserver("ErrorEvent", lambda *_: None)  # what it would print stands in the sentence below
    if writer.Write():
        return
    if writer.GetErrorCode() == vtkErrorCode.OutOfDiskSpaceError:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise InputError(f"{path} cannot be written: {full.strerror}.") from full
    raise InputError(f"{path} cannot be written; choose a folder you may write to.")


def _gltf(meshes: Sequence[Mesh]) -> tuple[dict[str, Any], bytes]:
    parts: list[bytes] = []
    views: list[dict[str, Any]] = []
    accessors: list[dict[str, Any]] = []

    def add(values: NDArray, target: int, component: int, kind: str, **extra: Any) -> int:
        data = np.ascontiguousarray(values).tobytes()
        offset = sum(len(part) for part in parts)
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": len(data), "target": target})
        accessor = {"bufferView": len(views) - 1, "componentType": component, "count": len(values), "type": kind}
        accessors.append({**accessor, **extra})
        parts.append(data)
        return len(accessors) - 1

    objects, materials, nodes = [], [], []
    for n, mesh in enumerate(meshes):
        points = mesh.points.astype(np.float32)
        limits = {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()}
        position = add(points, _VERTICES, _FLOAT, "VEC3", **limits)
        normal = add(_vertex_normals(mesh).astype(np.float32), _VERTICES, _FLOAT, "VEC3")
        indices = add(mesh.triangles.astype(np.uint32).ravel(), _INDICES, _UNSIGNED_INT, "SCALAR")
        attributes = {"POSITION": position, "NORMAL": normal}
        primitive = {"attributes": attributes, "indices": indices, "material": n}
        objects.append({"name": mesh.name, "primitives": [primitive]})
        materials.append(_material(mesh))
        nodes.append({"name": mesh.name, "mesh": n, "extras": {"kind": mesh.kind}})
    root = {"name": "RAS mm", "matrix": _RAS_MM_TO_GLTF, "children": list(range(len(nodes)))}
    binary = b"".join(parts)
    document = {
        "asset": {"version": "2.0", "generator": "VertebralAugmentationPlanner", "extras": {"vertices": "RAS, mm"}},
        "scene": 0,
        "scenes": [{"nodes": [len(nodes)]}],
        "nodes": [*nodes, root],
        "meshes": objects,
        "materials": materials,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    return document, binary


def _material(mesh: Mesh) -> dict[str, Any]:
    linear = [value**2.2 for value in mesh.colour]  # glTF factors are linear, the palette is sRGB
    surface = {"baseColorFactor": [*linear, mesh.opacity], "metallicFactor": 0.0, "roughnessFactor": 0.7}
    mode = "OPAQUE" if mesh.opacity >= 1 else "BLEND"
    return {"name": mesh.kind, "pbrMetallicRoughness": surface, "alphaMode": mode, "doubleSided": True}


def _vertex_normals(mesh: Mesh) -> NDArray:
    """Unit normals at the vertices, weighted by the area of the triangles around them."""
    a, b, c = (mesh.points[mesh.triangles[:, n]] for n in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(mesh.points)
    for n in range(3):
        np.add.at(normals, mesh.triangles[:, n], face)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 0, normals / np.where(length > 0, length, 1.0), (0.0, 0.0, 1.0))
