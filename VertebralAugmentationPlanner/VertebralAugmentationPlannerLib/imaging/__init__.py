"""Simulated fluoroscopy and the pictures of the report and the module.

Needs numpy, scipy, SimpleITK and vtk only. Everything is RAS, mm, degrees. Nothing here writes files.

For the report (``pictures.py``, one call a level)::

    level_pictures(case: Case, spine: Spine, plan: CasePlan, level: str, *, settings=None,
                   progress=None, should_cancel=None) -> LevelPictures
        PictureSettings: sid_mm, sod_mm, detector_mm, size_px, patient of the fluoroscopy
        LevelPictures.pictures: dict[str, Picture]   in reading order; keys, where they could be drawn:
            "mid_sagittal"                     CT (or bone outline), height lines, Cobb lines, level names, loss
            "axial_left", "axial_right"        slice that contains the needle and the vertebra's left–right axis
            "sagittal_left", "sagittal_right"  slice that contains the needle and the vertebra's head–foot axis
            "isthmus_left", "isthmus_right"    slice across the needle at the isthmus, with clearances
            "ap", "lateral"                    simulated fluoroscopy, needles at their targets
            "end_on_left", "end_on_right"      simulated fluoroscopy along the needle
            "medial_ap_left", "medial_lateral_left" (… right)  tip at the pedicle's medial border in AP, and the
                                               lateral that belongs to it (the tip must be in the body by then)
            "view3d"                           bone, canal, needles, balloons
        LevelPictures.notes: dict[str, str]    key -> one sentence why that picture is missing (no CT, no graphics …)
        LevelPictures.medial_borders: dict[str, MedialBorder]   side -> depth of the tip at the pedicle's medial border
                                               in AP and its place before or past the posterior wall by then; needs no CT

A picture (``picture.py``)::

    Picture(png: bytes, width_px: int, height_px: int, mm_per_px: float | None,
            overlay_svg: str, caption: str, alt: str)
        .to_svg(width: str | None = None) -> str   one self-contained <svg>: PNG as data URI below, vectors on top,
                                                   <title> = alt; scales with its container; ids unique per content
        .to_png() -> bytes                         the base picture alone (no vectors)

Single pictures (``mid_sagittal.py``, ``needle_slices.py``, ``fluoroscopy.py``, ``view3d.py``), each a Picture::

    mid_sagittal_picture(case, spine, level_plan)
    needle_axial_picture(case, spine, level_plan, side)      patient's left on the picture's right, seen from the feet
    needle_sagittal_picture(case, spine, level_plan, side)   anterior on the picture's left
    isthmus_picture(case, spine, level_plan, side)           seen from behind: patient's left on the picture's left
    fluoroscopy_picture(fluoroscope, pose, vertebra, trajectories, *, depth_mm=None, view_name="AP", ...)
    view3d_picture(spine, level_plan, ...)                   raises GraphicsUnavailable (a RuntimeError)

Meshes, RAS mm (``surfaces.py``): ``bone_surface(vertebra)``, ``canal_surface(vertebra)``,
``needle_surface(trajectory, shaft_mm=55)``, ``balloon_surface(balloon)`` -> vtkPolyData

C-arm (``carm.py``)::

    CArmPose(primary_deg, secondary_deg, isocentre_ras, sid_mm=1100, sod_mm=700, detector_mm=300, size_px=512,
             patient="prone")
        .beam_direction_ras, .source_ras, .mm_per_px (at the isocentre), .text, .prone_text
        .project(points_ras) -> (N, 2) pixels (column, row)
        .turned(primary_deg, secondary_deg) -> CArmPose          for sliders
    true_ap(vertebra, **pose), true_lateral(vertebra, **pose), end_on(trajectory, **pose) -> CArmPose

Live fluoroscopy in the module (no SVG)::

    fluoroscope = Fluoroscope(ct: Image, centre_ras, voxel_mm=1.5)    once a level; one to two seconds on a trunk
    fluoroscope.frame(pose) -> uint8 (rows, columns)                 about twenty a second at 256 × 256
    projected_overlay(pose, vertebra, trajectories, depth_mm=None, canal=False) -> list[Shape]
        Shape(points_px (N, 2), closed, colour "#rrggbb", width_px, fill, label)
    medial_border_depth(vertebra, trajectory, pose=None) -> float | None  mm from the entry along the needle
    medial_border(vertebra, trajectory, pose=None) -> MedialBorder        with the tip's place at the posterior wall

Colours: ``model/palette.py`` (Okabe–Ito), shared with scene and report.
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
