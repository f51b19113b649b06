"""A plan in the scene: everything where the plan says, as thick as it is, found by role, and gone without a trace."""

import dataclasses

import numpy as np
import pytest
import slicer
import vtk
from nodes import node_ids
from VertebralAugmentationPlannerLib.model import palette
from VertebralAugmentationPlannerLib.model.solids import balloon_surface, tube_surface
from VertebralAugmentationPlannerLib.scene import roles
from VertebralAugmentationPlannerLib.scene.fillings import cement_surface
from VertebralAugmentationPlannerLib.scene.tables import draw_tables
from vtk.util.numpy_support import vtk_to_numpy

ROLES_OF_A_PLANNED_LEVEL = {
    *(f"{kind}.L1.{side}" for kind in ("needle", "tube", "balloon", "cement", "pedicle") for side in ("left", "right")),
    *(f"height.L1.{place}" for place in ("anterior", "middle", "posterior")),
    "superiorEndPlate.L1",
    "inferiorEndPlate.L1",
}


def held_roles(node):
    """Roles of a parameter node that refer to something."""
    names = {node.GetNthNodeReferenceRole(n) for n in range(node.GetNumberOfNodeReferenceRoles())}
    return {name for name in names if node.GetNumberOfNodeReferences(name)}


def volume_ml(surface):
    mass = vtk.vtkMassProperties()
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputData(surface)
    mass.SetInputConnection(triangles.GetOutputPort())
    return mass.GetVolume() / 1000


def points(surface):
    return vtk_to_numpy(surface.GetPoints().GetData())


