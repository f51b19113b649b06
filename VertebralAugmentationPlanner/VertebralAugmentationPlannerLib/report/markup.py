"""A few functions that write HTML. Every text is escaped here and nowhere else."""

from __future__ import annotations

import html
from collections.abc import Iterable


class Markup(str):
    """Text that is already HTML. Anything else is escaped when it is put into an element."""

    __slots__ = ()


Content = str | None | Iterable["Content"]
"""None is nothing; a plain string is escaped; Markup is taken as it is; a list is its parts in order."""

_VOID = {"br", "col", "meta"}


def render(content: Content) -> Markup:
    """HTML of any content."""
    if content is None:
        return Markup("")
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(html.escape(content, quote=True))
    return Markup("".join(render(part) for part in content))


def element(name: str, /, *content: Content, **attributes: str | int | None) -> Markup:
    """``<name attributes>content</name>``. ``class_`` stands for class and ``_`` for ``-``; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{render(content)}</{name}>")


def div(class_: str | None, /, *content: Content, **attributes: str | int | None) -> Markup:
    """A ``div`` of a class."""
    return element("div", *content, class_=class_, **attributes)


def span(class_: str | None, *content: Content) -> Markup:
    """A ``span`` of a class."""
    return element("span", *content, class_=class_)


def table(head: Iterable[Content], rows: Iterable[Iterable[Content]], class_: str | None = None) -> Markup:
    """A table whose first column is each row's name."""
    headings = [element("th", cell, scope="col") for cell in head]
    body = []
    for row in rows:
        first, *rest = row
        body.append(element("tr", element("th", first, scope="row"), [element("td", cell) for cell in rest]))
    header = element("thead", element("tr", headings)) if headings else None
    return element("table", header, element("tbody", body), class_=class_)
