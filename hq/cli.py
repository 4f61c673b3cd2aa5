"""`hq`: what a coordinator runs at headquarters: a node that others link to, with a page."""

from __future__ import annotations

from protocols.guard import require_runtime

require_runtime()

import asyncio  # noqa: E402 - the guard speaks before anything it guards is imported
from pathlib import Path  # noqa: E402
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: E402

import click  # noqa: E402

from hq.foundings import charter, org  # noqa: E402
from protocols.errors import InputError, SetupError  # noqa: E402
from protocols.live import options  # noqa: E402
from protocols.live.address import Address  # noqa: E402
from protocols.live.app import App  # noqa: E402
from protocols.live.client import LocalClient  # noqa: E402
from protocols.live.commands import show  # noqa: E402
from protocols.live.hardening import harden  # noqa: E402
from protocols.live.helping import SpokenGroup  # noqa: E402
from protocols.live.options import (  # noqa: E402
    json_option,
    no_discovery_option,
    passphrase_option,
    peer_option,
)
from protocols.live.phrases import phrase  # noqa: E402
from protocols.live.sentences import sentence  # noqa: E402
from protocols.live.talk import passphrase_if_needed, print_line, say, told  # noqa: E402

MESH_PORT, WEB_PORT = 7400, 8443

data_option = options.data_option("hq", "HQ")
_app = App(
    data_option=data_option,
    hq=True,
    ask_name="hq_name",
    init_help="Found an operation.",
    made="hq_made",
    invite_help="Print a one-time code with which one device may join; HQ must be running.",
    invite_hq_help="The new device is a further HQ.",
    status_help="Say how HQ is: who is linked, what is missing, what needs attention.",
)


@click.group(cls=SpokenGroup)
def main() -> None:
    """Headquarters of a Fieldmesh operation: a node that is usually awake, with a page."""
    if not harden():
        say(sentence(SetupError("not_hardened")))


for _each in (*_app.shared(), org, charter):
    main.add_command(_each)


@main.command()
@data_option
@passphrase_option
@click.option("--listen", default=f"0.0.0.0:{MESH_PORT}", show_default=True, help="HOST:PORT.")
@click.option("--web", "web_at", default=f"127.0.0.1:{WEB_PORT}", show_default=True)
@peer_option
@no_discovery_option
@click.option("--behind-https", is_flag=True, help="Browsers reach the page over HTTPS.")
@click.option("--title", default="", help="Name of the operation, shown on top of every page.")
@click.option("--zone", default="UTC", help="Zone of the times shown, such as Africa/Bujumbura.")
def serve(  # noqa: PLR0913 - one parameter an option
    folder: Path,
    passphrase_file: Path | None,
    listen: str,
    web_at: str,
    peers: tuple[str, ...],
    no_discovery: bool,
    behind_https: bool,
    title: str,
    zone: str,
) -> None:
    """Run HQ until it is told to stop; prints where it listens and, once, how to log in."""
    from hq.serving import serve as run_serve  # the web costs half a second, here alone
    from hq.web import PageSettings
    from protocols.live.service import Settings

    with told():
        settings = Settings(
            folder=folder,
            listen=Address.parse(listen),
            peers=tuple(Address.parse(peer) for peer in peers),
            discovery=not no_discovery,
        )
        pages = PageSettings(title=title, zone=_zone(zone), https=behind_https)
        passphrase = passphrase_if_needed(folder, passphrase_file)
        asyncio.run(run_serve(passphrase, settings, Address.parse(web_at), pages))


def _zone(name: str) -> ZoneInfo:
    """Return a time zone by its name; never another one in its place.

    Raises:
        InputError: `unknown_zone`.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError("unknown_zone", field="zone") from None


@main.command()
@data_option
def login(folder: Path) -> None:
    """Print a one-time link to log in with; HQ must be running."""
    with told(), LocalClient(folder) as client:
        click.echo(client.call("login_link"))


@main.group()
def account() -> None:
    """Who may open the page; HQ must be running."""


@account.command("list")
@data_option
@json_option
def list_accounts(folder: Path, as_json: bool) -> None:
    """Print the name of every account."""
    with told(), LocalClient(folder) as client:
        names = client.call("account_list")
    if as_json:
        show({"accounts": names})
    else:
        for name in names:
            print_line(name)


@account.command("add")
@data_option
def add_account(folder: Path) -> None:
    """Print a one-time link with which one person chooses a name and a password."""
    with told(), LocalClient(folder) as client:
        click.echo(client.call("login_link"))


@account.command("remove")
@click.argument("name")
@data_option
def remove_account(folder: Path, name: str) -> None:
    """Remove an account and end its sessions at once."""
    with told(), LocalClient(folder) as client:
        if not client.call("account_remove", name=name):
            raise InputError("no_account")
    say(phrase("done", "account_removed"))


if __name__ == "__main__":
    main()
