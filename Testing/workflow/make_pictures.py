"""The tutorial's pictures: the workflow is run in the test host, and panel and views are drawn after its steps.

``python Testing/workflow/make_pictures.py`` writes ``docs/images/tutorial-*.png`` and ``docs/images/panel.png``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(REPOSITORY / "VertebralAugmentationPlanner")]

import host  # noqa: E402

slicer = host.install()

from case_workflow import LEVEL, MODULE, Workflow  # noqa: E402
from host.application import load_module  # noqa: E402
from host.views import save_picture  # noqa: E402
from PySide6.QtCore import QRect, Qt  # noqa: E402
from PySide6.QtGui import QColor, QFont, QImage, QPainter  # noqa: E402

IMAGES = REPOSITORY / "docs" / "images"
PANEL_WIDTH = 400
VIEW = 480
GAP = 8
FIELD_MM = 95.0
CAMERA_MM = (-150.0, -250.0, 130.0)
"""From behind, the left and above: where the operator stands."""

SAGITTAL, AXIAL, CORONAL, SPACE = "Yellow", "Red", "Green", "3D"
NAMES = {AXIAL: "Red", SAGITTAL: "Yellow", CORONAL: "Green", SPACE: "3D"}


class Pictures:
    """Draws after the steps it knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: dict[str, tuple[str, tuple[str, ...], str]] = {
            "load": ("1-images", (SAGITTAL,), "images"),
            "measure": ("2-measurements", (SAGITTAL,), "measurements"),
            "plan": ("3-access", (AXIAL, SAGITTAL, CORONAL, SPACE), "access"),
            "needle_views": ("4-needle-views", (AXIAL, SAGITTAL, CORONAL, SPACE), "access"),
            "breach": ("5-drag", (AXIAL, SPACE), "access"),
            "inflate": ("6-augmentation", (AXIAL, SPACE), "augmentation"),
            "lateral": ("7-fluoroscopy", (), "fluoroscopy"),
            "report": ("8-plan", (), "plan"),
            "compared": ("9-compare", (AXIAL, SPACE), "plan"),
        }
        self.beside: list[QImage] = []

    def __call__(self, step: str) -> None:
        if step == "load":
            self.show_bones()
        if step == "plan":
            self.grab_panel(None).save(str(IMAGES / "panel.png"))
        if step == "medial_border":  # AP, shown beside the lateral of the same moment
            self.beside = [self.grab_panel("fluoroscopy")]
        if step not in self.steps:
            return
        name, views, section = self.steps[step]
        panel = self.grab_panel(section)
        pictures = [self.grab_view(view, keep=step == "needle_views") for view in views]
        if step == "lateral":
            panel = side_by_side([*self.beside, panel])
        compose(panel, pictures, [NAMES[view] for view in views]).save(str(IMAGES / f"tutorial-{name}.png"))
        print(name, flush=True)

    # ---- Panel --------------------------------------------------------------------------------------------------

    def grab_panel(self, section: str | None) -> QImage:
        """The panel with one section open (all as they are for None)."""
        widget = slicer.util.getModuleWidget(MODULE)
        native = widget.parent._native
        buttons = {name: getattr(widget.ui, f"{name}CollapsibleButton") for name in SECTIONS}
        before = {name: button.collapsed for name, button in buttons.items()}
        if section is not None:
            for name, button in buttons.items():
                button.collapsed = name != section
        native.show()
        for _ in range(3):  # labels that wrap settle their height only once they know their width
            slicer.app.processEvents()
            native.layout().activate()
            native.resize(PANEL_WIDTH, native.heightForWidth(PANEL_WIDTH))
        image = native.grab().toImage()
        for name, button in buttons.items():
            button.collapsed = before[name]
        return image

    # ---- Views --------------------------------------------------------------------------------------------------

    def show_bones(self) -> None:
        """The vertebrae as surfaces, and outlines without filling in the slices."""
        segmentation = slicer.util.getModuleWidget(MODULE).ui.segmentationSelector.currentNode()
        segmentation.CreateClosedSurfaceRepresentation()
        segmentation.GetDisplayNode().SetOpacity3D(0.25)

    def grab_view(self, name: str, keep: bool) -> QImage:
        layout = slicer.app.layoutManager()
        for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            segmentation.GetDisplayNode().SetVisibility2DFill(False)
        for plane in slicer.util.getNodesByClass("vtkMRMLMarkupsPlaneNode"):
            plane.GetDisplayNode().SetFillVisibility(False)  # off screen, translucent fillings come out black
        frame = self.frame()
        if name == SPACE:
            view = layout.threeDWidget(0).threeDView()
            origin = frame.origin_ras if frame is not None else (0.0, 0.0, 0.0)
            view.look(origin, [o + c for o, c in zip(origin, CAMERA_MM, strict=True)], (0.0, 0.0, 1.0), 120.0)
        else:
            view = layout.sliceWidget(name).sliceView()
            ct = slicer.util.getModuleWidget(MODULE).ui.ctSelector.currentNode()
            fresh = view.logic.GetSliceCompositeNode().GetBackgroundVolumeID() != ct.GetID()
            if fresh:
                view.show(ct)
            if not keep and frame is not None:
                self.center(view.node, frame.origin_ras)
        path = self.folder / f"{name}.png"
        save_picture(view, str(path))
        return QImage(str(path))

    def center(self, node: Any, point: Any) -> None:
        node.SetXYZOrigin(0.0, 0.0, 0.0)
        node.SetFieldOfView(FIELD_MM, FIELD_MM, node.GetFieldOfView()[2])
        node.JumpSliceByCentering(*point)
        node.UpdateMatrices()

    def frame(self) -> Any:
        """The fractured vertebra's frame; None before it is measured."""
        widget = slicer.util.getModuleWidget(MODULE)
        plan = widget.logic.currentPlan(widget.panel.parameterNode)
        return plan.level(LEVEL).frame if plan is not None else None


SECTIONS = ("images", "measurements", "access", "augmentation", "fluoroscopy", "plan")


def side_by_side(panels: list[QImage]) -> QImage:
    """Panels in one row."""
    image = QImage(sum(p.width() + GAP for p in panels), max(p.height() for p in panels), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    x = 0
    for panel in panels:
        painter.drawImage(x, 0, panel)
        x += panel.width() + GAP
    painter.end()
    return image


def compose(panel: QImage, pictures: list[QImage], names: list[str]) -> QImage:
    """The panel on the left, the views in one or two columns on the right."""
    columns = 2 if len(pictures) > 2 else min(len(pictures), 1)
    rows = -(-len(pictures) // columns) if columns else 0
    width = panel.width() + columns * (VIEW + GAP)
    image = QImage(width, max(panel.height(), rows * (VIEW + GAP) - GAP), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.drawImage(0, 0, panel)
    painter.setFont(QFont("DejaVu Sans", 11))
    for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        x = panel.width() + GAP + (number % columns) * (VIEW + GAP)
        y = number // columns * (VIEW + GAP)
        painter.drawImage(x, y, picture)
        painter.setPen(QColor("white"))
        painter.drawText(QRect(x + 8, y + 6, 200, 20), Qt.AlignmentFlag.AlignLeft, name)
    painter.end()
    return image


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    load_module(REPOSITORY / "VertebralAugmentationPlanner" / "VertebralAugmentationPlanner.py")
    with tempfile.TemporaryDirectory() as folder:
        problems = Workflow(Path(folder), Pictures(Path(folder))).run()
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
