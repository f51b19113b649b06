"""What lies on a slice and what lies in the 3D view, against the plain way of finding it point by point."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from VertebralAugmentationPlannerLib.imaging import view3d
from VertebralAugmentationPlannerLib.imaging.carm import body_centre_ras
from VertebralAugmentationPlannerLib.imaging.slices import on_plane, plane_through
from VertebralAugmentationPlannerLib.model.geometry import Frame


def moved(vertebra, offset):
    """The same vertebra elsewhere."""
    frame = vertebra.frame
    return replace(vertebra, frame=Frame(frame.origin_ras + offset, frame.right, frame.anterior, frame.superior))


@pytest.mark.parametrize("tilt", [(0, 0, 0), (20, -30, 50), (85, 5, 0)])
@pytest.mark.parametrize("beside", [0.0, 25.0])
def test_a_slice_holds_at_every_pixel_what_the_grid_holds_there(turned, tilt, beside):
    vertebra = turned.vertebra
    turn = Rotation.from_euler("xyz", tilt, degrees=True).as_matrix()
    centre = vertebra.frame.to_ras([beside, -10.0, 3.0])
    plane = plane_through(centre, turn @ [1.0, 0, 0], turn @ [0, 0, 1.0], 70.0, 40.0)
    shown = on_plane(vertebra, vertebra.bone_mm, plane, outside=-99.0)
    local = vertebra.frame.to_local(plane.points_ras())
    index = vertebra.grid.to_index(local)
    last = np.array(vertebra.grid.shape) - 1
    within = np.all((index >= 0) & (index <= last), axis=-1)
    edge = np.abs(np.stack([index, index - last])).min(axis=(0, -1)) < 1e-9  # rounding decides there
    expected = np.where(within, vertebra.grid.sample(vertebra.bone_mm, local), -99.0)
    assert within.any()
    np.testing.assert_allclose(shown[~edge], expected[~edge], atol=1e-9)


def test_a_plane_beside_the_grid_shows_nothing(turned):
    vertebra = turned.vertebra
    plane = plane_through(vertebra.frame.to_ras([0, 0, 60.0]), vertebra.frame.superior, vertebra.frame.anterior, 70, 40)
    assert on_plane(vertebra, vertebra.bone_mm, plane) is None


@pytest.mark.parametrize("up_mm", [0, 40, 70, 100, 130, 400])
@pytest.mark.parametrize("aside_mm", [0, 60])
def test_a_level_is_left_out_of_the_3d_view_only_where_no_corner_of_its_grid_can_be_seen(turned, up_mm, aside_mm):
    """Against VTK's own camera: every point of the grid's surface projected."""
    vertebra = turned.vertebra
    other = moved(vertebra, up_mm * vertebra.frame.superior + aside_mm * vertebra.frame.right)
    renderer = view3d._renderer()
    centre = body_centre_ras(vertebra)
    right, up = view3d._aim(renderer, vertebra, centre)
    matrix = renderer.GetActiveCamera().GetCompositeProjectionTransformMatrix(1.0, -1, 1)
    points = other.frame.to_ras(other.grid.points()[::3, ::3, ::3].reshape(-1, 3))
    homogeneous = np.c_[points, np.ones(len(points))]
    rows = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    on_screen = (homogeneous @ rows.T)[:, :2] / (homogeneous @ rows.T)[:, 3:]
    seen = bool(np.any(np.all(np.abs(on_screen) < 1, axis=1)))
    found = view3d._in_view(other, centre, right, up, 1.0)
    assert found or not seen
    if up_mm in (0, 400):
        assert found == (up_mm == 0)
