"""`hq`: what a coordinator runs at headquarters: a node that others link to, with a page."""

from __future__ import annotations

from protocols.guard import require_runtime

require_runtime()

import asyncio  # noqa: E402 - the guard speaks before anything it guards is imported
from pathlib import Path  # noqa: E402

import click  # noqa: E402
import platformdirs  # noqa: E402

from protocols.live import commands  # noqa: E402
from protocols.live.address import Address  # noqa: E402
from protocols.live.client import LocalClient  # noqa: E402
from protocols.live.commands import (  # noqa: E402
    Named,
    door,
    passphrase_if_needed,
    passphrase_of,
    say,
    show,
    told,
)
from protocols.live.hardening import harden  # noqa: E402

MESH_PORT, WEB_PORT = 7400, 8443


def _default_folder() -> Path:
    return Path(platformdirs.user_data_dir("fieldmesh")) / "hq"


data_option = click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=_default_folder,
    help="Data folder of HQ.",
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File whose first line is the passphrase; - for standard input.",
)


@click.group()
def main() -> None:
    """Headquarters of a Fieldmesh operation: a node that is usually awake, with a page."""
    harden()


@main.command()
@data_option
@passphrase_option
@click.option("--name", prompt="Name of this HQ")
@click.option("--org", prompt="Organisation")
@click.option("--jurisdiction", default="", help="ISO country code whose law holds here.")
@click.option("--unattended", is_flag=True, help="Restart without a passphrase; mind the risk.")
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
    """Found an operation."""
    with told():
        device = commands.make_node(
            folder,
            passphrase_of(passphrase_file, confirm=True),
            Named(name, org, jurisdiction, hq=True),
            unattended=unattended,
        )
    if as_json:
        show({"device": str(device), "data": str(folder)})
    say("The operation is founded. `hq serve` starts it, `hq invite` lets a node in.")


@main.command()
@data_option
@click.option("--hq", is_flag=True, help="The new device is a further HQ.")
def invite(folder: Path, hq: bool) -> None:
    """Print a one-time code with which one device may join; HQ must be running."""
    with told(), LocalClient(folder) as client:
        click.echo(client.call("invite", hq=hq))


@main.command()
@data_option
@passphrase_option
@click.option("--listen", default=f"0.0.0.0:{MESH_PORT}", show_default=True, help="HOST:PORT.")
@click.option("--web", "web_at", default=f"127.0.0.1:{WEB_PORT}", show_default=True)
@click.option("--peer", "peers", multiple=True, help="HOST:PORT to keep a link to; repeatable.")
@click.option("--no-discovery", is_flag=True, help="Do not look for peers on the local network.")
@click.option("--behind-https", is_flag=True, help="Browsers reach the page over HTTPS.")
def serve(  # noqa: PLR0913 - one parameter an option
    folder: Path,
    passphrase_file: Path | None,
    listen: str,
    web_at: str,
    peers: tuple[str, ...],
    no_discovery: bool,
    behind_https: bool,
) -> None:
    """Run HQ until it is told to stop; prints where it listens and, once, how to log in."""
    from hq.serving import serve as run_serve  # the web costs half a second, here alone
    from protocols.live.service import Settings

    with told():
        settings = Settings(
            folder=folder,
            listen=Address.parse(listen),
            peers=tuple(Address.parse(peer) for peer in peers),
            discovery=not no_discovery,
        )
        passphrase = passphrase_if_needed(folder, passphrase_file)
        asyncio.run(run_serve(passphrase, settings, Address.parse(web_at), https=behind_https))


@main.command()
@data_option
def login(folder: Path) -> None:
    """Print a one-time link to log in with; HQ must be running."""
    with told(), LocalClient(folder) as client:
        click.echo(client.call("login_link"))


@main.command()
@data_option
@passphrase_option
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="New file.")
@click.option(
    "--new-passphrase-file",
    "new_file",
    type=click.Path(path_type=Path),
    help="File whose first line is the new passphrase.",
)
def recover(
    folder: Path, passphrase_file: Path | None, source: Path, target: Path, new_file: Path | None
) -> None:
    """Give another device a new passphrase: makes a `ledger.key` of its `ledger.recovery`."""
    with told(), door(folder, passphrase_file) as book:
        commands.recover(book, source, target, commands.new_passphrase(new_file))
    say("Put this file into the device's data folder, as ledger.key.")


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


@main.command()
@data_option
@passphrase_option
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Say how HQ is: who is linked, what is missing, what needs attention."""
    with told(), door(folder, passphrase_file) as book:
        found = commands.full_status(book, folder)
    if as_json:
        show(found)
    else:
        commands.print_status(found)


if __name__ == "__main__":
    main()
