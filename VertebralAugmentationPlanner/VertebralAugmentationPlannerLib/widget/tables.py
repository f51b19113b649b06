"""Cells of the panel's tables."""

from __future__ import annotations

from typing import Any

import qt

from ..model.palette import SAFETY, rgb

SYMBOLS = {"safe": "✔", "tight": "▲", "breach": "✖"}
"""State is told by a symbol first; the colour comes on top."""

TINT = 0.35
"""Share of the state's colour in a cell's background: enough to see, and black text stays readable on it."""


def cell(table: Any, row: int, column: int, text: str, tip: str = "", right: bool = False, bold: bool = False) -> Any:
    """Write one cell, making its item the first time; returns the item."""
    item = table.item(row, column)
    if not item:
        item = qt.QTableWidgetItem()
        item.setTextAlignment(qt.Qt.AlignVCenter | (qt.Qt.AlignRight if right else qt.Qt.AlignLeft))
        table.setItem(row, column, item)
    if item.text() != text:
        item.setText(text)
    item.setToolTip(tip)
    if item.font().bold() != bold:
        font = qt.QFont(table.font)
        font.setBold(bold)
        item.setFont(font)
    return item


def whole(text: str, tip: str = "") -> str:
    """A cell's tooltip: its own text first, which large letters or a narrow panel cut off in a column that cannot grow."""
    return tip if tip.startswith(text) else "\n".join(part for part in (text, tip) if part)


def paint(item: Any, color: tuple[float, float, float] | None, tint: float = 1.0) -> None:
    """Give a cell a background of this colour (RGB 0–1), or none."""
    if color is None:
        item.setData(qt.Qt.BackgroundRole, None)
        item.setData(qt.Qt.ForegroundRole, None)
        return
    mixed = [int(round(255 * (tint * part + (1 - tint)))) for part in color]
    item.setBackground(qt.QBrush(qt.QColor(*mixed)))
    item.setForeground(qt.QBrush(qt.QColor(0, 0, 0)))


def paint_state(item: Any, state: str | None) -> None:
    """Tint a cell by "safe", "tight" or "breach"; None takes the tint away."""
    paint(item, rgb(SAFETY[state]) if state else None, TINT)


def with_symbol(text: str, state: str | None) -> str:
    """“✔ 2.4”."""
    return f"{SYMBOLS[state]} {text}" if state else text


def fit_columns(table: Any, *stretched: int) -> None:
    """Columns as wide as their content; those named share what is left."""
    header = table.horizontalHeader()
    for column in range(table.columnCount):
        mode = qt.QHeaderView.Stretch if column in stretched else qt.QHeaderView.ResizeToContents
        header.setSectionResizeMode(column, mode)


def fit_height(table: Any, most_rows: int) -> None:
    """Make the table as high as its rows, up to a number of rows; then it scrolls."""
    rows = min(max(table.rowCount, 1), most_rows)
    height = rows * table.verticalHeader().defaultSectionSize + table.horizontalHeader().sizeHint.height() + 4
    table.setFixedHeight(height)
