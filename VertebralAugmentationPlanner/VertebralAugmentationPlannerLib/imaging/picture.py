"""A picture: a PNG below, vectors on top. Vectors stay sharp in print and need no drawing library."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}
_SUB_FILTER = 1


@dataclass(frozen=True)
class Picture:
    """A raster with vectors over it.

    Args:
        png: the raster, PNG bytes.
        width_px, height_px: size of the raster; the vectors use the same coordinates, (0, 0) being the upper left
            corner of the upper left pixel.
        mm_per_px: millimetres a pixel; None where the view is a perspective without one scale. In fluoroscopy it
            holds in the plane of the isocentre.
        overlay_svg: SVG elements (no <svg> around them).
        caption: what the reader should see, one or two sentences.
        alt: the same for a reader who cannot see the picture.
    """

    png: bytes
    width_px: int
    height_px: int
    mm_per_px: float | None
    overlay_svg: str
    caption: str
    alt: str

    def to_svg(self, width: str | None = None) -> str:
        """One self-contained <svg> element that scales with its container.

        Args:
            width: CSS width such as "80mm"; without it the container decides.
        """
        size = f' style="width:{escape(width)};height:auto"' if width else ' style="width:100%;height:auto"'
        data = base64.b64encode(self.png).decode("ascii")
        # Ids (clip paths) must not clash when a page holds several pictures.
        key = hashlib.sha256(self.png + self.overlay_svg.encode()).hexdigest()[:10]
        overlay = self.overlay_svg.replace("__ID__", f"p{key}")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width_px} {self.height_px}" role="img"'
            f' font-family="Arial, Helvetica, sans-serif"{size}>'
            f"<title>{escape(self.alt)}</title>"
            f'<image href="data:image/png;base64,{data}" width="{self.width_px}" height="{self.height_px}"/>'
            f"{overlay}</svg>"
        )


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG bytes of 8-bit pixels.

    Args:
        pixels: (rows, columns) grey, (rows, columns, 3) RGB or (rows, columns, 4) RGBA; row 0 on top.

    Raises:
        ValueError: not 8-bit, or another shape.
    """
    pixels = np.ascontiguousarray(pixels)
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1]
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in _COLOUR_TYPE:
        raise ValueError(f"a PNG needs uint8 grey, RGB or RGBA pixels, not {pixels.dtype} of shape {pixels.shape}")
    rows, columns = pixels.shape[:2]
    flat = pixels.reshape(rows, columns * channels)
    # The difference to the pixel on the left compresses smooth pictures to about half (PNG filter "Sub").
    filtered = flat.copy()
    filtered[:, channels:] -= flat[:, :-channels]
    raw = np.concatenate([np.full((rows, 1), _SUB_FILTER, np.uint8), filtered], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", columns, rows, 8, _COLOUR_TYPE[channels], 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw, level=6)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
