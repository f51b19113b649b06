"""What of Qt the panel and Slicer's Python files around it may use: methods of Qt 5.15, by class.

Each line was compared with doc.qt.io/qt-5.15/<class>.html; a method that only Qt 6 has, or that PythonQt hides
behind a property of the same name (``text``, ``checked``), must not stand here. PythonQt's wrappers of QtCore,
QtGui and QtWidgets cover every public method of these classes (Slicer ``SuperBuild/External_CTK.cmake``,
``PYTHONQT_WRAP_QTCORE`` and ``…_QTGUI``).
"""

from __future__ import annotations

# fmt: off

METHODS: dict[str, tuple[str, ...]] = {
    "QObject": (
        "setObjectName", "setProperty", "property", "parent", "children", "findChild", "findChildren",
        "deleteLater", "blockSignals", "setParent", "installEventFilter", "isWidgetType", "inherits",
    ),
    "QWidget": (
        "setLayout", "layout", "setEnabled", "isEnabled", "setVisible", "isVisible", "isVisibleTo", "isHidden",
        "show", "hide", "close", "grab", "resize", "setFixedHeight", "setFixedWidth", "setMinimumHeight",
        "setMaximumHeight", "setMinimumWidth", "setToolTip", "setStyleSheet", "setSizePolicy", "adjustSize",
        "update", "repaint", "raise_", "activateWindow", "setFocus", "fontMetrics", "window", "setWindowTitle",
    ),
    "QAbstractButton": ("click", "setChecked", "isChecked", "toggle", "setText", "setIcon", "setCheckable"),
    "QLabel": ("setText", "setPixmap", "setWordWrap"),
    "QLineEdit": ("setText",),
    "QTextEdit": ("toPlainText", "setPlainText", "setHtml", "toHtml", "clear"),
    "QTextBrowser": (),
    "QComboBox": (
        "addItem", "addItems", "clear", "setCurrentIndex", "setCurrentText", "findText", "findData", "itemText",
        "itemData", "setItemText", "setItemData",
    ),
    "QAbstractSpinBox": (),
    "QSpinBox": ("setValue", "setRange", "setMinimum", "setMaximum"),
    "QDoubleSpinBox": ("setValue", "setRange", "setMinimum", "setMaximum"),
    "QAbstractSlider": ("setValue", "setRange", "setMinimum", "setMaximum"),
    "QProgressBar": ("setValue", "setRange"),
    "QAbstractItemView": ("setEditTriggers", "setSelectionBehavior", "setSelectionMode", "scrollToTop"),
    "QTableView": (
        "horizontalHeader", "verticalHeader", "selectRow", "setColumnWidth", "columnWidth", "setRowHeight",
        "resizeColumnsToContents", "resizeRowsToContents", "setColumnHidden", "hideColumn", "showColumn",
    ),
    "QTableWidget": (
        "setRowCount", "setColumnCount", "setItem", "item", "setCellWidget", "cellWidget",
        "setHorizontalHeaderLabels", "setVerticalHeaderLabels", "clearContents", "currentRow", "setCurrentCell",
        "clearSelection", "horizontalHeaderItem", "removeRow", "insertRow", "scrollToItem",
    ),
    "QTableWidgetItem": (
        "setText", "text", "setToolTip", "toolTip", "setFlags", "flags", "setData", "data", "setTextAlignment",
        "setBackground", "background", "setForeground", "foreground", "setFont", "font", "row", "column", "setIcon",
    ),
    "QHeaderView": (
        "setSectionResizeMode", "setStretchLastSection", "setDefaultSectionSize", "resizeSection", "length",
    ),
    "QLayout": ("addWidget", "count", "setContentsMargins", "setSpacing", "activate"),
    "QBoxLayout": ("addLayout", "addStretch", "insertWidget"),
    "QFormLayout": ("addRow", "labelForField", "rowCount"),
    "QGridLayout": (),
    "QDialog": ("exec_", "open", "accept", "reject", "done"),
    "QMessageBox": ("setText", "setStandardButtons"),
    "QProgressDialog": ("setValue", "reset", "setLabelText", "cancel", "setCancelButtonText", "setRange"),
    "QCoreApplication": (),
    "QTimer": ("start", "stop", "setSingleShot", "isSingleShot", "setInterval"),
    "QSettings": ("value", "setValue", "contains", "remove"),
    "QFile": ("open", "exists", "close"),
    "QFileInfo": ("absoluteFilePath", "absolutePath", "fileName"),
    "QUiLoader": ("load",),
    "QFont": ("setBold", "bold", "setPointSize", "setPointSizeF", "pointSize", "setFamily"),
    "QFontMetrics": ("height", "horizontalAdvance"),
    "QColor": ("name", "red", "green", "blue", "lighter", "darker", "alpha", "setAlpha"),
    "QBrush": ("color",),
    "QPixmap": ("save", "fill", "isNull", "width", "height", "toImage"),
    "QImage": ("save", "isNull", "width", "height", "pixelColor"),
    "QIcon": ("isNull", "pixmap"),
    "QSize": ("width", "height"),
    "QRect": ("width", "height"),
    "QPalette": ("color",),
    "QAction": ("trigger", "setText", "setData", "data"),
    "QMenu": ("addAction", "clear"),
    "QToolButton": ("setMenu", "setDefaultAction", "defaultAction"),
    "QCursor": ("shape",),
    "QUrl": ("toString",),
}

