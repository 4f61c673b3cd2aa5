"""A sealed HQ: its node has forgotten its keys and dropped what it had read, and the pages say so.

An empty picture would say that nobody is in care. So whatever shows records gives way to one page,
and every other page says it on top.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from hq import queries
from hq.desk import CLOSED, DESK
from hq.immunizing import DRIVES
from hq.security import VISIT
from hq.stores import DEPOTS

READING = frozenset(
    {"picture", "patients", "results", "devices", "part", "open", "counts"}
    | {
        "stock",
        "stock_csv",
        "card",
        "card_csv",
        "vaccination",
        "vaccination_csv",
        "interventions_csv",
    }
    | {"interventions_csv", "logistics", "shipments_csv", "recalls_csv", "cold_csv"}
)
"""Routes that show records."""


async def answer_closed(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a request as a sealed HQ does, or let it pass where the book is open."""
    if request[VISIT].session is None:
        return await handler(request)
    desk, route = request.app[DESK], request.match_info.route.name
    request[CLOSED] = await queries.is_closed(desk.book)
    if not request[CLOSED]:
        return await handler(request)
    desk.pictures.forget()
    request.app[DEPOTS].forget()
    request.app[DRIVES].forget()
    if route not in READING:
        return await handler(request)
    template = "part_closed.html" if route == "part" else "closed.html"
    return desk.page(request, template, part=request.match_info.get("part", ""))
