"""``vap``: planning from the command line. See ``vap --help``; exit statuses are those of :data:`EPILOG`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from . import __version__, cli_steps
from .cli_output import SPELLED_OUT, Progress, say
from .cli_start import CANCELLED, LEFT, handled_by, left_by_interrupt, open_closed_streams
from .cli_summary import summary
from .model import InputError, PlanningCancelled
from .model.options import APPROACHES, CANNULA_CHOICES, ETIOLOGIES, PROCEDURES

FAILED, BAD_INPUT = 1, 2

EPILOG = """\
exit status:
  0  done; every level asked for has a safe trajectory on each side that its approach needs
  2  the input cannot be used: one line says what is wrong and what to do, nothing is written
  3  planned, but at least one asked-for level or side has no safe trajectory (reasons in the plan)
  1  an error of the program itself (--debug shows where)
130  stopped (Ctrl-C, SIGTERM or a closed terminal); nothing is written
"""

LONG_COMMANDS = ("plan", "measure", "check")

CT_OPTIONS = {"--ct", "--input", "--image", "--volume", "--dicom", "-i"}
LABEL_OPTIONS = {"--seg", "--mask", "--label", "--labelmap", "-s", "-l"}
"""What other programs call them."""

PLAN_EXAMPLES = """\
examples:
  vap plan ct.nii.gz --segmentation labels.nii.gz -o plan/
  vap plan DICOM/ --segmentation spine.seg.nrrd --levels L1,T12 --cannula 11G -o plan/
  vap plan DICOM/#4 --segmentation labels.nii.gz --labels totalsegmentator -o plan/
  vap plan --segmentation labels.nii.gz --levels all --procedure vertebroplasty -o plan/

The CT may be NIfTI, NRRD, MHA, a DICOM folder, one file of a DICOM series, or FOLDER#NUMBER for one series of
several. Without it, density, cleft, skin points and fluoroscopy are left out. Not a medical device.

"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, like every other error of the program."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        say(file or sys.stderr, message)  # “vap --help | head -1” is no error


