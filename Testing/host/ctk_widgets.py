"""The CTK widgets the panel uses, on PySide6.

Each class stands for the CTK file named in its docstring (commontk/CTK, ``Libs/Widgets``). CTK classes reach Python
with their properties, signals and slots only, so plain C++ methods (``setRange``, ``spinBox`` …) are not offered.
"""

from __future__ import annotations

from PySide6.QtCore import Property, QEvent, QRect, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QMessageBox,
    QSlider,
    QStyle,
    QStyleOption,
    QStyleOptionButton,
    QWidget,
)

HEADER_MARGIN = 4
WANTED = "visibilityToParent"
QWIDGETSIZE_MAX = 16777215


class ctkCollapsibleButton(QAbstractButton):
    """``ctkCollapsibleButton.cpp``: a heading over its children; collapsing hides them. ``collapsed`` is a property,
    ``contentsCollapsed(bool)`` a signal; a click toggles."""

    contentsCollapsed = Signal(bool)
    SIGNALS = {"contentsCollapsed(bool)": "contentsCollapsed"}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._collapsed = False
        self._forcing = False
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(self.sizePolicy().Policy.Minimum, self.sizePolicy().Policy.Preferred)
        self.setContentsMargins(0, self._header_height(), 0, 0)
        self.toggled.connect(lambda opened: self._set_collapsed(not opened))

    def _header_height(self) -> int:
        return self.fontMetrics().height() + 2 * HEADER_MARGIN

    def _is_collapsed(self) -> bool:
        return self._collapsed

    def _set_collapsed(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self.setChecked(not collapsed)
        for child in self._child_widgets():
            self._show_or_hide(child)
        self.setMaximumHeight(self._header_height() if collapsed else QWIDGETSIZE_MAX)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def _show_or_hide(self, child: QWidget) -> None:
        """``ctkCollapsibleButtonPrivate::setChildVisibility``: open shows all children but those hidden on purpose."""
        self._forcing = True
        child.setVisible(not self._collapsed and child.property(WANTED) is not False)
        self._forcing = False

    def eventFilter(self, child, event) -> bool:  # noqa: N802
        # ctkCollapsibleButton::eventFilter: a child shown while collapsed stays hidden until the button opens.
        if not self._forcing and isinstance(child, QWidget):
            if event.type() == QEvent.Type.ShowToParent:
                child.setProperty(WANTED, True)
                self._show_or_hide(child)
            elif event.type() == QEvent.Type.HideToParent:
                child.setProperty(WANTED, False)
        return super().eventFilter(child, event)

    def setVisible(self, visible: bool) -> None:  # noqa: N802
        # ctkCollapsibleButton::setVisible: showing the button itself says nothing about its children.
        self._forcing = True
        super().setVisible(visible)
        self._forcing = False
        for child in self._child_widgets():
            self._show_or_hide(child)

    collapsed = Property(bool, _is_collapsed, _set_collapsed)

    def _child_widgets(self) -> list[QWidget]:
        return [child for child in self.children() if isinstance(child, QWidget)]

    def childEvent(self, event) -> None:  # noqa: N802 - Qt's name
        child = event.child()
        if event.type() == QEvent.Type.ChildAdded and child.isWidgetType():
            child.installEventFilter(self)
            if self._collapsed:
                self._show_or_hide(child)
        super().childEvent(event)

    def hitButton(self, position) -> bool:  # noqa: N802
        return position.y() < self._header_height()

    def sizeHint(self):  # noqa: N802
        hint = super().sizeHint()
        if self._collapsed or self.layout() is None:
            hint.setHeight(self._header_height())
        else:
            hint = self.layout().totalSizeHint()
        return hint

    def minimumSizeHint(self):  # noqa: N802
        if self._collapsed or self.layout() is None:
            return self.sizeHint()
        return self.layout().totalMinimumSize()

    def paintEvent(self, _event) -> None:  # noqa: N802
        painter = QPainter(self)
        height = self._header_height()
        option = QStyleOptionButton()
        option.initFrom(self)
        option.rect = QRect(0, 0, self.width(), height)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_PanelButtonCommand, option, painter, self)
        arrow = QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QRect(HEADER_MARGIN, 0, height - HEADER_MARGIN, height)
        element = (
            QStyle.PrimitiveElement.PE_IndicatorArrowRight
            if self._collapsed
            else QStyle.PrimitiveElement.PE_IndicatorArrowDown
        )
        self.style().drawPrimitive(element, arrow, painter, self)
        painter.drawText(
            QRect(height + HEADER_MARGIN, 0, self.width() - height, height), Qt.AlignmentFlag.AlignVCenter, self.text()
        )