def folder_tree(scene):
    """{name: {…}} of the subject hierarchy below the scene."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)

    def below(item):
        children = vtk.vtkIdList()
        hierarchy.GetItemChildren(item, children)
        found = [children.GetId(n) for n in range(children.GetNumberOfIds())]
        return {hierarchy.GetItemName(child): below(child) for child in found}

    return below(hierarchy.GetSceneItemID())


def test_every_part_of_a_level_has_its_role(logic, planned):
    held = held_roles(planned)
    assert held >= ROLES_OF_A_PLANNED_LEVEL
    assert held >= {"plan", "measurementTable", "trajectoryTable", "anatomy", "ct", "segmentation"}
    assert all(logic.node(planned, role).GetScene() is not None for role in held)


def test_each_level_has_a_folder_in_the_plans_folder(scene, planned):
    tree = folder_tree(scene)["Vertebral augmentation plan"]
    assert set(tree) >= {"T12", "L1", "L2", "plan.json", "Vertebral measurements", "Needle trajectories"}
    assert "L1 left needle (safe)" in tree["L1"]
    assert not any(name.startswith("L2") for name in tree["L1"])


def test_a_needle_lies_where_the_plan_says(logic, planned):
    for level in ("L1", "L2"):
        for needle in logic.currentPlan(planned).level(level).trajectories:
            line = logic.node(planned, roles.role("needle", level, needle.side))
            assert line.GetNthControlPointPositionWorld(0) == pytest.approx(needle.entry_ras)
            assert line.GetNthControlPointPositionWorld(1) == pytest.approx(needle.target_ras)
            assert line.GetNthControlPointDescription(1) == f"{level} {needle.side} target"


def test_the_tube_has_the_cannulas_thickness_from_skin_to_tip(logic, planned):
    needle = logic.currentPlan(planned).level("L1").trajectory("left")
    tube = logic.node(planned, "tube.L1.left").GetPolyData()
    axis = np.subtract(needle.target_ras, needle.skin_ras)
    axis /= np.linalg.norm(axis)
    offset = points(tube) - needle.skin_ras
    along = offset @ axis
    radius = np.linalg.norm(offset - along[:, None] * axis, axis=1)
    assert radius.max() == pytest.approx(needle.cannula_outer_diameter_mm / 2, abs=1e-3)
    assert along.min() == pytest.approx(0, abs=1e-3)
    assert along.max() == pytest.approx(np.linalg.norm(np.subtract(needle.target_ras, needle.skin_ras)), abs=1e-3)


def test_a_tube_is_closed_and_as_large_as_its_cylinder():
    tube = tube_surface((0, 0, 0), (0, 0, 100), 4.2)
    assert volume_ml(tube) == pytest.approx(np.pi * 2.1**2 * 100 / 1000, rel=0.01)


def test_the_tube_is_seen_in_slices_and_in_3d(logic, planned):
    display = logic.node(planned, "tube.L1.left").GetDisplayNode()
    assert display.GetVisibility2D()
    assert display.GetVisibility3D()


@pytest.mark.parametrize(
    ("safety", "glyph"), [("safe", "Sphere3D"), ("tight", "Diamond2D"), ("breach", "ThickCross2D")]
)
def test_safety_is_told_by_colour_by_shape_and_in_words(logic, planned, safety, glyph):
    plan = logic.currentPlan(planned)
    level = plan.level("L1")
    needle = dataclasses.replace(level.trajectory("left"), safety=safety)
    from VertebralAugmentationPlannerLib.scene.edits import with_trajectory

    changed = tuple(with_trajectory(level, needle) if old.level == "L1" else old for old in plan.levels)
    logic.buildScene(dataclasses.replace(plan, levels=changed), parameterNode=planned)
    line, tube = (logic.node(planned, f"{kind}.L1.left") for kind in ("needle", "tube"))
    assert line.GetDisplayNode().GetSelectedColor() == pytest.approx(palette.rgb(palette.SAFETY[safety]))
    assert tube.GetDisplayNode().GetColor() == pytest.approx(palette.rgb(palette.SAFETY[safety]))
    assert line.GetDisplayNode().GetGlyphTypeAsString(line.GetDisplayNode().GetGlyphType()) == glyph
    assert line.GetName() == f"L1 left needle ({safety})"
    assert bool(tube.GetDisplayNode().GetEdgeVisibility()) == (safety == "breach")


def test_balloon_is_as_long_and_thick_as_planned(logic, planned):
    balloon = logic.currentPlan(planned).level("L1").trajectory("left").balloon
    surface = points(balloon_surface(balloon))
    axis = np.subtract(balloon.distal_ras, balloon.proximal_ras) / np.linalg.norm(
        np.subtract(balloon.distal_ras, balloon.proximal_ras)
    )
    offset = surface - np.asarray(balloon.centre_ras)
    assert np.ptp(offset @ axis) == pytest.approx(balloon.planned_length_mm, rel=0.01)
    across = np.linalg.norm(offset - np.outer(offset @ axis, axis), axis=1)
    assert 2 * across.max() == pytest.approx(balloon.planned_diameter_mm, rel=0.01)


def test_cement_has_the_planned_volume_and_stays_in_the_body(built):
    _case, spine, plan = built
    needle, vertebra = plan.level("L1").trajectory("left"), spine.vertebrae["L1"]
    surface = cement_surface(needle, 3.0, vertebra)
    assert volume_ml(surface) == pytest.approx(3.0, rel=0.05)
    local = vertebra.frame.to_local(points(surface))
    inside = vertebra.grid.sample(vertebra.body.astype(float), local)
    assert (inside > 0.05).mean() > 0.98  # the drawn surface lies within a voxel of the body's


def test_cement_without_the_anatomy_is_an_ellipsoid_of_that_volume(built):
    surface = cement_surface(built[2].level("L1").trajectory("left"), 3.0, None)
    assert volume_ml(surface) == pytest.approx(3.0, rel=0.02)


def test_end_plates_lie_through_the_rims_of_the_measurement(logic, planned):
    measured = logic.currentPlan(planned).level("L1").measurements
    plane = logic.node(planned, "superiorEndPlate.L1")
    normal, origin = (np.array(v) for v in (plane.GetNormalWorld(), plane.GetOriginWorld()))
    for place in ("anterior", "posterior"):
        rim = np.array(measured.height_points_ras[place][0])
        assert np.dot(rim - origin, normal) == pytest.approx(0, abs=1e-6)
    assert normal[2] > 0.7  # points towards the head
    assert plane.GetSizeWorld()[0] == pytest.approx(measured.width_mm)


def test_the_drawn_end_plates_enclose_the_wedge_angle(logic, planned):
    level = logic.currentPlan(planned).level("L1")
    up, low = (
        np.array(logic.node(planned, f"{kind}EndPlate.L1").GetNormalWorld()) for kind in ("superior", "inferior")
    )
    right = np.array(level.frame.right)
    angle = np.degrees(np.arctan2(np.dot(np.cross(up, low), right), np.dot(up, low)))
    assert angle == pytest.approx(level.measurements.wedge_angle_deg, abs=0.01)


def test_height_lines_have_the_measured_length(logic, planned):
    measured = logic.currentPlan(planned).level("L1").measurements
    for place in ("anterior", "middle", "posterior"):
        line = logic.node(planned, f"height.L1.{place}")
        assert line.GetLineLengthWorld() == pytest.approx(getattr(measured, f"{place}_height_mm"), abs=1e-3)


def test_the_pedicle_outline_is_as_wide_as_the_isthmus(logic, planned):
    pedicle = logic.currentPlan(planned).level("L2").pedicles.left
    curve = logic.node(planned, "pedicle.L2.left")
    outline = slicer.util.arrayFromMarkupsControlPoints(curve, world=True)
    across = [np.ptp(outline @ direction) for direction in directions_across(np.array(pedicle.axis))]
    assert min(across) == pytest.approx(pedicle.isthmus_width_mm, abs=0.6)


def directions_across(axis):
    first = np.cross(axis, [0, 0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(axis, first)
    return [np.cos(a) * first + np.sin(a) * second for a in np.linspace(0, np.pi, 90)]


def test_bodies_are_drawn_with_their_volume(logic, planned, built):
    node = logic.node(planned, "anatomy")
    measured = logic.currentPlan(planned).level("L2").measurements
    data = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation("L2_body", data)
    voxels = vtk_to_numpy(data.GetPointData().GetScalars())
    drawn = (voxels > 0).sum() * np.prod(data.GetSpacing()) / 1000
    assert drawn == pytest.approx(measured.body_volume_ml, rel=0.03)
    assert node.GetSegmentation().GetSegment("SpinalCanal") is not None


def test_the_canal_is_drawn_where_the_engine_has_it(logic, planned, built):
    spine = built[1]
    data = slicer.vtkOrientedImageData()
    logic.node(planned, "anatomy").GetBinaryLabelmapRepresentation("SpinalCanal", data)
    matrix = vtk.vtkMatrix4x4()
    data.GetImageToWorldMatrix(matrix)
    vertebra = spine.vertebrae["L1"]
    middle = vertebra.grid.to_local(np.argwhere(vertebra.canal_mm < -4.0)).mean(axis=0)
    matrix.Invert()
    ijk = np.round(matrix.MultiplyPoint((*vertebra.frame.to_ras(middle), 1.0))[:3]).astype(int)
    assert data.GetScalarComponentAsDouble(*ijk.tolist(), 0) > 0


def test_tables_hold_the_numbers_of_the_plan(logic, planned):
    table, plan = logic.node(planned, "measurementTable"), logic.currentPlan(planned)
    assert table.GetNumberOfRows() == len(plan.levels)
    column = next(n for n in range(table.GetNumberOfColumns()) if table.GetColumnName(n) == "Anterior height (mm)")
    assert float(table.GetCellText(1, column)) == pytest.approx(
        plan.level("L1").measurements.anterior_height_mm, abs=0.05
    )
    needles = logic.node(planned, "trajectoryTable")
    assert needles.GetNumberOfRows() == 4
    assert [needles.GetCellText(row, 1) for row in range(4)] == ["left", "right"] * 2


def test_a_loss_in_the_table_stays_on_its_side_of_a_grade(logic, planned):
    plan = logic.currentPlan(planned)
    level = plan.level("L1")
    lost = dataclasses.replace(level.measurements.height_loss_percent, anterior=19.8, middle=12.3, posterior=40.3)
    told = dataclasses.replace(level, measurements=dataclasses.replace(level.measurements, height_loss_percent=lost))
    draw_tables(planned, dataclasses.replace(plan, levels=(told,)))
    table = logic.node(planned, "measurementTable")
    columns = {table.GetColumnName(n): n for n in range(table.GetNumberOfColumns())}
    written = [table.GetCellText(0, columns[f"{name} loss (%)"]) for name in ("Anterior", "Middle", "Posterior")]
    assert written == [
        "19.8",
        "12",
        "40.3",
    ]  # “20” beside grade 0, and “40” beside grade 3, would contradict themselves


def test_a_number_that_could_not_be_computed_is_an_empty_cell(logic, planned):
    table = logic.node(planned, "measurementTable")
    column = next(n for n in range(table.GetNumberOfColumns()) if table.GetColumnName(n) == "Gardner angle (deg)")
    assert table.GetCellText(0, column) == ""  # T12 has no level above


def test_drawing_again_makes_no_new_nodes(logic, planned, scene):
    before = node_ids(scene)
    logic.buildScene(logic.currentPlan(planned), parameterNode=planned)
    logic.planLevel(planned, "L1")
    assert node_ids(scene) == before


def test_clearing_leaves_the_scene_as_it_was(logic, scene, inputs):
    parameter_node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "planner")
    logic.setInputs(parameter_node, *inputs)
    before, folders = node_ids(scene), folder_tree(scene)
    logic.measure(parameter_node)
    logic.planLevel(parameter_node, "L1")
    assert node_ids(scene) != before
    logic.clearPlan(parameter_node)
    assert node_ids(scene) == before
    assert folder_tree(scene) == folders
    assert logic.currentPlan(parameter_node) is None


def test_a_level_that_leaves_the_plan_leaves_the_scene(logic, planned, scene):
    plan = logic.currentPlan(planned)
    logic.buildScene(dataclasses.replace(plan, levels=plan.levels[:2]), parameterNode=planned)
    assert not any(".L2" in role for role in held_roles(planned))
    assert "L2" not in folder_tree(scene)["Vertebral augmentation plan"]


def test_one_level_is_shown_at_a_time(logic, planned):
    logic.showLevel(planned, "L2")
    assert logic.node(planned, "height.L2.anterior").GetDisplayNode().GetVisibility()
    assert not logic.node(planned, "height.L1.anterior").GetDisplayNode().GetVisibility()
    assert logic.node(planned, "tube.L1.left").GetDisplayNode().GetVisibility()


def test_the_ct_and_the_segmentation_are_never_touched(logic, planned, inputs):
    ct, segmentation = inputs
    before = [ct.GetImageData().GetMTime(), segmentation.GetSegmentation().GetMTime(), ct.GetMTime()]
    logic.planLevel(planned, "L2")
    logic.clearPlan(planned)
    assert [ct.GetImageData().GetMTime(), segmentation.GetSegmentation().GetMTime(), ct.GetMTime()] == before


def test_height_labels_are_short_and_stand_at_ends_of_their_own(logic, planned):
    found = logic.currentPlan(planned).level("L1").measurements
    for place, short, shown, silent in (("anterior", "Ha", 0, 1), ("middle", "Hm", 1, 0), ("posterior", "Hp", 0, 1)):
        line = logic.node(planned, roles.role("height", "L1", place))
        height = getattr(found, f"{place}_height_mm")
        assert line.GetNthControlPointLabel(shown) == f"{short} {height:.1f}"
        assert line.GetNthControlPointLabel(silent) == ""
        assert line.GetDisplayNode().GetPointLabelsVisibility()
        assert not line.GetDisplayNode().GetPropertiesLabelVisibility()


def test_a_needle_names_its_side_and_safety_at_the_entry(logic, planned):
    line = logic.node(planned, "needle.L1.left")
    assert [line.GetNthControlPointLabel(n) for n in (0, 1)] == ["left: safe", ""]


def test_folders_of_the_user_stay_and_nothing_is_moved_into_them(logic, planned, scene):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    mine = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "Patient Smith")
    hierarchy.CreateFolderItem(mine, "to do")
    before = folder_tree(scene)
    (plan_folder,) = [name for name in before if name.startswith("Vertebral augmentation plan")]
    hierarchy.CreateFolderItem(hierarchy.GetItemByName(plan_folder), "notes")
    for name in ("plan", "needle.L2.left"):
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(logic.node(planned, name)), mine)
    logic.planLevels(planned, ("L1", "L2"))
    tree = folder_tree(scene)
    assert [name for name in tree if name.startswith("Vertebral augmentation plan")] == [plan_folder]
    assert tree["Patient Smith"] == {"to do": {}, "plan.json": {}, "L2 left needle (safe)": {}}
    assert tree[plan_folder]["notes"] == {} and tree[plan_folder]["L1"] == before[plan_folder]["L1"]
    logic.clearPlan(planned)
    tree = folder_tree(scene)
    assert tree["Patient Smith"] == {"to do": {}} and tree[plan_folder] == {"notes": {}}
    logic.measure(planned)
    assert list(folder_tree(scene)).count(plan_folder) == 1


def test_the_folders_of_an_older_scene_are_known_by_their_names(logic, planned, scene):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    before, children = folder_tree(scene), vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), children, True)
    for number in range(children.GetNumberOfIds()):
        hierarchy.RemoveItemAttribute(children.GetId(number), "VertebralAugmentationPlanner.Folder")
    logic.planLevels(planned, ("L1",))
    assert folder_tree(scene) == before
    logic.clearPlan(planned)
    assert not any(name.startswith("Vertebral augmentation plan") for name in folder_tree(scene))
