"""The commands of `fieldnode` besides `open`, loaded when one of them is asked for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from fieldnode.often import COMMANDS as OFTEN
from fieldnode.often import STATUS_HELP, data_option
from fieldnode.printcommands import paper_command, print_group
from protocols.errors import LinkError, SetupError
from protocols.ledger.folder import change_passphrase, lock_for_good
from protocols.ledger.place import holds_book
from protocols.live import answers, commands, unserved
from protocols.live.address import Address
from protocols.live.app import App
from protocols.live.clock import now
from protocols.live.commands import door, show
from protocols.live.options import (
    json_option,
    new_passphrase_option,
    no_discovery_option,
    passphrase_option,
    peer_option,
    source_option,
    target_option,
)
from protocols.live.phrases import phrase, spoken_language
from protocols.live.stockcommands import stock_group
from protocols.live.talk import (
    new_passphrase,
    passphrase_if_needed,
    passphrase_of,
    say,
    told,
)

PORT = 7400

_app = App(
    data_option=data_option,
    hq=False,
    ask_name="node_name",
    init_help="Make a node that works alone from the first minute.",
    made="node_made",
    invite_help="Print a one-time code with which one device may join; the node must be running.",
    invite_hq_help="The new device's receipts count as at HQ.",
    status_help=STATUS_HELP,
)
COMMANDS: list[click.Command] = [
    *_app.shared(),
    *OFTEN,
    print_group,
    paper_command,
    stock_group(data_option),
]


def command(name: str | None = None) -> Callable[[Callable[..., Any]], click.Command]:
    """Return what makes a function one of the commands."""

    def made(run: Callable[..., Any]) -> click.Command:
        COMMANDS.append(click.command(name)(run))
        return COMMANDS[-1]

    return made


@command()
@data_option
@passphrase_option
@click.option("--listen", help=f"HOST:PORT; else 0.0.0.0:{PORT}, or another port if it is taken.")
@peer_option
@no_discovery_option
def serve(
    folder: Path,
    passphrase_file: Path | None,
    listen: str | None,
    peers: tuple[str, ...],
    no_discovery: bool,
) -> None:
    """Run the node until it is told to stop."""
    from fieldnode.serving import serve as run_serve  # the network costs half a second, here alone
    from protocols.live.service import Settings

    with told():
        settings = Settings(
            folder=folder,
            listen=Address.parse(listen or f"0.0.0.0:{PORT}"),
            any_port=listen is None,
            peers=tuple(Address.parse(peer) for peer in peers),
            discovery=not no_discovery,
        )
        passphrase = passphrase_if_needed(folder, passphrase_file)
        asyncio.run(run_serve(passphrase, settings))


@command("kinds")
@click.option("--json", "as_json", is_flag=True, help="JSON Schema and an example for each kind.")
@click.option("--errors", is_flag=True, help="Every code of an answer instead, with its sentence.")
def list_kinds(as_json: bool, errors: bool) -> None:
    """List what can be recorded."""
    if errors:
        if as_json:
            show(answers.codes())
            return
        for sort, each in answers.codes(spoken_language()).items():
            for code, words in each.items():
                click.echo(f"{sort}  {code}  {words}")
        return
    found = answers.kinds()
    if as_json:
        show(found)
    else:
        for name in found:
            click.echo(name)


@command()
@click.argument("patient")
@data_option
@passphrase_option
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="New folder.")
def export(patient: str, folder: Path, passphrase_file: Path | None, target: Path) -> None:
    """Write a patient's documents as standard automerge files; PATIENT is an id or a code."""
    with told(), door(folder, passphrase_file) as book:
        count = unserved.export(book, patient, target)
    say(phrase("done", "exported_files", n=count))


@command()
@data_option
@passphrase_option
@target_option
def backup(folder: Path, passphrase_file: Path | None, target: Path) -> None:
    """Write a verified, encrypted backup; the node may go on meanwhile."""
    with told(), door(folder, passphrase_file) as book:
        show(unserved.backup(book, target))


@command()
@data_option
@passphrase_option
@source_option
@click.option(
    "--orders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What was ordered since: a lost node's file `orders`, or any node's `release card`.",
)
def restore(
    folder: Path, passphrase_file: Path | None, source: Path, orders: tuple[Path, ...]
) -> None:
    """Verify a backup and make a new node folder of it; it goes on writing at once."""
    with told():
        unserved.restore(source, folder, passphrase_of(passphrase_file), orders)


@command()
@data_option
@click.option(
    "--panic",
    is_flag=True,
    help="Throw the key away first: no passphrase opens this folder again.",
)
def lock(folder: Path, panic: bool) -> None:
    """Stop the node: keys leave memory, sync stops. The passphrase opens it again."""
    with told():
        if panic:
            lock_for_good(folder)
        try:
            commands.stop_node(folder)
        except LinkError as error:
            if error.code != "no_node" or not panic:
                raise
    say(phrase("done", "locked_for_good" if panic else "locked_now"))


@command()
@data_option
@passphrase_option
@new_passphrase_option
def passphrase(folder: Path, passphrase_file: Path | None, new_file: Path | None) -> None:
    """Change the passphrase; a running node goes on. Older backups keep the one of their day."""
    with told():
        if not holds_book(folder):
            raise SetupError("no_book")
        old = passphrase_of(passphrase_file)
        new = new_passphrase(new_file)
        change_passphrase(folder, old, new, now().entropy)
        unserved.passphrase_changed(folder, new)
    say(phrase("done", "passphrase_changed"))


@command()
@data_option
@passphrase_option
@json_option
def doctor(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Check every entry and signature, of a stopped node every row too; say what is wrong."""
    with told(), door(folder, passphrase_file) as book:
        found = unserved.inspected(book)
    if as_json:
        show(found)
    else:
        commands.print_report(found)
    sys.exit(0 if found["ok"] else 1)