class ctkSliderWidget(QWidget):
    """``ctkSliderWidget.cpp``: a slider with a spin box. ``valueChanged(double)`` follows every step, as CTK's does
    with its default ``tracking``; the value is clamped to the range."""

    valueChanged = Signal(float)
    SIGNALS = {"valueChanged(double)": "valueChanged"}
    STEPS = 1000

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._box = QDoubleSpinBox(self)
        self._slider.setObjectName("Slider")
        self._box.setObjectName("SpinBox")
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._slider.setRange(0, self.STEPS)
        self._box.setRange(0.0, 99.99)
        self._slider.valueChanged.connect(self._from_slider)
        self._box.valueChanged.connect(self._from_box)
        self._quiet = False

    def _from_slider(self, step: int) -> None:
        if not self._quiet:
            share = step / self.STEPS
            self._box.setValue(self._box.minimum() + share * (self._box.maximum() - self._box.minimum()))

    def _from_box(self, value: float) -> None:
        self._place_slider()
        self.valueChanged.emit(value)

    def _place_slider(self) -> None:
        span = self._box.maximum() - self._box.minimum()
        self._quiet = True
        self._slider.setValue(round(self.STEPS * (self._box.value() - self._box.minimum()) / span) if span > 0 else 0)
        self._quiet = False

    def _set_minimum(self, value: float) -> None:
        self._box.setMinimum(value)
        self._place_slider()

    def _set_maximum(self, value: float) -> None:
        self._box.setMaximum(value)
        self._place_slider()

    @Slot(float)
    def setValue(self, value: float) -> None:  # noqa: N802
        self._box.setValue(value)

    def _set_step(self, value: float) -> None:
        self._box.setSingleStep(value)

    @Slot(int)
    def setDecimals(self, value: int) -> None:  # noqa: N802
        self._box.setDecimals(value)

    value = Property(float, lambda self: self._box.value(), lambda self, value: self.setValue(value))
    minimum = Property(float, lambda self: self._box.minimum(), _set_minimum)
    maximum = Property(float, lambda self: self._box.maximum(), _set_maximum)
    singleStep = Property(float, lambda self: self._box.singleStep(), _set_step)
    pageStep = Property(float, lambda self: 1.0, lambda self, value: None)
    decimals = Property(int, lambda self: self._box.decimals(), lambda self, value: self._box.setDecimals(value))
    suffix = Property(str, lambda self: self._box.suffix(), lambda self, text: self._box.setSuffix(text))
    prefix = Property(str, lambda self: self._box.prefix(), lambda self, text: self._box.setPrefix(text))


class ctkComboBox(QComboBox):
    """``ctkComboBox.cpp``: ``scrollWheelEffect`` (an enum, which ``QMetaProperty::write`` takes by its name, too) decides whether
    the wheel changes the choice; an event that does not goes on to whatever scrolls around the box."""

    EFFECTS = ("NeverScroll", "AlwaysScroll", "ScrollWithFocus", "ScrollWithNoVScrollBar")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._effect = "AlwaysScroll"

    def _set_effect(self, effect: str) -> None:
        if effect not in self.EFFECTS or effect == "ScrollWithNoVScrollBar":
            return  # no such key, or not offered by the test host
        self._effect = effect
        strong = effect == "ScrollWithFocus"
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if strong else Qt.FocusPolicy.WheelFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if self._effect == "AlwaysScroll" or (self._effect == "ScrollWithFocus" and self.hasFocus()):
            super().wheelEvent(event)
        else:
            event.ignore()

    scrollWheelEffect = Property(str, lambda self: self._effect, _set_effect)


class ctkDoubleSpinBox(QDoubleSpinBox):
    """Only a name that ``guiConnectors.py`` mentions."""


class ctkMessageBox(QMessageBox):
    """``ctkMessageBox.cpp`` without its “don't show again” box; ``slicer.util.messageBox`` opens one."""


CTK_METHODS = {"ctkSliderWidget": ("setValue", "setDecimals")}
