"""The editable numbers a plan rests on, with how well each is known, for the record page."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import CasePlan

TAG_WORDS = {
    "V": "read in the source",
    "C": "computed from open data",
    "M": "FROM MEMORY – confirm before use",
    "D": "design choice",
}


@dataclass(frozen=True)
class Assumption:
    """One number: what it is, its value with unit, its tag and what it rests on."""

    name: str
    value: str
    tag: str
    basis: str


_MARGINS = {
    "pedicle_wall_mm": "pedicle wall",
    "canal_mm": "canal",
    "endplate_mm": "end plates",
    "anterior_wall_mm": "anterior wall",
    "lateral_wall_mm": "lateral wall",
    "neighbour_mm": "neighbour",
}

_ASSUMPTIONS: dict[str, tuple[str, str, str, str]] = {
    "restoration_fraction": (
        "height regained by inflation",
        "%",
        "D",
        "30–50 % of what is lost, partial correction under load; series differ widely",
    ),
    "bone_volume_fraction": ("bone in the trabecular space", "%", "M", "osteoporotic, 6–12 %"),
    "interdigitation_ml": ("cement around the balloon’s cavity", "ml", "M", "1–2 ml"),
    "bone_filler_ml": ("volume of one bone filler", "ml", "M", "confirm on the package"),
    "cement_ceiling_fraction": (
        "cement ceiling, share of the body",
        "%",
        "D",
        "normal stiffness was reached at 30 % in finite elements, JKNS 2012 doi 10.3340/jkns.2012.52.5.435 [V]",
    ),
}


def assumptions_of(plan: CasePlan, level: str) -> list[Assumption]:
    """Everything editable or remembered behind one level's plan, remembered numbers first."""
    found = _from_options(plan) + _from_devices(plan, level)
    return sorted(found, key=lambda assumption: assumption.tag != "M")


def margin_words(plan: CasePlan, level: str) -> str:
    """“pedicle wall 1, canal 1, … mm”, as the options have them, and what a small body has left of one; empty where they
    hold none."""
    asked = _numbers(plan.options.get("margins"))
    kept = [needle.margins_mm for needle in plan.level(level).trajectories if needle.margins_mm is not None]
    words = []
    for name, value in asked.items():
        left = min((getattr(margins, name.removesuffix("_mm"), None) or value for margins in kept), default=value)
        less = f" (here {left:.1f}, as the body is small)" if left < value - 0.05 else ""
        words.append(f"{_MARGINS.get(name, name)} {value:g}{less}")
    return ", ".join(words) + " mm" * bool(words)


def _from_options(plan: CasePlan) -> list[Assumption]:
    found = []
    for name, value in _numbers(plan.options.get("assumptions")).items():
        label, unit, tag, basis = _ASSUMPTIONS.get(name, (name, "", "M", "not described by this version"))
        shown = f"{value * 100:g} %" if unit == "%" else f"{value:g} {unit}".strip()
        found.append(Assumption(label, shown, tag, basis))
    fill = plan.options.get("target_fill")
    if isinstance(fill, (int, float)):
        basis = "no clinical series shows an optimum"
        found.append(Assumption("target fill of the anterior two-thirds", f"{fill * 100:g} %", "D", basis))
    return found


def _from_devices(plan: CasePlan, level: str) -> list[Assumption]:
    trajectories = plan.level(level).trajectories
    found = []
    for name, diameter in sorted({(item.cannula, item.cannula_outer_diameter_mm) for item in trajectories}):
        found.append(Assumption(f"{name} outer diameter", f"{diameter:g} mm", "M", "Stubs gauge table"))
    balloons = {item.balloon.model: item.balloon for item in trajectories if item.balloon}
    for model, balloon in sorted(balloons.items()):
        limits = f"{round(balloon.max_volume_ml, 1):g} ml"
        if balloon.max_pressure_psi is not None:
            limits += f", {balloon.max_pressure_psi:g} psi"
        tag = "V" if balloon.verified else "M"
        found.append(Assumption(f"{model}: largest volume and pressure", limits, tag, balloon.source))
    return found


def _numbers(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, (int, float)) and not isinstance(item, bool)}
