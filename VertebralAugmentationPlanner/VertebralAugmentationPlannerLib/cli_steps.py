"""What the sub-commands do with the other rooms: the only place where the command line is wired to them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from .case import load_again, load_case, requested_levels
from .cli_output import PRODUCTS, OutputFolder, refuse_dead_ends, refuse_odd_paths
from .model import LEVELS, Case, CasePlan, InputError, LevelPlan, PlanOptions, Spine

ProgressCall = Callable[[float, str], None]

PLANNED, UNSAFE = 0, 3
"""Exit statuses of the contract: planned; planned, but a side or level that was asked for has no safe trajectory."""

SCENE = "scene.mrb"
CHECKED = tuple(name for name in PRODUCTS if name != SCENE)
"""What a check writes anew."""

READ_SHARE, ANATOMY_SHARE, PLAN_SHARE = 0.2, 0.55, 0.85
"""Where reading, anatomy and planning end on the progress bar; rough shares of the time of a five-level case."""


def options_of(arguments: argparse.Namespace) -> PlanOptions:
    """The choices of one run. Raises InputError where one is unknown."""
    given = {
        name: getattr(arguments, name)
        for name in (
            "levels",
            "procedure",
            "approach",
            "cannula",
            "target_fill",
            "etiology",
            "labels",
            "balloon",
            "catalog",
        )
        if getattr(arguments, name, None) is not None
    }
    options = PlanOptions(**given)
    requested_levels(options, LEVELS)  # a mistyped level is found out before the long work
    return options


PATHS = {
    "ct": "CT",
    "segmentation": "--segmentation",
    "canal": "--canal",
    "labels": "--labels",
    "catalog": "--catalog",
    "plan": "PLAN.json",
    "first": "A.json",
    "second": "B.json",
    "output": "-o",
}
"""Arguments that are paths, and what the user calls them."""


def refuse_paths(arguments: argparse.Namespace) -> None:
    """Refuse, before anything is read, what cannot be a path, and an output that leads nowhere.

    Raises:
        InputError: a path is empty or no file can have it.
    """
    refuse_odd_paths({name: getattr(arguments, key, None) for key, name in PATHS.items()})
    if arguments.output:
        refuse_dead_ends(Path(arguments.output))


def load_libraries() -> None:
    """Load now what planning loads later: a library that is interrupted while it is loaded may take the process down."""
    from . import anatomy, imaging, planner, report  # noqa: F401

    if _has_slicer_core():
        from .scene import bundle  # noqa: F401


def run_plan(arguments: argparse.Namespace, progress: ProgressCall) -> tuple[CasePlan, list[str], int]:
    """Plan a case and write its folder."""
    options = options_of(arguments)
    with OutputFolder(arguments.output) as folder:
        case, spine = _case_and_spine(arguments, options, progress)
        from .planner import plan_loaded_case

        plan = plan_loaded_case(
            case, options, spine=spine, progress=_part(progress, ANATOMY_SHARE, PLAN_SHARE), should_cancel=None
        )
        _write(plan, case, spine, folder.workshop, progress)
        names = folder.commit()
    return plan, names, status_of(plan, options)


def run_measure(arguments: argparse.Namespace, progress: ProgressCall) -> tuple[CasePlan, list[str], int]:
    """Measure every complete level and write the folder."""
    options = options_of(arguments)
    with OutputFolder(arguments.output) as folder:
        case, spine = _case_and_spine(arguments, options, progress)
        from .planner import measured_plan

        plan = measured_plan(case, spine, options)
        _write(plan, case, spine, folder.workshop, progress)
        names = folder.commit()
    return plan, names, PLANNED


def run_check(arguments: argparse.Namespace, progress: ProgressCall) -> tuple[CasePlan, list[str], int]:
    """Compute the clearances of an edited plan again; written only where a folder is given."""
    old = CasePlan.load(arguments.plan)
    _refuse_no_levels(old)
    if not arguments.output:
        plan, _, _ = _checked(old, arguments, progress)
        return plan, [], status_of(plan, None)
    with OutputFolder(arguments.output, CHECKED) as folder:
        plan, case, spine = _checked(old, arguments, progress)
        _write(plan, case, spine, folder.workshop, progress, with_scene=False)
        names = folder.commit()
    return plan, names, status_of(plan, None)


def _checked(plan: CasePlan, arguments: argparse.Namespace, progress: ProgressCall) -> tuple[CasePlan, Case, Spine]:
    from .check import check_on_case, options_now

    options = options_now(plan, arguments.labels, arguments.catalog, Path(arguments.plan).resolve().parent)
    case, spine = _case_and_spine(arguments, options, progress, plan)
    progress(ANATOMY_SHARE, "Judging the needles")
    return check_on_case(plan, case, None, None, spine, options), case, spine


def older_scene(arguments: argparse.Namespace) -> str | None:
    """What to say of the scene of an earlier run beside a plan that was checked; None where there is none.

    A scene may hold work of its own, so a check leaves it.
    """
    if arguments.command != "check" or not arguments.output or not (Path(arguments.output) / SCENE).exists():
        return None
    return f"{SCENE} in {arguments.output} was left as it was: it is older than the plan and shows the needles of then."


def unused_balloon(arguments: argparse.Namespace) -> str | None:
    """What to say of a balloon that was named for a procedure without one; None where it is used."""
    name = getattr(arguments, "balloon", None)
    if name in (None, "auto") or getattr(arguments, "procedure", None) != "vertebroplasty":
        return None
    return f"--balloon “{name}” was not used: a vertebroplasty has no balloon."


def _refuse_no_levels(plan: CasePlan) -> None:
    """A plan without levels would check out whatever was cut from it; one that names a level twice has two answers."""
    if not plan.levels:
        raise InputError("The plan holds no level, so there is nothing to check; give the plan as it was written.")
    names = [level.level for level in plan.levels]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"The plan holds {twice[0]} more than once; keep one entry for each level.")


def run_sample(arguments: argparse.Namespace) -> list[str]:
    """Write a synthetic case; returns its files."""
    from .sample import write_sample

    with OutputFolder(arguments.output, products=()) as folder:
        write_sample(arguments.name, folder.workshop)
        return folder.commit()


def sample_names() -> list[tuple[str, str]]:
    """Name and title of every sample case."""
    from .sample import SAMPLES

    return [(name, sample.title) for name, sample in SAMPLES.items()]


def run_report(arguments: argparse.Namespace) -> Path:
    """Write the report of a plan; with the images it has pictures."""
    from .report import report_command, report_path

    target = report_path(arguments.output)
    images = (arguments.ct, arguments.segmentation, arguments.patient_name, arguments.labels, arguments.canal)
    with OutputFolder(target.parent, products=(target.name,)) as folder:
        report_command(arguments.plan, folder.workshop / target.name, *images)
        folder.commit()
    return target


def run_export(arguments: argparse.Namespace) -> list[Path]:
    """Write the exports of a plan into a folder."""
    from .report import export_command
    from .report.mesh_files import own_stl

    kinds = tuple(kind.strip() for kind in arguments.kinds.split(",") if kind.strip())
    if not kinds:
        raise InputError("No export was named; give --as markups,csv,stl,glb or some of them.")
    # Needles and balloons of an earlier plan must not lie among those of this one.
    earlier = [f"stl/{name}" for name in own_stl(Path(arguments.output) / "stl")] if "stl" in kinds else []
    with OutputFolder(arguments.output, products=earlier) as folder:
        images = (arguments.ct, arguments.segmentation, arguments.labels, arguments.canal)
        export_command(arguments.plan, folder.workshop, kinds, *images)
        return [folder.path / name for name in folder.commit()]


def run_compare(arguments: argparse.Namespace) -> str:
    """Two plans of one case side by side, as text."""
    from .report import compare_command

    return compare_command(arguments.first, arguments.second, arguments.output, arguments.all)


def status_of(plan: CasePlan, options: PlanOptions | None) -> int:
    """0, or 3 where a level or side that was asked for has no safe trajectory.

    Args:
        options: of the run; None for a plan that is checked, where every level with a trajectory counts. For "all"
            and "fractured" the levels asked for are those that were planned: a vertebra cut by the image's border is
            reported, and no request.
    """
    named: tuple[str, ...] = ()
    if options is not None and str(options.levels).strip().lower() not in ("all", "fractured"):
        named = requested_levels(options, ()) or ()
    present = {level.level: level for level in plan.levels}
    unplanned = any(name not in present or not present[name].trajectories for name in named)
    return UNSAFE if unplanned or any(_is_unsafe(level) for level in plan.levels) else PLANNED


def _is_unsafe(level: LevelPlan) -> bool:
    refused = level.approach == "none" or bool(level.skipped_sides)
    return (level.complete and refused) or any(needle.safety != "safe" for needle in level.trajectories)


def _case_and_spine(
    arguments: argparse.Namespace, options: PlanOptions, progress: ProgressCall, plan: CasePlan | None = None
) -> tuple[Case, Spine]:
    """The images and their anatomy; those of a saved plan by the numbering it was made with."""
    from .anatomy import build_spine

    progress(0.0, "Reading the images")
    if plan is None:
        case = load_case(arguments.ct, arguments.segmentation, options, arguments.canal)
    else:
        case = load_again(plan, arguments.ct, arguments.segmentation, arguments.canal, arguments.labels)
    spine = build_spine(case, None, _part(progress, READ_SHARE, ANATOMY_SHARE))
    if not spine.complete():
        levels = ", ".join(spine.vertebrae)
        first, vertebra = next(iter(spine.vertebrae.items()))
        raise InputError(
            f"No vertebra is whole: {levels} are cut by the image's border or damaged ({first}: "
            f"{vertebra.incomplete_reason}); give a CT and labels that hold the level with both its end plates and its arch."
        )
    return case, spine


def _part(progress: ProgressCall, start: float, end: float) -> ProgressCall:
    return lambda fraction, text: progress(start + (end - start) * fraction, text)


def _write(
    plan: CasePlan, case: Case, spine: Spine, folder: Path, progress: ProgressCall, with_scene: bool = True
) -> None:
    from .report import write_measurements_csv, write_report

    progress(PLAN_SHARE, "Writing the report")
    plan.save(folder / "plan.json")
    write_measurements_csv(plan, folder / "measurements.csv")
    write_report(plan, folder / "report.html", case, spine)
    if with_scene and _has_slicer_core():
        from .scene.bundle import write_scene

        progress(0.95, "Writing the scene")
        write_scene(plan, case, folder / "scene.mrb", spine)
    progress(1.0, "Done")


def _has_slicer_core() -> bool:
    """Whether real MRML is at hand; scene.mrb is left out otherwise, as the contract says."""
    from importlib.util import find_spec

    return find_spec("slicer") is not None
