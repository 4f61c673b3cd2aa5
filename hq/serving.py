"""What `hq serve` runs: a node with a page. Apart from the commands, which do not need the web."""

from __future__ import annotations

import os
import sys

from aiohttp import web

from hq.accounts import Accounts
from hq.book import LedgerBook
from hq.registry import NodeRegistry
from hq.web import PageSettings, make_app, make_runner
from hq.witness import NodeWitness
from protocols.errors import LinkError
from protocols.live.address import Address
from protocols.live.clock import now
from protocols.live.commands import show
from protocols.live.journal import Journal
from protocols.live.local import Caller, Handler
from protocols.live.packtelling import Teller
from protocols.live.phrases import phrase
from protocols.live.running import Desk, factory_of
from protocols.live.service import Service, Settings
from protocols.live.talk import say
from protocols.trust.audit import What


async def serve(
    passphrase: str | None, settings: Settings, web_at: Address, pages: PageSettings
) -> None:
    """Run HQ until it is told to stop; print where it listens and, once, how to log in."""
    journal = Journal()
    service = Service(factory_of(settings.folder, passphrase, journal.note), settings, journal)
    desk = Desk(service, settings.folder)
    Teller(service)
    book = LedgerBook(service)
    accounts, witness = Accounts(book, entropy=os.urandom), NodeWitness(service)
    page = ""

    async def account_list(caller: Caller, args: dict[str, object]) -> object:
        return await accounts.names()

    async def account_remove(caller: Caller, args: dict[str, object]) -> object:
        """Once the trail says so; an account that cannot be written about stays."""
        name = await accounts.known(str(args.get("name", "")))
        if not name:
            return False
        await witness.write(What.ACCOUNT_REMOVED, account=name)
        return await accounts.remove(name)

    async def login_link(caller: Caller, args: dict[str, object]) -> object:
        return f"{page}/first/{await accounts.issue_link(now().wall_ms)}"

    handlers: dict[str, Handler] = {**desk.handlers(), "login_link": login_link}
    handlers |= {"account_list": account_list, "account_remove": account_remove}
    await service.start(handlers, left=desk.left)
    app = make_app(
        book,
        accounts,
        witness,
        NodeRegistry(service),
        now=lambda: now().wall_ms,
        settings=pages,
    )
    runner = make_runner(app)
    try:
        await book.open()
        await runner.setup()
        port = await _listen(runner, web_at)
        page = f"{'https' if pages.https else 'http'}://{Address(web_at.host, port)}"
        started = {"listening": str(service.address), "page": page}
        if not await accounts.exist():
            started["login"] = f"{page}/first/{await accounts.issue_link(now().wall_ms)}"
        show(started)
        if "login" in started:
            say(phrase("done", "log_in"))
            say(started["login"])
        sys.stdout.flush()
        await service.run_until_stopped()
    finally:
        desk.close()
        await runner.cleanup()
        await book.close()
        await service.stop()
        journal.close()


async def _listen(runner: web.AppRunner, web_at: Address) -> int:
    """Serve the page; return the port that was taken."""
    try:
        await web.TCPSite(runner, web_at.host, web_at.port).start()
    except OSError:
        raise LinkError("cannot_listen", address=str(web_at)) from None
    return int(runner.addresses[0][1])
