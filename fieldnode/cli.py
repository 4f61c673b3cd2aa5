"""`fieldnode`: what a medic, a coordinator or a diagnostic device runs on a node."""

from __future__ import annotations

from protocols.guard import require_runtime

require_runtime()

import asyncio  # noqa: E402 - the guard speaks before anything it guards is imported
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from contextlib import suppress  # noqa: E402
from pathlib import Path  # noqa: E402

import click  # noqa: E402
import platformdirs  # noqa: E402

from protocols.errors import LinkError, SetupError  # noqa: E402
from protocols.ids import PatientId  # noqa: E402
from protocols.ledger.backup import restore as restore_backup  # noqa: E402
from protocols.ledger.folder import change_passphrase, holds_book, lock_for_good  # noqa: E402
from protocols.live import answers, commands  # noqa: E402
from protocols.live.address import Address  # noqa: E402
from protocols.live.client import LocalClient  # noqa: E402
from protocols.live.clock import now  # noqa: E402
from protocols.live.commands import (  # noqa: E402
    EXIT_NOT_WRITABLE,
    Named,
    door,
    passphrase_if_needed,
    passphrase_of,
    say,
    show,
    told,
)
from protocols.live.hardening import harden  # noqa: E402
from protocols.live.lines import find_socket  # noqa: E402

START_S = 20.0
"""A node that `open` starts has to answer within this time."""
PORT = 7400


def _default_folder() -> Path:
    return Path(platformdirs.user_data_dir("fieldmesh")) / "node"


data_option = click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=_default_folder,
    help="Data folder of the node.",
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File whose first line is the passphrase; - for standard input.",
)
new_passphrase_option = click.option(
    "--new-passphrase-file",
    "new_file",
    type=click.Path(path_type=Path),
    help="File whose first line is the new passphrase.",
)


@click.group()
def main() -> None:
    """One node of Fieldmesh: it works alone, and shares when another is in reach."""
    harden()


@main.command()
@data_option
@passphrase_option
@click.option("--name", prompt="Name of this node", help="What others see, such as 'Tent B'.")
@click.option("--org", prompt="Organisation", help="Your organisation.")
@click.option("--jurisdiction", default="", help="ISO country code whose law holds here.")
@click.option(
    "--unattended",
    is_flag=True,
    help="Restart without a passphrase. Whoever takes the device can then read it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def init(  # noqa: PLR0913 - one parameter an option
    folder: Path,
    passphrase_file: Path | None,
    name: str,
    org: str,
    jurisdiction: str,
    unattended: bool,
    as_json: bool,
) -> None:
    """Make a node that works alone from the first minute."""
    with told():
        device = commands.make_node(
            folder,
            passphrase_of(passphrase_file, confirm=True),
            Named(name, org, jurisdiction, hq=False),
            unattended=unattended,
        )
    if as_json:
        show({"device": str(device), "data": str(folder)})
    say(f"{name} is ready. `fieldnode open` starts it.")


@main.command()
@data_option
@passphrase_option
@click.option("--peer", required=True, help="HOST:PORT of a node that may admit this one.")
@click.option("--code", prompt="Code", help="The one-time code it showed.")
def join(folder: Path, passphrase_file: Path | None, peer: str, code: str) -> None:
    """Join the operation of another node with a one-time code; nothing written here is lost."""
    with told():
        try:
            with LocalClient(folder) as client:
                client.call("join", address=peer, code=code)
        except LinkError as error:
            if error.code != "no_node":
                raise
            passphrase = passphrase_if_needed(folder, passphrase_file)
            from fieldnode.serving import join_alone

            asyncio.run(join_alone(folder, passphrase, peer, code))
    say("Joined.")


@main.command()
@data_option
@passphrase_option
@click.option("--listen", help=f"HOST:PORT; else 0.0.0.0:{PORT}, or another port if it is taken.")
@click.option("--peer", "peers", multiple=True, help="HOST:PORT to keep a link to; repeatable.")
@click.option("--no-discovery", is_flag=True, help="Do not look for peers on the local network.")
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


@main.command("open")
@data_option
@passphrase_option
@click.option("--line", is_flag=True, help="Plain prompts, for serial lines and screen readers.")
@click.option("--language", default="", help="en or fr.")
@click.option("--theme", default="", help="night, contrast or mono.")
@click.option("--listen", help="HOST:PORT where a node started now listens.")
def open_terminal(
    folder: Path,
    passphrase_file: Path | None,
    line: bool,
    language: str,
    theme: str,
    listen: str | None,
) -> None:
    """Open the terminal; starts the node when none runs."""
    with told():
        try:
            LocalClient(folder).close()
        except LinkError:
            _start_node(folder, passphrase_if_needed(folder, passphrase_file), listen)
        from fieldnode.tui.app import run  # a node must never load the terminal

        sys.exit(run(find_socket(folder), language=language, theme=theme, line=line))