class Outcome(NamedTuple):
    """What a run came to: its exit status, what is to be printed, and whether files hold it as well."""

    status: int
    text: str
    written: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``vap`` with the arguments (default: the process's) and return its exit status."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SPELLED_OUT)  # a console that cannot show “…” still shows the sentence
    try:
        arguments = parse(argv)
    except SystemExit as stop:  # --help, --version, and arguments that cannot be parsed
        return int(stop.code or 0)
    progress = Progress(sys.stderr, arguments.quiet)
    stopped: list[int] = []
    try:
        cli_steps.refuse_paths(arguments)
        if arguments.command in LONG_COMMANDS:
            with left_by_interrupt():
                cli_steps.load_libraries()
        with warnings.catch_warnings(), _stopped_by_signal(stopped):
            if not arguments.debug:
                warnings.simplefilter("ignore")  # of libraries; what the user must know is in the plan
            outcome = _run(arguments, progress)
    except InputError as error:
        return _stop(progress, f"vap: {error}", BAD_INPUT)
    except (KeyboardInterrupt, PlanningCancelled):
        return _stop(progress, LEFT, CANCELLED)
    except Exception as error:  # noqa: BLE001 - the program's last line of defence; --debug shows all
        if stopped:  # in the midst of loading a library, Ctrl-C comes out as another error
            return _stop(progress, LEFT, CANCELLED)
        status = _stop(progress, f"vap: internal error ({_one_line(error)}); nothing was written.", FAILED)
        if arguments.debug:
            say(sys.stderr, traceback.format_exc())
        return status
    return _tell(outcome)


def _tell(outcome: Outcome) -> int:
    """Print what a run came to; returns its exit status.

    Files that are in place stay a success whether that can be told or not; a run whose only product is its text has
    failed where nobody receives it. A reader that has seen enough (``| head -1``) is neither.
    """
    try:
        error = say(sys.stdout, f"{outcome.text}\n" if outcome.text else "")
    except KeyboardInterrupt:  # the work is done
        return outcome.status
    if error is None or isinstance(error, BrokenPipeError):
        return outcome.status
    known = "the files are written" if outcome.written else "give it another place to go"
    say(sys.stderr, f"vap: the result cannot be printed ({error.strerror or error}); {known}.\n")
    return outcome.status if outcome.written else FAILED


@contextlib.contextmanager
def _stopped_by_signal(stopped: list[int]) -> Iterator[None]:
    """SIGTERM and a closed terminal end like Ctrl-C: what was begun is removed first.

    Args:
        stopped: takes the number of every signal that came.
    """

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        stopped.append(number)
        raise KeyboardInterrupt

    with handled_by(stop):
        yield


def _run(arguments: argparse.Namespace, progress: Progress) -> Outcome:
    if arguments.command in LONG_COMMANDS:
        run = {"plan": cli_steps.run_plan, "measure": cli_steps.run_measure, "check": cli_steps.run_check}
        plan, names, status = run[arguments.command](arguments, progress)
        lines = [summary(plan)]
        if arguments.command == "plan" and not any(level.approach for level in plan.levels):
            lines.append("\nNo fractured level was found to plan; name levels with --levels.")
        unused = cli_steps.unused_balloon(arguments)
        lines += [] if unused is None else [f"\n{unused}"]
        if names:
            lines.append(f"\nWritten to {arguments.output}: {', '.join(names)}")
            older = cli_steps.older_scene(arguments)
            lines += [] if older is None else [older]
        return Outcome(status, "" if arguments.quiet else "\n".join(lines), bool(names))
    if arguments.command == "sample":
        return _sample(arguments)
    if arguments.command == "report":
        return _written(arguments, f"Written: {cli_steps.run_report(arguments)}")
    if arguments.command == "export":
        return _written(arguments, "Written: " + ", ".join(str(path) for path in cli_steps.run_export(arguments)))
    text = cli_steps.run_compare(arguments)
    return _written(arguments, text) if arguments.output else Outcome(0, text, written=False)


def _sample(arguments: argparse.Namespace) -> Outcome:
    if arguments.name == "list":
        return Outcome(0, "\n".join(f"{name:<28} {title}" for name, title in cli_steps.sample_names()), written=False)
    if not arguments.output:
        raise InputError("Where should the sample go? Give a folder with -o.")
    return _written(arguments, f"Written to {arguments.output}: {', '.join(cli_steps.run_sample(arguments))}")


def _written(arguments: argparse.Namespace, text: str) -> Outcome:
    return Outcome(0, "" if arguments.quiet else text, written=True)


def _stop(progress: Progress, text: str, status: int) -> int:
    progress.close()
    say(sys.stderr, f"{_one_line(text)}\n")
    return status


def _one_line(text: object) -> str:
    words = " ".join(str(text).split())
    return words or type(text).__name__


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments of one run. Exits, as argparse does, on --help and on what cannot be parsed."""
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    # argparse gives an optional positional up once an option has passed: “check PLAN --segmentation LABELS CT”.
    if len(rest) == 1 and not rest[0].startswith("-") and getattr(arguments, "ct", "") is None:
        arguments.ct = rest[0]
    elif rest:
        command: argparse.ArgumentParser = arguments.parser
        command.error(f"unrecognized arguments: {' '.join(rest)}{_meant(command, rest)}")
    return arguments


def _meant(command: argparse.ArgumentParser, rest: Sequence[str]) -> str:
    """What is right instead of arguments that the command does not know."""
    option = next((word.split("=")[0] for word in rest if word.startswith("-")), None)
    if option is None:
        return "; give one CT, and the labels with --segmentation"
    if option.lower() in CT_OPTIONS:
        return f"; the CT stands without an option, {command.prog} CT --segmentation LABELS"
    known = [name for action in command._actions for name in action.option_strings if name.startswith("--")]
    if option.lower() in LABEL_OPTIONS and "--segmentation" in known:
        return "; the label map is given with --segmentation"
    near = difflib.get_close_matches(option, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def build_parser() -> argparse.ArgumentParser:
    """The parser of every sub-command."""
    parser = _Parser(
        prog="vap",
        description="Plan vertebroplasty and balloon kyphoplasty from a CT and vertebra labels.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"vap {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    _add_plan(commands)
    _add_measure(commands)
    _add_check(commands)
    _add_sample(commands)
    _add_report(commands)
    _add_export(commands)
    _add_compare(commands)
    return parser


def _command(commands: argparse._SubParsersAction, name: str, text: str, epilog: str = "") -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(parser=command)
    command.add_argument("--quiet", action="store_true", help="no progress and no summary; errors are still shown")
    command.add_argument("--debug", action="store_true", help="show where an internal error came from")
    return command


def _add_images(command: argparse.ArgumentParser, numbering: str = "auto (default)") -> None:
    command.add_argument(
        "ct", nargs="?", metavar="CT", help="CT file or DICOM folder; without it the labels alone are used"
    )
    command.add_argument(
        "--segmentation",
        required=True,
        metavar="LABELS",
        help="label map, Slicer .seg.nrrd, or a folder of masks such as TotalSegmentator's vertebrae_L1.nii.gz",
    )
    command.add_argument("--canal", metavar="MASK", help="mask of the spinal canal or cord, if at hand")
    _add_labels(command, numbering)


def _add_labels(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "--labels",
        metavar="NUMBERING",
        help=f"numbering of the labels: {default}, totalsegmentator, totalsegmentator-v1, verse or FILE.json such as {{“L1”: 20}}",
    )


def _add_catalog(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("--catalog", metavar="FILE.json", help=text)


def _add_plan(commands: argparse._SubParsersAction) -> None:
    command = _command(commands, "plan", "plan access, balloons and cement of the fractured levels", PLAN_EXAMPLES)
    _add_images(command)
    command.add_argument("--levels", metavar="LEVELS", help="L1,T12 or fractured (default) or all")
    command.add_argument("--procedure", choices=PROCEDURES, help="default: kyphoplasty")
    command.add_argument("--approach", choices=APPROACHES, help="default: auto")
    command.add_argument(
        "--cannula", choices=CANNULA_CHOICES, help="default: auto, the thickest that keeps all margins"
    )
    command.add_argument(
        "--target-fill", type=float, metavar="SHARE", help="cement in the anterior two-thirds (default 0.30)"
    )
    command.add_argument("--etiology", choices=ETIOLOGIES, help="default: osteoporotic")
    command.add_argument("--balloon", metavar="NAME", help="a balloon of the catalogue; default: the longest that fits")
    _add_catalog(command, "your own devices, added to the catalogue that ships")
    _add_output(command, "folder for plan.json, measurements.csv, report.html and scene.mrb")


def _add_measure(commands: argparse._SubParsersAction) -> None:
    command = _command(commands, "measure", "measure every complete level")
    _add_images(command)
    _add_output(command, "folder for plan.json, measurements.csv, report.html and scene.mrb")


def _add_check(commands: argparse._SubParsersAction) -> None:
    command = _command(commands, "check", "compute the clearances of an edited plan again")
    command.add_argument("plan", metavar="PLAN.json")
    _add_images(command, "the plan's (default), auto")
    _add_catalog(command, "the plan's own devices; default: the file of that name here or beside the plan")
    _add_output(
        command, "folder for plan.json, measurements.csv and report.html; a scene.mrb there stays", required=False
    )


def _add_sample(commands: argparse._SubParsersAction) -> None:
    command = _command(commands, "sample", "write a synthetic case and its truth.json")
    command.add_argument("name", metavar="NAME", help="name of the sample; “list” shows them")
    _add_output(command, "folder for the case", required=False)


def _add_report(commands: argparse._SubParsersAction) -> None:
    command = _command(commands, "report", "write the report of a plan; with its images it has pictures")
    _add_plan_and_images(command)
    command.add_argument("--patient-name", metavar="NAME", help="printed on every sheet; left out otherwise")
    _add_output(command, "HTML file, or a folder for report.html")


def _add_export(commands: argparse._SubParsersAction) -> None:
    command = _command(commands, "export", "write needles and shapes of a plan for other programs")
    _add_plan_and_images(command)
    command.add_argument(
        "--as",
        dest="kinds",
        default="markups,csv,stl,glb",
        metavar="KINDS",
        help="of markups,csv,stl,glb,dicom-sr,dicom-seg,dicom-pdf (default: %(default)s); DICOM needs the CT's folder",
    )
    _add_output(command, "folder for the exports")


def _add_plan_and_images(command: argparse.ArgumentParser) -> None:
    command.add_argument("plan", metavar="PLAN.json")
    command.add_argument("ct", nargs="?", metavar="CT", help="the CT the plan was made from")
    command.add_argument("--segmentation", metavar="LABELS", help="the labels the plan was made from")
    where = "the canal mask the plan was made with; default: the same file beside the plan or the labels, or here"
    command.add_argument("--canal", metavar="MASK", help=where)
    _add_labels(command, "the plan's (default), auto")


def _add_compare(commands: argparse._SubParsersAction) -> None:
    command = _command(commands, "compare", "compare two plans of one case")
    command.add_argument("first", metavar="A.json")
    command.add_argument("second", metavar="B.json")
    command.add_argument("--all", action="store_true", help="show what is the same, too")
    _add_output(command, "table as .csv or .html as well", required=False)


def _add_output(command: argparse.ArgumentParser, text: str, required: bool = True) -> None:
    command.add_argument("-o", "--output", required=required, metavar="OUT", help=text)


if __name__ == "__main__":
    sys.exit(main())
