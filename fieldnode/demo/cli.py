"""`scripts/demo`: build the camp, tell the story, then let a person walk around in it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from fieldnode.demo.camp import TENTS, Camp
from fieldnode.demo.shift import Shift, Walked
from fieldnode.demo.story import Result, Story
from protocols.errors import FieldmeshError
from protocols.live.commands import show
from protocols.live.talk import PASSPHRASE_ENV, say

INTERRUPTED = 128 + signal.SIGINT
"""Exit status when it was ended from outside, whichever signal it was."""

_HELP = """
HQ's page is {page}. Open it in a browser with this link, which works once:
{login}
A tent that was locked with F9 opens with {passphrase}

  Enter     open the first tent's terminal again; F10 then 0 comes back here
  a, b, c   open that tent's terminal
  x         pull every cable          p   put them back
  s         what is saved where       q   end everything
  ?         this again, with a new link to HQ's page
"""


@click.command()
@click.option("--headless", is_flag=True, help="No terminal: write, cut, heal, compare, end.")
@click.option("--seconds", default=12.0, show_default=True, help="How long to write in all.")
@click.option("--seed", default=1, show_default=True, help="Which patients come.")
@click.option(
    "--walk",
    type=click.Choice(["shift"]),
    help="Walk through one shift with stock and care by itself; every balance has to reconcile.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def main(headless: bool, seconds: float, seed: int, walk: str | None, as_json: bool) -> None:
    """One HQ and three tents on this machine, with a cut and a heal.

    Nothing of it stays on the disk.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="fieldmesh-demo-") as place:
            if walk:
                sys.exit(asyncio.run(_shift(Path(place), as_json)))
            sys.exit(asyncio.run(_run(Path(place), seconds, seed, as_json, headless)))
    except FieldmeshError as error:
        say(f"The demo did not get going: {error}")
        sys.exit(1)
    except (asyncio.CancelledError, KeyboardInterrupt):
        say("\nEnded; nothing is left running.")
        sys.exit(INTERRUPTED)


async def _run(root: Path, seconds: float, seed: int, as_json: bool, headless: bool) -> int:
    _end_on_signals()
    camp = Camp(root, progress=lambda text: say(f"  {text} ..."))
    try:
        say("One HQ and three tents, each a process of its own:")
        await camp.build()
        result = await Story(camp, seed).tell(seconds, say)
        if as_json:
            show(asdict(result))
        else:
            print_result(result)
        if not headless:
            await _walk(camp)
        return exit_status(result)
    finally:
        await camp.stop()


async def _shift(root: Path, as_json: bool) -> int:
    """Walk one shift; return 0 only if every balance reconciles on every node."""
    _end_on_signals()
    camp = Camp(root, progress=lambda text: say(f"  {text} ..."))
    try:
        say("One shift in two tents that share a store:")
        await camp.build()
        walked = await Shift(camp, say).walk()
        if as_json:
            show(asdict(walked) | {"ok": walked.good})
        else:
            _print_walked(walked)
        return 0 if walked.good else 1
    finally:
        await camp.stop()


def _print_walked(walked: Walked) -> None:
    for what, said in walked.balances.items():
        expected, *found = said.values()
        differ = "" if set(found) == {expected} else "  DIFFERS: " + str(said)
        click.echo(f"  {what:40} {expected:6}{differ}")
    whole = "Every balance reconciles" if walked.reconciled else "THE BALANCES DO NOT RECONCILE"
    click.echo(f"{whole}; the ward list has {walked.ward_list_lines} lines.")


def exit_status(result: Result) -> int:
    """Return 0 only if all four ledgers agree and nothing is lost, doubled or refused."""
    return 0 if result.good else 1


def _end_on_signals() -> None:
    """Make every usual way of ending a program end this one in order."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def print_result(result: Result) -> None:
    """Say what came of it, in lines that fit a terminal of 80 columns."""
    agree = "All four ledgers agree" if result.converged else "THE LEDGERS DO NOT AGREE"
    click.echo(f"{agree}, {result.converge_s} s after the cables were back.")
    click.echo(
        f"{result.written} records written, {result.at_hq} at HQ, {result.lost} lost, "
        f"{result.duplicated} duplicated, {result.refused} refused."
    )
    click.echo(f"{result.bytes_per_record} bytes a record on all six wires together.")


async def _walk(camp: Camp) -> None:
    """Let a person open tents, pull cables and look at HQ, as long as they like."""
    if not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        say("There is no terminal to go on in, so the camp is taken down.")
        return
    login = camp.members["hq"].said["login"]
    _help(camp, login)
    click.echo("The first tent's terminal opens now. F10 then 0 comes back to these lines.")
    await _open(camp, TENTS[0])
    while True:
        click.echo("demo> ", nl=False)
        match (await _line()).strip().lower():
            case "" | "a" | "b" | "c" as letter:
                await _open(camp, f"tent-{letter}" if letter else TENTS[0])
            case "x":
                camp.cut()
                click.echo("Every cable is pulled: each tent is alone.")
            case "p":
                camp.heal()
                click.echo("The cables are back; links return within seconds.")
            case "s":
                await _tell_where(camp)
            case "q" | "\x04":
                return
            case _:
                # The one before may be used up.
                _help(camp, await camp.ask("hq", "login_link"))


def _help(camp: Camp, login: str) -> None:
    page = camp.members["hq"].said["page"]
    click.echo(_HELP.format(page=page, login=login, passphrase=camp.passphrase))


async def _tell_where(camp: Camp) -> None:
    for name, state in (await camp.states()).items():
        linked = sum(peer["linked"] for peer in state["peers"])
        if name == "hq":
            click.echo(f"  {name:7} {linked} links")
            continue
        until = state["at_hq_until"]
        at = datetime.fromisoformat(until).astimezone().strftime("%H:%M:%S") if until else "never"
        click.echo(
            f"  {name:7} {linked} links, {state['own_entries']} entries of its own, "
            f"{state['unsent']} only here, at HQ until {at}"
        )


async def _line() -> str:
    """Return a line of the terminal; Ctrl-D as that character. A thread could not be given up."""
    loop = asyncio.get_running_loop()
    come: asyncio.Future[bytes] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if not come.done():
            come.set_result(os.read(descriptor, 1024))

    loop.add_reader(descriptor, read)
    try:
        return (await come).decode(errors="replace") or "\x04"
    finally:
        loop.remove_reader(descriptor)


async def _open(camp: Camp, name: str) -> None:
    assert name in TENTS
    opened = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fieldnode",
        "open",
        "--data",
        str(camp.root / name),
        env={**os.environ, PASSPHRASE_ENV: camp.passphrase},
    )
    await opened.wait()


def _is_terminal(stream: object) -> bool:
    """Whether there is a person at it; a closed one is None."""
    asks = getattr(stream, "isatty", None)
    return bool(asks and asks())
