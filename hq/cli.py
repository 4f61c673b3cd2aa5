"""`hq`: what a coordinator runs at headquarters: a node that others link to, with a page."""

from __future__ import annotations

from protocols.guard import require_runtime

require_runtime()

import asyncio  # noqa: E402 - the guard speaks before anything it guards is imported
from pathlib import Path  # noqa: E402

import click  # noqa: E402

from protocols.live import options  # noqa: E402
from protocols.live.address import Address  # noqa: E402
from protocols.live.app import App  # noqa: E402
from protocols.live.client import LocalClient  # noqa: E402
from protocols.live.hardening import harden  # noqa: E402
from protocols.live.options import (  # noqa: E402
    no_discovery_option,
    passphrase_option,
    peer_option,
)
from protocols.live.talk import passphrase_if_needed, told  # noqa: E402

MESH_PORT, WEB_PORT = 7400, 8443

data_option = options.data_option("hq", "HQ")
_app = App(
    data_option=data_option,
    hq=True,
    ask_name="Name of this HQ",
    init_help="Found an operation.",
    made="The operation is founded. `hq serve` starts it, `hq invite` lets a node in.",
    invite_help="Print a one-time code with which one device may join; HQ must be running.",
    invite_hq_help="The new device is a further HQ.",
    status_help="Say how HQ is: who is linked, what is missing, what needs attention.",
)


@click.group()
def main() -> None:
    """Headquarters of a Fieldmesh operation: a node that is usually awake, with a page."""
    harden()


for _each in _app.shared():
    main.add_command(_each)


@main.command()
@data_option
@passphrase_option
@click.option("--listen", default=f"0.0.0.0:{MESH_PORT}", show_default=True, help="HOST:PORT.")
@click.option("--web", "web_at", default=f"127.0.0.1:{WEB_PORT}", show_default=True)
@peer_option
@no_discovery_option
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


if __name__ == "__main__":
    main()