def _start_node(folder: Path, passphrase: str | None, listen: str | None) -> None:
    """Start `serve` on its own, so that the node outlives this terminal."""
    log = folder / "node.log"
    command = [sys.executable, "-m", "fieldnode", "serve", "--data", str(folder)]
    if listen is not None:
        command += ["--listen", listen]
    if passphrase is not None:
        command += ["--passphrase-file", "-"]
    with log.open("ab") as out:
        started = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
            command, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
        )
    assert started.stdin is not None
    with suppress(BrokenPipeError):
        started.stdin.write((passphrase or "").encode() + b"\n")
        started.stdin.close()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(LinkError):
            LocalClient(folder).close()
            return
        if started.poll() is not None:
            say(_last_line(log))
            sys.exit(1)
        time.sleep(0.05)
    raise LinkError("node_slow")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "The node did not start."


@main.command()
@data_option
@passphrase_option
def record(folder: Path, passphrase_file: Path | None) -> None:
    """Read JSON lines, write each down, answer each once it is durable."""
    with told(fault=EXIT_NOT_WRITABLE), door(folder, passphrase_file) as book:
        sys.exit(commands.record_stream(book, sys.stdin.fileno()))


@main.command()
@click.argument("kind")
@data_option
@passphrase_option
@click.option("--since", type=int, default=0, help="Cursor: only rows that changed after it.")
@click.option("--follow", is_flag=True, help="Go on with rows as they change.")
def rows(kind: str, folder: Path, passphrase_file: Path | None, since: int, follow: bool) -> None:
    """Print rows of a kind, one JSON object a line."""
    with told(), door(folder, passphrase_file) as book:
        commands.print_rows(book, kind, since, follow=follow)


@main.command("kinds")
@click.option("--json", "as_json", is_flag=True, help="JSON Schema and an example for each kind.")
def list_kinds(as_json: bool) -> None:
    """List what can be recorded."""
    found = answers.kinds()
    if as_json:
        show(found)
    else:
        for name in found:
            click.echo(name)


@main.command()
@data_option
@passphrase_option
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Say how the node is: peers, what has not travelled, what needs attention."""
    with told(), door(folder, passphrase_file) as book:
        found = commands.full_status(book, folder)
    if as_json:
        show(found)
    else:
        commands.print_status(found)


@main.command()
@data_option
@click.option("--hq", is_flag=True, help="The new device's receipts count as at HQ.")
def invite(folder: Path, hq: bool) -> None:
    """Print a one-time code with which one device may join; the node must be running."""
    with told(), LocalClient(folder) as client:
        click.echo(client.call("invite", hq=hq))


@main.command()
@click.argument("patient")
@data_option
@passphrase_option
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="New folder.")
def export(patient: str, folder: Path, passphrase_file: Path | None, target: Path) -> None:
    """Write a patient's documents as standard automerge files."""
    with told(), door(folder, passphrase_file) as book:
        count = commands.export(book, PatientId.parse(patient), target)
    say(f"{count} documents written. They are not encrypted.")


@main.command()
@data_option
@passphrase_option
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="New file.")
def backup(folder: Path, passphrase_file: Path | None, target: Path) -> None:
    """Write a verified, encrypted backup; the node may go on meanwhile."""
    with told(), door(folder, passphrase_file) as book:
        show(commands.backup(book, target))


@main.command()
@data_option
@passphrase_option
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True), required=True)
def restore(folder: Path, passphrase_file: Path | None, source: Path) -> None:
    """Verify a backup and make a new node folder of it; it goes on writing at once."""
    with told():
        show(commands.plain(restore_backup(source, folder, passphrase_of(passphrase_file))))
    say("Restored. It begins a new epoch when it is opened, and peers send what it lacks.")


@main.command()
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
    say("Locked for good." if panic else "Locked.")


@main.command()
@data_option
@passphrase_option
@new_passphrase_option
def passphrase(folder: Path, passphrase_file: Path | None, new_file: Path | None) -> None:
    """Change the passphrase; a running node goes on. Older backups keep the one of their day."""
    with told():
        if not holds_book(folder):
            raise SetupError("no_book")
        old = passphrase_of(passphrase_file)
        new = commands.new_passphrase(new_file)
        change_passphrase(folder, old, new, now().entropy)
    say("Changed.")


@main.command()
@data_option
@passphrase_option
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="New file.")
@new_passphrase_option
def recover(
    folder: Path,
    passphrase_file: Path | None,
    source: Path,
    target: Path,
    new_file: Path | None,
) -> None:
    """Give another device a new passphrase: makes a `ledger.key` of its `ledger.recovery`."""
    with told(), door(folder, passphrase_file) as book:
        commands.recover(book, source, target, commands.new_passphrase(new_file))
    say("Put this file into the device's data folder, as ledger.key.")


@main.command()
@data_option
@passphrase_option
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Check every entry and signature, of a stopped node every row too; say what is wrong."""
    with told(), door(folder, passphrase_file) as book:
        found = commands.inspected(book)
    if as_json:
        show(found)
    else:
        commands.print_report(found)
    sys.exit(0 if found["ok"] else 1)


if __name__ == "__main__":
    main()
