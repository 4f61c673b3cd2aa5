"""What the screens about trust have in common: ages, names, and the lines of one member."""

from __future__ import annotations

from collections.abc import Sequence

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.wording import clock, span_of
from protocols.live.api import BoardLine
from protocols.live.belonging import RosterLine
from protocols.records.display import clean_text

OLD_MS = 24 * 3_600_000
"""What was heard of longer ago is marked: seals made since may not have come."""
ID_CHARS = 12
FINGERPRINT_ROWS = 3


def shown_name(name: str, device: str) -> str:
    """Return a name, or the beginning of the id of who has none that we can read."""
    return clean_text(name) or device[:ID_CHARS]


def heard(desk: Desk, at_ms: int, *, short: bool = False) -> Span:
    """Return a time and how long ago it was; marked when it is old, or never was."""
    if not at_ms:
        return Span(desk.words("trust.never"), "warn")
    past = desk.now_ms - at_ms
    text = clock(at_ms, desk.now_ms, desk.zone)
    if past >= 60_000:
        age = span_of(desk.words, past)
        text = f"{text} ({age})" if short else desk.words("trust.ago", at=text, age=age)
    return Span(text, "warn" if past >= OLD_MS else "plain")


def came_from(desk: Desk, head: BoardLine, word: str = "chart.released") -> str:
    """Say by whose release a patient is known here and since when; '' for who is not."""
    if not head.released:
        return ""
    at = clock(head.released_ms or None, desk.now_ms, desk.zone)
    return desk.words(word, org=clean_text(head.released, 40), at=at)


def marked(words: Catalogue, head: BoardLine, name: str) -> str:
    """Return a name, marked where the patient is known here by a release alone."""
    mark = words("board.by_release")
    return f"{mark} {name}" if head.released else name


def coded(words: Catalogue, room: str, name: str) -> str:
    """Return the word for one of the node's codes; of later software the code itself."""
    key = f"{room}.{name}"
    return words(key) if words.has(key) else clean_text(name, 24)


def several(words: Catalogue, names: Sequence[str], none: str) -> str:
    """Return names with commas between them."""
    return ", ".join(clean_text(name) for name in names) or words(none)


def wrapped(text: str, size: Size, role: str = "plain", *, most: int = 20) -> list[Line]:
    """Return a text in lines that fit."""
    return [line(" ", Span(part, role)) for part in wrap(text, size.width - 2)[:most]]


def fingerprint_lines(words: Catalogue, print_of: str, said: str, size: Size) -> list[Line]:
    """Return a fingerprint and the words it is read out by."""
    if not print_of:
        return []
    letters = line(" ", Span(words("trust.fingerprint"), "label"), f" {clean_text(print_of)}")
    if not said:
        return [letters]
    return [letters, *wrapped(clean_text(said), size, most=FINGERPRINT_ROWS - 1)]


def member_line(words: Catalogue, member: RosterLine) -> Line:
    """Return who a member is, in one line; the name comes last."""
    parts = [coded(words, "rank", member.rank), clean_text(member.org, 40)]
    if member.profession:
        parts.append(clean_text(member.profession, 24))
    name = Span(shown_name(member.name, member.id), "title")
    return line(" ", Span("  ".join(parts)), Span("   "), name)


def may_not(desk: Desk, why: str, ask: Sequence[str]) -> str:
    """Say why a seal by this device would not count, and whom to ask."""
    words = desk.words
    who = several(words, ask, "trust.ask_nobody")
    return " ".join((coded(words, "why_not", why), words("trust.ask", who=who)))
