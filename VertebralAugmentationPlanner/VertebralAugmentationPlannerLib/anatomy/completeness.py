"""Is a vertebra whole, or cut by the border of the volume?"""

from __future__ import annotations

import numpy as np

from ..model import Image

TOLERATED_CUT_MM2 = 10.0
"""A tip that just touches the border (a few voxels) loses nothing that is measured; a larger contact means that an
unknown part is missing."""

_EDGES = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))


def border_contact(labels: Image, value: int, box: tuple[slice, ...]) -> tuple[float, list[str]]:
    """How much of a label lies on the border of its volume.

    Returns:
        contact area in mm², and the borders touched, named by the patient's directions.
    """
    total, names = 0.0, []
    steps = labels.ijk_to_ras[:3, :3]
    crop = labels.voxels[box] == value
    for axis in range(3):
        face_area = float(np.linalg.norm(np.cross(*(steps[:, a] for a in range(3) if a != axis))))
        along = int(np.argmax(np.abs(steps[:, axis])))
        for end, at_border in ((0, box[axis].start == 0), (-1, box[axis].stop == labels.voxels.shape[axis])):
            if not at_border:
                continue
            area = float(np.take(crop, end, axis=axis).sum()) * face_area
            if area > 0:
                total += area
                names.append(_EDGES[along][int((steps[along, axis] > 0) == (end == -1))])
    return total, names
