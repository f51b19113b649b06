"""Simulated fluoroscopy and the pictures of the report and the module.

:func:`level_pictures` draws all pictures of a level for the report, each a :class:`Picture`: a PNG with vectors over
it. The module asks :class:`Fluoroscope` for a frame at each position of its sliders, and :func:`projected_overlay` for
the shapes over it. Needs numpy, scipy, SimpleITK and vtk only. Everything is RAS, mm, degrees; nothing here writes files.
"""

from .carm import CArmPose, body_centre_ras, end_on, positioner_angles, positioner_direction, true_ap, true_lateral
from .fluoroscopy import Fluoroscope, fluoroscopy_picture
from .medial_border import MedialBorder, medial_border, medial_border_depth, tip_before_posterior_wall_mm
from .mid_sagittal import mid_sagittal_picture
from .needle_slices import isthmus_picture, needle_axial_picture, needle_sagittal_picture
from .overlay import Shape, projected_overlay
from .picture import Picture, encode_png
from .pictures import LevelPictures, level_pictures
from .slices import SlicePlane, plane_through, reslice
from ..model.solids import balloon_surface
from .surfaces import bone_surface, canal_surface, needle_surface
from .view3d import GraphicsUnavailable, view3d_picture

__all__ = [
    "CArmPose",
    "Fluoroscope",
    "GraphicsUnavailable",
    "LevelPictures",
    "MedialBorder",
    "Picture",
    "Shape",
    "SlicePlane",
    "balloon_surface",
    "body_centre_ras",
    "bone_surface",
    "canal_surface",
    "encode_png",
    "end_on",
    "fluoroscopy_picture",
    "isthmus_picture",
    "level_pictures",
    "medial_border",
    "medial_border_depth",
    "mid_sagittal_picture",
    "needle_axial_picture",
    "needle_sagittal_picture",
    "needle_surface",
    "plane_through",
    "positioner_angles",
    "positioner_direction",
    "projected_overlay",
    "reslice",
    "tip_before_posterior_wall_mm",
    "true_ap",
    "true_lateral",
    "view3d_picture",
]
