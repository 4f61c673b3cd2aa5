"""Score, trend and what is due, as a board and a chart say them."""

from __future__ import annotations

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Span
from fieldnode.tui.wording import span_of
from protocols.live.api import BoardLine

TREND = {1: "^", -1: "v"}
"""Signs that every terminal draws."""

NO_ISOLATION = 6
"""Digit of `Isolation` for none: nothing is marked."""


def score(line: BoardLine) -> Span:
    """Return `12^`, `>=7`, or `-`; `-!` where a single value alerts and there is no score."""
    if line.score is None:
        return Span("-!", "bad") if line.alerts else Span("-", "dim")
    text = f"{'>=' if line.score_least else ''}{line.score}{TREND.get(line.trend, '')}"
    return Span(text, "bad" if line.alerts or line.trend > 0 else "plain")


def due(words: Catalogue, line: BoardLine, now_ms: int) -> Span:
    """Return when observations are due: a time to come, NOW, or `!` and how late they are."""
    if line.due_ms is None:
        return Span("-", "dim")
    if line.late_ms is not None and now_ms >= line.late_ms:
        return Span(f"! {span_of(words, now_ms - line.due_ms)}", "bad")
    if now_ms >= line.due_ms:
        return Span(words("board.due_now"), "warn")
    return Span(span_of(words, line.due_ms - now_ms))


def isolated(line: BoardLine) -> bool:
    """Whether somebody is kept apart from others."""
    return bool(line.isolation)
