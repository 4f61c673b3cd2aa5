"""The page a logistics lead opens: routes only parse, ask and print."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import Any
from urllib.parse import urlencode

from aiohttp import hdrs, web

from hq import immunizing, logistics, queries, stores
from hq.accounts import Accounts
from hq.auditing import Auditing
from hq.belonging import Belonging
from hq.closed import answer_closed
from hq.counts import counts_page
from hq.depots import Depots
from hq.desk import DESK, Desk, assets, environment
from hq.doors import Doors
from hq.drives import Drives
from hq.hints import GAP_S, PARTS, Hints
from hq.packs import packs_page
from hq.picture import Picture, Pictures
from hq.queries import Book, Filter
from hq.registry import Registry
from hq.reviewing import Reviewing
from hq.security import BODY_BYTES_MAX, VISIT, Guard, Handler
from hq.shown import TRIAGE_ORDER
from hq.witness import Witness
from protocols.live.audited import Glass

PING_S = 15.0
"""A stream without news sends a comment this often, and ends if its session has."""
RETRY_MS = 2000
"""How long a page waits before it calls again after a broken stream."""
RUNNER: dict[str, Any] = {"access_log": None, "auto_decompress": False, "shutdown_timeout": 2.0}
"""How the application is run."""
AUDITING: web.AppKey[Auditing] = web.AppKey("auditing", Auditing)
OWN_PARTS: Mapping[str, Handler] = {
    "stock": stores.stock_part,
    "vaccination": immunizing.vaccination_part,
    "logistics": logistics.logistics_part,
}
"""Parts of pages that read something else than the picture."""
_STATUS_KNOWN = frozenset({400, 403, 404, 405, 413, 415, 500, 503})


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What an installation may choose about its pages."""

    title: str = ""
    """The operation's name, shown on top."""
    zone: tzinfo = UTC
    """Zone that times are shown in; always named on the page."""
    https: bool = False
    """The browser reaches us over TLS, so the cookie may insist on it."""
    hint_gap_s: float = GAP_S
    """Least time between two live hints, seconds."""


def make_app(
    book: Book,
    accounts: Accounts,
    witness: Witness,
    registry: Registry,
    *,
    now: Callable[[], int],
    settings: PageSettings | None = None,
) -> web.Application:
    """Return the web application; `make_runner` runs it.

    Args:
        book: The merged ledger.
        accounts: Who may open it; kept in the same book.
        witness: What is kept of who did what.
        registry: Who belongs, and who may do what no more.
        now: Wall clock, Unix milliseconds.
        settings: What this installation chose.
    """
    chosen = settings or PageSettings()
    hints = Hints(book, accounts.entropy(8).hex(), gap_s=chosen.hint_gap_s)
    pictures = Pictures(book, hints)
    desk = Desk(
        book=book,
        accounts=accounts,
        hints=hints,
        pictures=pictures,
        now=now,
        zone=chosen.zone,
        title=chosen.title,
        templates=environment(),
        witness=witness,
        registry=registry,
    )
    glass = Glass()
    auditing = Auditing(glass)
    guard = Guard(accounts, now, chosen.https, partial(_refuse, desk))

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        async def inside(asked: web.Request) -> web.StreamResponse:
            return await answer_closed(asked, handler)

        return await guard.answer(request, inside)

    app = web.Application(middlewares=[guarded], client_max_size=BODY_BYTES_MAX)
    app[DESK] = desk
    app[AUDITING] = auditing
    app[stores.DEPOTS] = Depots(book, hints)
    app[immunizing.DRIVES] = Drives(book, hints, registry)
    app.on_response_prepare.append(guard.headers)
    app.cleanup_ctx.append(_following)
    app.on_shutdown.append(_end_streams)
    app.add_routes([*Doors(guard, glass).routes(), *auditing.routes(), *_routes()])
    return app


def _routes() -> list[web.AbstractRouteDef]:
    """What every installation answers alike, room by room."""
    rooms = (stores.ROUTES, immunizing.ROUTES, logistics.ROUTES)
    beside = [one for room in rooms for one in room]
    return [*Belonging().routes(), *Reviewing().routes(), *beside, *_pages()]


def _pages() -> list[web.RouteDef]:
    """What this file answers by itself."""
    return [
        web.get("/", picture_page, name="picture"),
        web.get("/packs", packs_page, name="packs"),
        web.get("/counts", counts_page, name="counts"),
        web.get("/patients", patients_page, name="patients"),
        web.get("/results", results_page, name="results"),
        web.get("/devices", devices_page, name="devices"),
        web.get("/part/{part}", part, name="part"),
        web.get("/events", events, name="events", allow_head=False),
        web.get("/static/{name}", static, name="static"),
    ]


def make_runner(app: web.Application) -> web.AppRunner:
    """Return the application's runner.

    It keeps no access log, which would hold links and codes, and unpacks no body before the guard
    has refused it.
    """
    return web.AppRunner(app, **RUNNER)


async def picture_page(request: web.Request) -> web.StreamResponse:
    """The one picture."""
    desk = request.app[DESK]
    return desk.page(request, "picture.html", picture=await _picture(request))


