"""What surrounds every page: who and when at the top, what was said and which keys below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from fieldnode.tui.cores.display import Line, Size, Span, between, cells, cut, fill, fit, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.wording import clock
from protocols.records.display import clean_text

ROWS = 4
"""Header, strip, action bar and F-key bar."""

LINES_KEPT = 256
"""Lines filled to the edge that are kept, some ten screens of them, about 3 kB each."""

BAR_WORD_CELLS = 4
"""A word in the action bar is not cut below this: less says nothing, and then its key goes too."""

BANNER_ROWS = 2
"""First and last row, while this is an exercise."""

FUNCTION_KEYS = (
    ("f1", "1", "keys.help"),
    ("f2", "2", "keys.triage"),
    ("f3", "3", "keys.find"),
    ("f4", "4", "keys.immunise"),
    ("f5", "5", "keys.supplies"),
    ("f6", "6", "keys.alerts"),
    ("f7", "7", "keys.sync"),
    ("f8", "8", "keys.undo"),
    ("f9", "9", "keys.lock"),
    ("f10", "0", "keys.menu"),
)
"""Each with its number, which is the same behind F and behind Ctrl+G, and its word."""


def body_size(desk: Desk, size: Size) -> Size:
    """Return the room a page has."""
    around = ROWS + (BANNER_ROWS if desk.greeting.drill else 0) + desk.paper
    return Size(size.width, max(size.height - around, 1))


def draw_frame(
    desk: Desk, body: Sequence[Line], strip: Span, hints: Sequence[Hint], size: Size
) -> list[Line]:
    """Return the whole screen: exactly `size.height` lines of `size.width` cells."""
    room = body_size(desk, size)
    filled = [*body[: room.height], *[()] * (room.height - len(body))]
    lines: list[Line] = [
        header(desk, size.width),
        *([paper_banner(desk, size.width)] if desk.paper else []),
        *filled,
        line(" ", strip),
        action_bar(hints, size.width),
        key_bar(desk, size.width),
    ]
    if desk.greeting.drill:
        banner = drill_banner(desk, size.width)
        lines = [banner, *lines, banner]
    return [_filled(drawn, size.width) for drawn in lines[: size.height]]


def header(desk: Desk, width: int) -> Line:
    """Return node and person at the left; clock, links, HQ and unsent at the right."""
    words, greeting = desk.words, desk.greeting
    place = clean_text(f"{greeting.name} {greeting.site}")
    who = clean_text(greeting.person) or words("head.nobody")
    left = line(Span(f" {place}", "head_title"), Span(f"  {who}", "head"))
    parts = [(clock(desk.now_ms, desk.now_ms, desk.zone), "head"), *_reach(desk)]
    if desk.drafts:
        parts.append((words("head.drafts", n=len(desk.drafts)), "head_warn"))
    right = [Span(f"{text}  ", role) for text, role in parts]
    return fill(between(left, tuple(right), width, "head"), width, "head")


def action_bar(hints: Sequence[Hint], width: int) -> Line:
    """Return keys and words; where there are many they stand closer, then longer words are cut.

    What there is still no room for is left out from the end, but nothing that stays.
    """
    gap = "   " if _taken(hints, "   ") <= width else "  "
    if (over := _taken(hints, gap) - width) > 0:
        hints = _cut(hints, over)
    room = width - _taken([hint for hint in hints if hint.stays], gap)
    spans: list[Span] = []
    for hint in hints:
        room -= 0 if hint.stays else cells(f"{gap}{hint.keys} {hint.word}")
        if hint.stays or room >= 0:
            before = gap if spans else " "
            spans += [Span(before), Span(hint.keys, "key"), Span(f" {hint.word}")]
    return tuple(spans)


def key_bar(desk: Desk, width: int) -> Line:
    """Return the two ways to a numbered key, then each number with its word; `es~` for a draft."""
    leader = desk.words("keys.leader")
    if desk.words.draft:
        leader = f"{desk.words.language}~ {leader}"
    room = width - cells(leader) - sum(len(label) + 1 for _, label, _ in FUNCTION_KEYS)
    words = _shortened([desk.words(word) for _, _, word in FUNCTION_KEYS], room)
    spans: list[Span] = [Span(leader, "bar")]
    for (_, label, _), word in zip(FUNCTION_KEYS, words, strict=True):
        spans += [Span(" ", "bar"), Span(label, "bar_key"), Span(word, "bar")]
    return fill(tuple(spans), width, "bar")


def drill_banner(desk: Desk, width: int) -> Line:
    """Return the row that says that nothing here is real."""
    word = desk.words("drill.word")
    return line(
        Span(fit(f" {word}  {word}  {word}   {clean_text(desk.greeting.drill)}", width), "banner")
    )


def paper_banner(desk: Desk, width: int) -> Line:
    """Return the row that says that everything saved now is taken from paper."""
    return line(Span(fit(f" {desk.words('paper.banner')}", width), "banner"))


def _taken(hints: Sequence[Hint], gap: str) -> int:
    """Return how many cells hints take; a bar begins with one cell, not with a whole gap."""
    return sum(cells(f"{gap}{hint.keys} {hint.word}") for hint in hints) - len(gap) + 1


def _cut(hints: Sequence[Hint], over: int) -> list[Hint]:
    """Return hints that are `over` cells shorter, or as short as can be; what stays is whole."""
    words = [hint.word for hint in hints if not hint.stays]
    shorter = iter(_shortened(words, sum(map(cells, words)) - over, BAR_WORD_CELLS))
    return [hint if hint.stays else hint._replace(word=next(shorter)) for hint in hints]


def _shortened(words: list[str], room: int, least: int = 1) -> list[str]:
    """Return the words in `room` cells together, the longest cut first, none below `least`."""
    while sum(map(cells, words)) > room and max(map(cells, words), default=0) > least:
        place = max(range(len(words)), key=lambda at: cells(words[at]))
        words = [cut(w, cells(w) - 1) if at == place else w for at, w in enumerate(words)]
    return words


def _reach(desk: Desk) -> list[tuple[str, str]]:
    """Return links, HQ and unsent, or that the node is away."""
    words, sync = desk.words, desk.sync
    if desk.away:
        return [(words("head.away"), "head_bad")]
    if sync is None:
        return []
    linked = sum(peer.linked for peer in sync.peers)
    until = clock(sync.at_hq_until_ms, desk.now_ms, desk.zone)
    unsent = words("head.unsent", n=sync.unsent)
    said = {"ok": "", "stated": "head.clock_stated"}.get(sync.clock, "head.clock")
    doubtful = [(words(said), "head_bad")] if said else []
    return [
        *doubtful,
        (words("head.links", n=linked), "head"),
        (words("head.hq", at=until), "head"),
        (unsent, "head_warn" if sync.unsent else "head"),
    ]


@lru_cache(LINES_KEPT)
def _filled(spans: Line, width: int) -> Line:
    """Return a line to the edge; most of a screen is as it was, or moved up by a row."""
    return fill(spans, width, _ground(spans))


def _ground(spans: Line) -> str:
    """Return the role in which a line goes on to the edge."""
    return spans[-1].role if spans and spans[-1].role.startswith(("head", "bar")) else "plain"
