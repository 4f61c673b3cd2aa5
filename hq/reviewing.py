"""The page of acts that are looked at again, and of what came of it."""

from __future__ import annotations

import re

from aiohttp import web

from hq.belonging import account_of, fields_of
from hq.desk import DESK
from protocols.errors import FieldmeshError, InputError
from protocols.ledger.reviewing import NOTE_CHARS_MAX, OUTCOMES
from protocols.live.belonging import ReviewLine

SAID = frozenset({"may_not_review", "not_for_review"})
"""Refusals that a page has a sentence for; any other is `not_done`."""

_FACT = re.compile(r"fct_[0-9A-Za-z]{1,60}\.[0-9]{1,4}")


class Reviewing:
    """Handlers of the list and of the one page where something is said."""

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes, each with its name."""
        return [
            web.get("/reviews", self.reviews, name="reviews"),
            web.get("/reviews/act", self.act, name="review"),
            web.post("/reviews/act", self.review, name="review"),
        ]

    async def reviews(self, request: web.Request) -> web.StreamResponse:
        """Act, author, when, why it is listed, and by whom with what outcome it was reviewed."""
        desk = request.app[DESK]
        done = request.query.get("done", "")
        return desk.page(
            request,
            "reviews.html",
            found=await desk.registry.reviews(),
            done=done if done in OUTCOMES else "",
        )

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Ask what came of one."""
        return await self._form(request, request.query.get("fact", ""))

    async def review(self, request: web.Request) -> web.StreamResponse:
        """Have it kept for everybody."""
        desk, fields = request.app[DESK], await fields_of(request)
        fact, outcome = fields.get("fact", ""), fields.get("outcome", "")
        note = fields.get("note", "").strip()
        if outcome not in OUTCOMES:
            return await self._form(request, fact, wrong="outcome_needed", status=422)
        if len(note) > NOTE_CHARS_MAX:
            return await self._form(request, fact, wrong="note_too_long", status=422)
        try:
            await desk.registry.review(fact, outcome, note, account_of(request))
        except FieldmeshError as refused:
            known = refused.code in SAID
            wrong, status = (refused.code, 422) if known else ("not_done", 503)
            if isinstance(refused, InputError) and not known:
                raise web.HTTPNotFound from None
            return await self._form(request, fact, wrong=wrong, status=status)
        raise web.HTTPSeeOther(f"/reviews?done={outcome}")

    async def _form(
        self, request: web.Request, fact: str, *, wrong: str = "", status: int = 200
    ) -> web.StreamResponse:
        desk = request.app[DESK]
        found = await desk.registry.reviews()
        one = _line(found.lines, fact)
        return desk.page(
            request,
            "review.html",
            found=found,
            one=one,
            outcomes=OUTCOMES,
            most=NOTE_CHARS_MAX,
            wrong=wrong,
            status=status,
        )


def _line(lines: tuple[ReviewLine, ...], fact: str) -> ReviewLine:
    known = _FACT.fullmatch(fact)
    one = next((each for each in lines if known and each.fact == fact), None)
    if one is None:
        raise web.HTTPNotFound
    return one