async def devices_page(request: web.Request) -> web.StreamResponse:
    """Every device, when it was last linked, and how far HQ knows what it wrote."""
    desk = request.app[DESK]
    return desk.page(request, "devices.html", picture=await _picture(request))


async def results_page(request: web.Request) -> web.StreamResponse:
    """Results of devices that wait for a patient (SAFETY 15)."""
    desk = request.app[DESK]
    return desk.page(request, "results.html", picture=await _picture(request))


async def part(request: web.Request) -> web.StreamResponse:
    """One part of a page by itself."""
    name = request.match_info["part"]
    if name not in PARTS:
        raise web.HTTPNotFound
    if name in OWN_PARTS:
        return await OWN_PARTS[name](request)
    picture = await _picture(request)
    return request.app[DESK].page(request, f"part_{name}.html", picture=picture)


async def patients_page(request: web.Request) -> web.StreamResponse:
    """Patients in care, most urgent first, by name."""
    desk = request.app[DESK]
    chosen = parse_filter(request.query)
    total, rows = await queries.patients(desk.book, chosen)
    picture = await _picture(request)
    more = bool(rows) and chosen.offset + len(rows) < total
    hidden = await request.app[AUDITING].hidden(request, rows)
    return desk.page(
        request,
        "patients.html",
        picture=picture,
        chosen=chosen,
        categories=TRIAGE_ORDER,
        total=total,
        rows=rows,
        hidden=hidden,
        newer=_page_url(chosen, -queries.PATIENTS_PAGE) if chosen.offset else "",
        older=_page_url(chosen, queries.PATIENTS_PAGE) if more else "",
    )


async def events(request: web.Request) -> web.StreamResponse:
    """Stream hints until the page leaves or its session ends."""
    desk = request.app[DESK]
    if desk.hints.full or desk.hints.is_silent():
        raise web.HTTPServiceUnavailable
    seen = request.headers.get("Last-Event-ID") or request.query.get("seen", "")
    stream = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream"})
    await stream.prepare(request)
    try:
        await stream.write(f"retry: {RETRY_MS}\n\n".encode())
        with desk.hints.listen(seen) as listener:
            while not desk.hints.is_silent() and await _logged_in(request):
                for name in listener.take():
                    line = f"id: {desk.hints.mark}\nevent: {name}\ndata: {name}\n\n"
                    await stream.write(line.encode())
                try:
                    await asyncio.wait_for(listener.waiting.wait(), PING_S)
                except TimeoutError:
                    await stream.write(b": here\n\n")
            if not desk.hints.is_silent():
                await stream.write(b"event: ended\ndata: ended\n\n")
    except ConnectionResetError:
        pass  # the reader closed the page
    return stream


async def static(request: web.Request) -> web.StreamResponse:
    """One of our files."""
    asset = assets().get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    kept = "max-age=31536000, immutable" if request.query.get("v") == asset.mark else "no-cache"
    return web.Response(
        body=asset.content,
        content_type=asset.content_type,
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: kept},
    )


def parse_filter(query: Mapping[str, str]) -> Filter:
    """Read which patients to list; what does not parse is as if it were not there."""
    triage, site, offset = (query.get(name, "") for name in ("triage", "site", "offset"))
    key = {"none": -1} | {str(number): number for number in range(5)}
    try:
        site_id = bytes.fromhex(site) if len(site) == 32 else None
    except ValueError:
        site_id = None
    start = int(offset) if offset.isascii() and offset.isdigit() and len(offset) <= 6 else 0
    return Filter(key.get(triage), site_id, start)


async def _picture(request: web.Request) -> Picture:
    desk = request.app[DESK]
    return await desk.pictures.now(desk.now())


async def _logged_in(request: web.Request) -> bool:
    desk = request.app[DESK]
    return bool(await desk.accounts.session(request[VISIT].token, desk.now(), touch=False))


def _page_url(chosen: Filter, step: int) -> str:
    fields = {
        "triage": "" if chosen.triage is None else str(chosen.triage).replace("-1", "none"),
        "site": chosen.site.hex() if chosen.site else "",
        "offset": str(max(0, chosen.offset + step)),
    }
    return "/patients?" + urlencode({name: text for name, text in fields.items() if text})


def _refuse(desk: Desk, request: web.Request, status: int) -> web.Response:
    status = status if status in _STATUS_KNOWN else 500 if status >= 500 else 400
    return desk.page(request, "error.html", code=str(status), status=status)


async def _following(app: web.Application) -> AsyncIterator[None]:
    """Follow the book's changes while the application runs."""
    task = asyncio.create_task(app[DESK].hints.follow())
    # The first reading of all stores is the long one: whoever opens the page need not wait.
    first = asyncio.create_task(_read_ahead(app))
    yield
    task.cancel()
    first.cancel()
    await asyncio.gather(task, first, return_exceptions=True)


async def _read_ahead(app: web.Application) -> None:
    desk = app[DESK]
    if not await queries.is_closed(desk.book):
        await app[stores.DEPOTS].read_ahead(desk.now())
        await app[immunizing.DRIVES].read_ahead(desk.now())


async def _end_streams(app: web.Application) -> None:
    """End the open streams, so that stopping need not wait for them."""
    app[DESK].hints.fall_silent()
