"""The command line of the local cloud."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from lambdas.execution import BadInput
from lambdas.steps.replay_request import Selection
from lambdas.vocabulary import EXPORT_TYPES, Period, UnknownName, export_type, period
from local import athena, display, doctor, executions, lifecycle, report, stacks, tables, up_arguments
from local.checks import Check
from local.demo import demo
from local.first_contact import arguments as contact_arguments
from local.first_contact import display as contact_display
from local.preflight import arguments as preflight_arguments
from local.problem import Misused, Problem
from local.profiling import arguments
from local.profiling.display import show
from local.profiling.profiling import profile
from local.reconcile import arguments as reconcile_arguments
from local.smoke import arguments as smoke_arguments

HOME_VARIABLE = "SYMPLIFY_LAKE_LOCAL"


class _Context:
    """How a command answers: people on `console`, machines by `answer`."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.home = Path(given.dir)
        self.is_json: bool = given.json
        # With --json, standard output is the one document.
        self.console = Console(stderr=self.is_json)

    def answer(self, document: Any, show: Callable[[], None]) -> None:
        if self.is_json:
            print(json.dumps(document, indent=1, ensure_ascii=False))
        else:
            show()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command: exit status 0 when it succeeded, 1 when something failed, 2 for a wrong command line."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        given = _parser().parse_args(words)
        ok: bool = given.command(_Context(given))
    except KeyboardInterrupt:
        return _failed("Stopped.", words, 130)
    except Misused as problem:
        return _failed(str(problem), words, 2)
    except Problem as problem:
        return _failed(str(problem), words, 1)
    except OSError as error:
        return _failed(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.", words, 1)
    except (BotoCoreError, ClientError) as error:
        return _failed(f"The local cloud answered with an error: {error}", words, 1)
    return 0 if ok else 1


def _failed(sentence: str, words: Sequence[str], status: int) -> int:
    print(sentence, file=sys.stderr)
    if "--json" in words:
        print(json.dumps({"error": sentence}))
    return status


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are sentences like all others."""

    def error(self, message: str) -> NoReturn:
        raise Misused(f"{self.prog}: {message}. See {self.prog} --help.")


def _up(context: _Context) -> bool:
    running = lifecycle.up(context.home, up_arguments.up_options(context.given), context.console.print)
    described = running.described()
    context.answer(described, lambda: display.facts(context.console, described))
    return True


def _nightly(context: _Context) -> bool:
    running = lifecycle.current(context.home)
    return _run_all(context, running, executions.rule_inputs(running))


def _run(context: _Context) -> bool:
    try:
        exports = list(dict.fromkeys(export_type(name).name for name in context.given.export))
        chosen = {"period": period(context.given.period).value} if context.given.period is not None else {}
    except UnknownName as error:
        raise Problem(str(error)) from None
    running = lifecycle.current(context.home)
    return _run_all(context, running, [{"exportType": name, **chosen} for name in exports])


def _replay(context: _Context) -> bool:
    given = context.given
    options = {"from": given.first, "to": given.last, "except": given.left_out}
    options |= {"rebuild": given.rebuild, "reprofile": given.reprofile}
    request = {name: value for name, value in options.items() if value}
    try:
        export = export_type(given.export).name
        Selection.from_json(request)
    except (UnknownName, BadInput) as error:
        raise Problem(str(error)) from None
    return _run_all(context, lifecycle.current(context.home), [{"exportType": export, "replay": request}])


def _run_all(context: _Context, running: lifecycle.Running, inputs: list[dict[str, Any]]) -> bool:
    try:
        with display.progress(context.console) as show:
            ended = executions.play(running, inputs, show)
    except KeyboardInterrupt:
        print("What has started continues, unless you stop the local cloud: python -m local down", file=sys.stderr)
        raise
    context.answer([run.described() for run in ended], lambda: display.results(context.console, ended))
    return all(run.succeeded for run in ended)


def _query(context: _Context) -> bool:
    rows = athena.query(lifecycle.current(context.home), context.given.sql)
    context.answer(rows, lambda: display.answer(context.console, rows))
    return True


def _tables(context: _Context) -> bool:
    names: list[str] = context.given.table
    deployed = _deployed(context)
    found = tables.listed(deployed.client, deployed.query, deployed.stack.outputs["Database"], names)
    context.answer(
        [one.described() for one in found], lambda: tables.show(context.console, found, with_columns=bool(names))
    )
    return True


def _status(context: _Context) -> bool:
    described = lifecycle.current(context.home).described()
    context.answer(described, lambda: display.facts(context.console, described))
    return True


def _down(context: _Context) -> bool:
    stopped = lifecycle.down(context.home)
    words = "The local cloud is stopped." if stopped else "No local cloud was running."
    context.answer({"stopped": stopped}, lambda: context.console.print(words))
    return True


def _demo(context: _Context) -> bool:
    return demo(context.home, up_arguments.up_options(context.given), context.console)


def _deployed(context: _Context) -> stacks.Deployed:
    stack: str | None = context.given.stack
    if stack == "":
        raise Misused("--stack is empty: it takes the name of a stack in your account.")
    return stacks.in_account(stack) if stack else stacks.in_local_cloud(lifecycle.current(context.home))


def _doctor(context: _Context) -> bool:
    return _examine(context, _deployed(context))


def _smoke(context: _Context) -> bool:
    found = smoke_arguments.run(context.given, _deployed(context), lambda words: _say(context.console, words))
    context.answer(found.described(), lambda: _say(context.console, f"\n{found.page()}"))
    return found.is_well


def _report(context: _Context) -> bool:
    deployed = _deployed(context)
    stack = deployed.stack
    path = report.fetch(stack.name, stack.outputs["Bucket"], deployed.client, context.home / report.FOLDER)
    context.answer({"report": str(path)}, lambda: _say(context.console, str(path)))
    if context.given.open:
        report.open_in_browser(path)
    return True


def _reconcile(context: _Context) -> bool:
    # A wrong command line is said before anything is asked.
    reconcile_arguments.vendor_numbers(context.given)
    found = reconcile_arguments.reconcile(context.given, _deployed(context).query)

    def show() -> None:
        _say(context.console, found.title)
        display.checks(context.console, found.checks)

    context.answer(found.described(), show)
    return found.is_well


def _preflight(context: _Context) -> bool:
    return _show(context, preflight_arguments.run(context.given))


def _examine(context: _Context, deployed: stacks.Deployed) -> bool:
    return _show(context, list(doctor.examine(deployed.stack, deployed.client, deployed.query)))


def _show(context: _Context, found: list[Check]) -> bool:
    context.answer([check.described() for check in found], lambda: display.checks(context.console, found))
    return all(check.is_well for check in found)


def _profile(context: _Context) -> bool:
    given = context.given
    found = profile(given.file, arguments.profile_options(given))
    context.answer(found, lambda: show(context.console, found))
    return all(one["loadable"] for one in found)


def _first_contact(context: _Context) -> bool:
    try:
        found = contact_arguments.run(context.given, lambda words: _say(context.console, words))
    except KeyboardInterrupt:
        print("What is saved and ordered is kept: start the same command again to go on.", file=sys.stderr)
        raise
    context.answer(found, lambda: contact_display.show(context.console, found))
    is_saved = all(one["error"] is None for one in found["exports"])
    return is_saved and all(one["loadable"] for one in found["profiles"])


def _say(console: Console, words: str) -> None:
    console.print(words, markup=False, emoji=False, highlight=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m local", description="The Symplify lake on an embedded cloud: no AWS account, no Docker."
    )
    parser.set_defaults(json=False)
    places = _Parser(add_help=False)
    places.add_argument(
        "--dir",
        default=os.environ.get(HOME_VARIABLE, str(lifecycle.HOME)),
        help=f"where the local cloud keeps its files (default: {HOME_VARIABLE}, or .local)",
    )
    common = _Parser(add_help=False, parents=[places])
    common.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    up_options = _Parser(add_help=False)
    up_arguments.add_up(up_options)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[_Context], bool], words: str, *parents: _Parser) -> Any:
        made = commands.add_parser(name, help=words, description=words, parents=list(parents or [common]))
        made.set_defaults(command=command)
        return made

    add("up", _up, "boot the cloud, deploy the stack, and leave it running", common, up_options)
    add("nightly", _nightly, "start what the nightly rules start, and wait")
    run = add("run", _run, "run exports now, and wait")
    run.add_argument("export", nargs="+", metavar="EXPORT", help=", ".join(EXPORT_TYPES))
    run.add_argument("--period", help=", ".join(Period))
    replay = add("replay", _replay, "merge what has landed again, without Symplify, and wait")
    replay.add_argument("export", metavar="EXPORT", help=", ".join(EXPORT_TYPES))
    replay.add_argument("--from", dest="first", metavar="DATE", help="the first day of order, such as 2026-01-31")
    replay.add_argument("--to", dest="last", metavar="DATE", help="the last day of order")
    replay.add_argument("--rebuild", action="store_true", help="rebuild the table from all that has landed")
    replay.add_argument("--reprofile", action="store_true", help="decide again what its fields are, with --rebuild")
    replay.add_argument(
        "--except", dest="left_out", nargs="+", action="extend", metavar="BATCH", help="batches to rebuild without"
    )
    query = add("query", _query, "query Athena")
    query.add_argument("sql", metavar="SQL")
    add("status", _status, "show what runs, and its addresses")
    stack = _Parser(add_help=False)
    stack.add_argument("--stack", metavar="NAME", help="a stack in your AWS account, instead of the local cloud's")
    add("doctor", _doctor, "check the stack: what is well, and what to do about the rest", common, stack)
    listing = add("tables", _tables, "list tables and views: columns, days, rows, freshness", common, stack)
    listing.add_argument("table", nargs="*", metavar="TABLE", help="show the columns of these, with their comments")
    morning = add("report", _report, "write the morning report anew, and save it here as a page", common, stack)
    morning.add_argument("--open", action="store_true", help="show it in the browser")
    reconcile_arguments.add_reconcile(
        add("reconcile", _reconcile, "compare a campaign's numbers with those of the vendor's screen", common, stack)
    )
    preflight_arguments.add_preflight(
        add("preflight", _preflight, "check the AWS account of your credentials before a deployment")
    )
    smoke_arguments.add_smoke(add("smoke", _smoke, "walk what only AWS can prove, and keep a report", common, stack))
    arguments.add_profile(add("profile", _profile, "show what a result file would become: no cloud, no vendor"))
    contact_arguments.add_first_contact(
        add(
            "first-contact",
            _first_contact,
            "order each export once from your account, save the results and profile them",
        )
    )
    add("down", _down, "stop the local cloud")
    add("demo", _demo, "show a whole night on a cloud of its own, and stop", places, up_options)
    return parser
