"""The page of counts: how many encounters, law by law; of another law nothing below five."""

from __future__ import annotations

from aiohttp import web

from hq.desk import DESK

FEW = "<5"
"""Stands for whatever is left out: below five, or from which one below five could be worked out."""


async def counts_page(request: web.Request) -> web.StreamResponse:
    """A table a law: the total, then each property by itself."""
    desk = request.app[DESK]
    return desk.page(request, "counts.html", laws=await desk.registry.counts(), few=FEW)
