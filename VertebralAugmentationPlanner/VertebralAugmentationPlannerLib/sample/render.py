"""Phantoms as voxels: label map and CT on any grid."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..model import Image, InputError
from ..model.geometry import FloatArray
from .picture import corners, skin_depth
from .spine import FAR_MM, Placed, SpinePhantom

TOTALSEGMENTATOR: dict[str, int] = {f"L{n}": 32 - n for n in range(1, 6)} | {f"T{n}": 44 - n for n in range(1, 13)}
"""Task ``total``, version 2: S1 = 26, L5 = 27 … L1 = 31, T12 = 32 … T1 = 43 [V: totalsegmentator/map_to_binary.py]."""
VERSE: dict[str, int] = {f"T{n}": 7 + n for n in range(1, 13)} | {f"L{n}": 19 + n for n in range(1, 7)} | {"T13": 28}
"""VerSe: T1–T12 = 8–19, L1–L6 = 20–25, T13 = 28 [V: Sekuboyina 2021]."""
NUMBERINGS: dict[str, dict[str, int]] = {"totalsegmentator": TOTALSEGMENTATOR, "verse": VERSE}

FINEST_MM = 1.3
"""Voxels longer than this are drawn as three along that axis and averaged, for the partial volume of thick slices."""


def draw(
    phantom: SpinePhantom,
    shape: tuple[int, int, int],
    ijk_to_ras: NDArray,
    numbering: dict[str, int] | str = "totalsegmentator",
    with_ct: bool = True,
) -> tuple[Image | None, Image]:
    """CT (HU, int16; None without) and label map (uint8) of a phantom on a grid.

    A voxel carries a level's label where its centre lies in that vertebra; the CT has partial volume, blur and noise.

    Raises:
        InputError: the numbering has no value for one of the levels.

    """
    values = NUMBERINGS[numbering] if isinstance(numbering, str) else numbering
    missing = [level for level in phantom.levels if level not in values]
    if missing:
        raise InputError(f"The numbering has no value for {', '.join(missing)}; choose another or give your own.")
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    factor = np.where(spacing > FINEST_MM, 3, 1) if with_ct else np.ones(3, int)
    if not with_ct or np.all(factor == 1):
        canvas = _Canvas(phantom, shape, ijk_to_ras, with_ct)
        labels = canvas.draw(values)
    else:
        labels = _Canvas(phantom, shape, ijk_to_ras, False).draw(values)
        fine_shape, fine_matrix = _finer(shape, ijk_to_ras, factor)
        canvas = _Canvas(phantom, fine_shape, fine_matrix, True)
        canvas.draw(values)
    if not with_ct:
        return None, Image(labels, ijk_to_ras)
    hu = canvas.finish(factor, spacing)
    return Image(hu, ijk_to_ras), Image(labels, ijk_to_ras)


def canal_image(phantom: SpinePhantom, shape: tuple[int, int, int], ijk_to_ras: NDArray) -> Image:
    """Mask (uint8) of the canal on a grid."""
    mask = np.zeros(shape, np.uint8)
    for k in range(shape[2]):
        mask[:, :, k] = phantom.inside_canal(_points(ijk_to_ras, (0, 0, k), (shape[0], shape[1], k + 1)))[:, :, 0]
    return Image(mask, ijk_to_ras)


def _finer(shape: tuple[int, int, int], matrix: NDArray, factor: NDArray) -> tuple[tuple[int, int, int], NDArray]:
    """The grid that has ``factor`` voxels (1 or 3) in place of each."""
    fine = matrix.copy()
    fine[:3, :3] = matrix[:3, :3] / factor
    fine[:3, 3] = matrix[:3, 3] - fine[:3, :3] @ ((factor - 1) / 2.0)
    size = np.array(shape) * factor
    return (int(size[0]), int(size[1]), int(size[2])), fine


def _points(matrix: NDArray, first: tuple[int, int, int], last: tuple[int, int, int]) -> FloatArray:
    """RAS coordinates (I, J, K, 3) of the voxel centres of a block."""
    i, j, k = (np.arange(a, b, dtype=float) for a, b in zip(first, last, strict=True))
    columns = matrix[:3, :3]
    return (
        i[:, None, None, None] * columns[:, 0]
        + j[None, :, None, None] * columns[:, 1]
        + k[None, None, :, None] * columns[:, 2]
        + matrix[:3, 3]
    )


def _cover(distance: FloatArray, voxel_mm: float) -> FloatArray:
    """Share of a voxel inside a surface at this signed distance from its centre."""
    return np.clip(0.5 - distance / voxel_mm, 0.0, 1.0)


class _Canvas:
    """One picture in the making."""

    def __init__(self, phantom: SpinePhantom, shape: tuple[int, int, int], matrix: NDArray, with_ct: bool) -> None:
        self.phantom, self.shape, self.matrix, self.with_ct = phantom, shape, matrix, with_ct
        self.voxel_mm = float(np.mean(np.linalg.norm(matrix[:3, :3], axis=0)))
        self.bone = np.full(shape, FAR_MM, np.float32)
        self.labels = np.zeros(shape, np.uint8)
        self.generator = np.random.default_rng(phantom.seed)
        self.hu = self._background() if with_ct else None

    def draw(self, values: dict[str, int]) -> NDArray:
        """Draw everything; returns the label map."""
        for level, placed in self.phantom.vertebrae.items():
            block = self._block(placed.frame.to_ras(corners(*self.phantom.local_box(level, FAR_MM))))
            if block is not None:
                self._vertebra(level, placed, values[level], block)
        if self.hu is not None:
            for placed in self.phantom.vertebrae.values():
                self._ribs(placed)
        return self.labels

    def finish(self, factor: NDArray, spacing: FloatArray) -> NDArray:
        """Average to the final voxels, blur, add noise, round to int16."""
        assert self.hu is not None
        size = np.array(self.shape) // factor
        hu = self.hu.reshape(size[0], factor[0], size[1], factor[1], size[2], factor[2]).mean(axis=(1, 3, 5))
        soft = self.phantom.soft
        hu = ndimage.gaussian_filter(hu, soft.blur_mm / spacing)
        hu = hu + self.generator.normal(0.0, soft.noise_hu, hu.shape)
        return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)

    def _block(self, corners_ras: FloatArray) -> tuple[NDArray, NDArray] | None:
        """First and last index of the block of voxels that holds these corners; None where it misses the picture."""
        index = np.linalg.solve(self.matrix[:3, :3], (corners_ras - self.matrix[:3, 3]).T).T
        first = np.clip(np.floor(index.min(axis=0)).astype(int), 0, self.shape)
        last = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, 0, self.shape)
        return None if np.any(last <= first) else (first, last)

    def _background(self) -> NDArray:
        """Air, skin, fat and muscle; canal and discs."""
        hu = np.empty(self.shape, np.float32)
        phantom, soft = self.phantom, self.phantom.soft
        for k in range(self.shape[2]):
            points = _points(self.matrix, (0, 0, k), (self.shape[0], self.shape[1], k + 1))[:, :, 0]
            depth = skin_depth(phantom, points)
            layer = np.full(depth.shape, soft.air_hu)
            for start, value in (
                (0.0, soft.skin_hu),
                (soft.skin_mm, soft.fat_hu),
                (soft.skin_mm + soft.fat_mm, soft.muscle_hu),
            ):
                share = _cover(start - depth, self.voxel_mm)
                layer += share * (value - layer)
            layer = self._front(points, layer)
            canal = phantom.canal.distance(phantom.to_spine(points))
            layer += _cover(canal, self.voxel_mm) * (soft.canal_hu - layer)
            layer += _cover(canal + 4.0, self.voxel_mm) * (soft.cord_hu - layer)
            hu[:, :, k] = layer
        placed = list(phantom.vertebrae.values())
        for upper, lower in itertools.pairwise(placed):
            self._disc(hu, upper, lower)
        return hu

    def _front(self, points: FloatArray, layer: NDArray) -> NDArray:
        """Retroperitoneal fat in front of the spine, with the aorta on the left and the vena cava on the right."""
        phantom, soft = self.phantom, self.phantom.soft
        spine = phantom.to_spine(points)
        x, y = spine[..., 0], spine[..., 1] - phantom.front_y(spine[..., 2])
        layer = layer + _cover(4.0 - y + np.square(x / 30.0), self.voxel_mm) * (soft.fat_hu - layer)
        for centre, radius in ((-9.0, 10.0), (13.0, 9.0)):
            vessel = np.hypot(x - centre, y - radius - 3.0) - radius
            layer = layer + _cover(vessel, self.voxel_mm) * (soft.vessel_hu - layer)
        return layer

    def _disc(self, hu: NDArray, upper: Placed, lower: Placed) -> None:
        """Fill the space between two end plates, within both rims."""
        half = 0.5 * upper.shape.width_inferior_mm + 2.0
        reach = upper.shape.disc_below_mm + 14.0
        centre = 0.5 * (
            upper.frame.to_ras([0.0, 0.0, -0.5 * upper.shape.posterior_height_mm])
            + lower.frame.to_ras([0.0, 0.0, 0.5 * lower.shape.posterior_height_mm])
        )
        box = corners(np.array([-half, -half, -reach]), np.array([half, half, reach]))
        block = self._block(box @ upper.frame.rows + centre)
        if block is None:
            return
        first, last = block
        points = _points(self.matrix, tuple(first), tuple(last))
        above, beneath = upper.frame.to_local(points), lower.frame.to_local(points)
        distance = np.maximum(-upper.body.plate_distance(above, False), -lower.body.plate_distance(beneath, True))
        distance = np.maximum(distance, upper.body.wall_distance(above) + 0.5)
        distance = np.maximum(distance, lower.body.wall_distance(beneath) + 0.5)
        part = hu[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
        part += _cover(distance, self.voxel_mm) * (self.phantom.soft.disc_hu - part)

    def _vertebra(self, level: str, placed: Placed, value: int, block: tuple[NDArray, NDArray]) -> None:
        first, last = block
        window = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        points = _points(self.matrix, tuple(first), tuple(last))
        shape = points.shape[:3]
        flat = points.reshape(-1, 3)
        local = placed.frame.to_local(flat)
        body, arch = self.phantom.part_distances(level, local, self.phantom.to_spine(flat))
        body, arch = body.reshape(shape), arch.reshape(shape)
        distance = np.minimum(body, arch)
        nearest = self.bone[window]
        self.labels[window] = np.where((distance <= 0.0) & (distance < nearest), value, self.labels[window])
        if self.hu is not None:
            self._bone_hu(placed, local.reshape(*shape, 3), body, arch, self.hu[window])
        self.bone[window] = np.minimum(nearest, distance)

    def _bone_hu(self, placed: Placed, local: FloatArray, body: FloatArray, arch: FloatArray, hu: NDArray) -> None:
        """Paint one vertebra: cortex, then core, then what is broken or built in."""
        soft, fracture = self.phantom.soft, placed.shape.fracture
        outside = hu.copy()
        distance = np.minimum(body, arch)
        hu += _cover(distance, self.voxel_mm) * (soft.cortex_hu - hu)
        texture = ndimage.gaussian_filter(self.generator.normal(0.0, 1.0, hu.shape), 1.2 / self.voxel_mm)
        texture *= soft.texture_hu / max(float(texture.std()), 1e-9)
        core = np.minimum(body + soft.body_cortex_mm, arch + soft.arch_cortex_mm)
        trabecular = placed.shape.trabecular_hu + fracture.density_gain_hu + texture
        # The marrow of the body runs on into the pedicles; the arch behind is denser.
        blend = np.clip((arch - body + 2.0) / 4.0, 0.0, 1.0)
        inner = soft.arch_core_hu + blend * (trabecular - soft.arch_core_hu)
        hu += _cover(core, self.voxel_mm) * (inner - hu)
        cleft = placed.body.cleft()
        if cleft is not None:
            hu += _cover(cleft.distance(local), self.voxel_mm) * (soft.gas_hu - hu)
        for centre, radius in defect_balls(placed):
            share = _cover(np.linalg.norm(local - centre, axis=-1) - radius, self.voxel_mm)
            hu += share * (np.minimum(outside, soft.muscle_hu) - hu)
        for implant in placed.shape.implants:
            axis = np.array(implant.end) - np.array(implant.start)
            along = np.clip((local - implant.start) @ axis / max(float(axis @ axis), 1e-9), 0.0, 1.0)
            gap = np.linalg.norm(local - implant.start - along[..., None] * axis, axis=-1) - implant.radius_mm
            hu += _cover(gap, self.voxel_mm) * (implant.hu - hu)

    def _ribs(self, placed: Placed) -> None:
        """Ribs are bone of their own: in the CT, not in the labels, a joint space away from every vertebra."""
        assert self.hu is not None
        soft = self.phantom.soft
        for bar in placed.arch.ribs():
            block = self._block(placed.frame.to_ras(corners(*bar.bounds())))
            if block is None:
                continue
            first, last = block
            window = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
            local = placed.frame.to_local(_points(self.matrix, tuple(first), tuple(last)))
            distance = np.maximum(bar.distance(local), 1.2 - self.bone[window])
            hu = self.hu[window]
            hu += _cover(distance, self.voxel_mm) * (soft.cortex_hu - hu)
            hu += _cover(bar.distance(local) + 1.2, self.voxel_mm) * _cover(distance, self.voxel_mm) * (180.0 - hu)


def defect_balls(placed: Placed) -> list[tuple[FloatArray, float]]:
    """Centres (3,) in the construction frame and radii of the gaps in the cortex."""
    result, body = [], placed.body
    zero = np.array(0.0)
    for defect in placed.shape.defects:
        u, v = defect.at
        half_height = 0.5 * body.posterior_height_mm
        if defect.wall in ("superior", "inferior"):
            x, y = u * float(body.half_width(zero)), v * float(body.anterior_extent(zero))
            centre = [x, y, float(body.endplate(np.array(x), np.array(y), defect.wall == "superior"))]
        elif defect.wall in ("posterior", "anterior"):
            x, t = u * float(body.half_width(zero)), np.array(v)
            y = (
                float(body.anterior_extent(t))
                if defect.wall == "anterior"
                else -float(body.posterior_extent(np.array(x), t))
            )
            centre = [x, y, v * half_height]
        elif defect.wall in ("left", "right"):
            sign = -1.0 if defect.wall == "left" else 1.0
            centre = [
                sign * float(body.half_width(np.array(v))),
                u * float(body.anterior_extent(zero)),
                v * half_height,
            ]
        else:
            raise InputError(
                f"“{defect.wall}” is no wall of a body; use superior, inferior, posterior, anterior, left or right.",
            )
        result.append((np.array(centre), defect.radius_mm))
    return result
