# ruff: noqa: E402 - the folders are put on the path first
"""Prints, for every pedicle of label maps: isthmus, best possible clearance, what the planner delivers, and the time.

python Testing/benchmarks/access_table.py LABELS [LABELS …] [--numbering verse]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2] / "VertebralAugmentationPlanner"), str(HERE.parents[1] / "unit" / "access")]

from brute_force import best_possible, clearance_of

from VertebralAugmentationPlannerLib.access import PathEvaluator, access_space
from VertebralAugmentationPlannerLib.access.side import plan_side
from VertebralAugmentationPlannerLib.anatomy import build_spine
from VertebralAugmentationPlannerLib.case import load_case
from VertebralAugmentationPlannerLib.model import PlanOptions, Vertebra

HEAD = "level side   isthmus  bound   axis  ratio  safety  cannula grade  canal   wall  plate  front   seconds"


def row(bone: Vertebra, side: str, evaluator: PathEvaluator, options: PlanOptions) -> str:
    """One line of the table."""
    started = time.process_time()
    plan = plan_side(evaluator, options, unilateral=False)
    seconds = time.process_time() - started
    bound = best_possible(bone, side)
    start = f"{bone.level:5} {side:5} {bone.pedicles[side].isthmus_width_mm:8.1f} {bound:6.2f}"
    if plan.path is None or plan.verdict is None or plan.cannula is None:
        return f"{start}  refused: {plan.refusal} ({seconds:.2f} s)"
    check = plan.path.check
    crossing = evaluator.isthmus.crossing(check.target, check.direction)
    reached = float(clearance_of(bone, side, crossing[None], check.target[None])[0])
    kept = check.clearance
    walls = " ".join(
        "     –" if mm is None else f"{mm:6.2f}"
        for mm in (kept.canal, kept.pedicle_wall, kept.endplate, kept.anterior_wall)
    )
    return (
        f"{start} {check.axis_clearance_mm:6.2f} {reached / bound:6.2f}  {plan.verdict.safety:7} {plan.cannula.name:7} "
        f"{check.grade:5} {walls}  {seconds:8.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="+", type=Path)
    parser.add_argument("--numbering", default="auto")
    parser.add_argument("--procedure", default="kyphoplasty")
    arguments = parser.parse_args()
    options = PlanOptions(labels=arguments.numbering, procedure=arguments.procedure, approach="bilateral")
    for path in arguments.labels:
        print(path, HEAD, sep="\n")
        for bone in build_spine(load_case(None, path, options)).vertebrae.values():
            if not bone.complete or bone.canal_mm is None:
                print(f"{bone.level:5} {bone.incomplete_reason or bone.canal_reason}")
                continue
            space = access_space(bone)
            for side in bone.pedicles:
                print(row(bone, side, PathEvaluator(bone, side, space), options), flush=True)


if __name__ == "__main__":
    main()
