"""Tissue values of a phantom's CT."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Soft:
    """Tissue around the bone; mm and HU. [D/M: clinical-reference §1.6 (i)]"""

    muscle_hu: float = 52.0
    fat_hu: float = -100.0
    skin_hu: float = 20.0
    air_hu: float = -1015.0
    disc_hu: float = 88.0
    vessel_hu: float = 45.0
    canal_hu: float = 22.0
    cord_hu: float = 40.0
    cortex_hu: float = 1100.0
    body_cortex_mm: float = 0.5
    arch_cortex_mm: float = 1.4
    arch_core_hu: float = 330.0
    gas_hu: float = -650.0
    skin_behind_spinous_mm: float = 24.0
    fat_mm: float = 14.0
    skin_mm: float = 2.0
    noise_hu: float = 7.0
    blur_mm: float = 0.5
    texture_hu: float = 14.0