STATIC_METHODS: dict[str, tuple[str, ...]] = {
    "QApplication": (
        "activeModalWidget", "setOverrideCursor", "restoreOverrideCursor", "overrideCursor", "processEvents", "instance", "palette",
    ),
    "QGuiApplication": ("setOverrideCursor", "restoreOverrideCursor", "overrideCursor", "palette"),
    "QCoreApplication": ("processEvents", "instance"),
    "QFileDialog": ("getSaveFileName", "getOpenFileName", "getExistingDirectory"),
    "QTimer": ("singleShot",),
    "QDesktopServices": ("openUrl",),
    "QUrl": ("fromLocalFile",),
    "QDir": ("homePath",),
    "QPixmap": ("fromImage",),
}

ENUMS: dict[str, tuple[str, ...]] = {
    "Qt": (
        "AlignLeft", "AlignRight", "AlignCenter", "AlignHCenter", "AlignVCenter", "AlignTop", "UserRole",
        "BackgroundRole", "ForegroundRole", "ToolTipRole", "ItemIsEnabled", "ItemIsSelectable", "ItemIsEditable", "WaitCursor",
        "ApplicationModal", "WindowModal", "Horizontal", "Vertical", "RichText", "PlainText", "ShiftModifier",
        "NoFocus",
    ),
    "QMessageBox": (
        "Ok", "Cancel", "Yes", "No", "Retry", "Close", "Information", "Warning", "Critical", "Question", "NoButton",
    ),
    "QHeaderView": ("Stretch", "ResizeToContents", "Fixed", "Interactive"),
    "QSizePolicy": ("Fixed", "Minimum", "Maximum", "Preferred", "Expanding", "MinimumExpanding", "Ignored"),
    "QAbstractItemView": (
        "NoEditTriggers", "SelectRows", "SelectItems", "SingleSelection", "NoSelection",
    ),
    "QFile": (),
    "QIODevice": ("ReadOnly",),
    "QIODeviceBase": ("ReadOnly",),
    "QDialog": ("Accepted", "Rejected"),
    "QPalette": ("Window", "Base", "Text", "Highlight", "Disabled"),
}

CLASSES: frozenset[str] = (
    frozenset(METHODS)
    | frozenset(STATIC_METHODS)
    | frozenset(ENUMS)
    | {
        "QPushButton",
        "QCheckBox",
        "QVBoxLayout",
        "QHBoxLayout",
        "QRadioButton",
        "QFrame",
        "QSlider",
        "QTextCursor",
    }
)
