"""Which cannulas are tried for a procedure, and in which order."""

from __future__ import annotations

from ..model import CANNULAS, Cannula, PlanOptions

PROCEDURE_CANNULAS: dict[str, tuple[str, ...]] = {
    "kyphoplasty": ("8G", "10G", "11G", "13G"),
    "vertebroplasty": ("11G", "13G"),
}
"""Thickest first. Kyphoplasty 8G or 10G, narrow systems 11G; vertebroplasty 11–13G. Source: clinical use [M],
11G as the narrowest balloon channel from the claims of US 9 782 572 [V]."""

THINNEST_BALLOON = "10G"
"""The thinnest access of the catalogue's balloons (KYPHON Express, 10G) [M]."""


def cannulas_to_try(options: PlanOptions) -> tuple[Cannula, ...]:
    """The cannulas of a planning run, thickest first; a single one where the user named it."""
    if options.cannula != "auto":
        return (CANNULAS[options.cannula],)
    return tuple(CANNULAS[name] for name in PROCEDURE_CANNULAS[options.procedure])


def thinner_than(cannula: Cannula) -> tuple[Cannula, ...]:
    """All catalogue cannulas thinner than this one, thickest first."""
    return tuple(other for other in CANNULAS.values() if other.outer_diameter_mm < cannula.outer_diameter_mm)


def costs_the_balloon(cannula: Cannula, options: PlanOptions) -> bool:
    """Whether kyphoplasty through this cannula would go without a balloon of the catalogue: none is made below 10G."""
    return (
        options.procedure == "kyphoplasty" and cannula.outer_diameter_mm < CANNULAS[THINNEST_BALLOON].outer_diameter_mm
    )
