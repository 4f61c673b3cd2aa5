"""A referral letter on paper: who, from whom to whom, what is handed over, and a summary to type.

The text at its end is the patient's signed summary in groups: whoever has no scanner types it, and
a node checks it with no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fieldnode.prints.along import in_words
from fieldnode.prints.handover import Reader
from fieldnode.prints.sheet import WIDTH, Block, Head, pages, ruled
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import fit, text_of, wrap
from fieldnode.tui.timeline import Happening, happenings, summary, when
from fieldnode.tui.wording import full_identity
from protocols.live.api import Chart, ChartLine
from protocols.records.display import clean_text
from protocols.records.summary import Summary

PARTS = ("mechanism", "injuries", "signs", "treatment", "situation", "background", "assessment",
         "recommendation", "transport")  # fmt: skip
DONE = ("administration.record", "procedure.record", "order.place", "order.stop", "intake.record",
        "note.add")  # fmt: skip
"""Kinds that say what was done."""
DONE_MAX = 20
"""Lines of it, the newest; the chart has the rest."""
WRITING_LINES = 2
"""Empty lines behind each part that nobody has written."""
GROUP_CHARS, GROUPS_A_LINE = 4, 14
"""As many as an eye keeps while a hand types."""
AT_CELLS = 12


@dataclass(frozen=True, slots=True)
class Along:
    """The signed summary that goes with the letter."""

    text: str
    """As a scanner types it."""
    said: Summary


def letter(reader: Reader, head: Head, chart: Chart, along: Along, to: str = "") -> str:
    """Return the letter.

    Args:
        reader: For whom it is worded.
        head: Title and so on; its place is whom it is from.
        chart: The patient with the newest facts of the timeline.
        along: The signed summary.
        to: Whom it is for, in words; '' = whoever the latest offer names, else a line to write on.
    """
    words = reader.words
    offer = _offer(chart.lines)
    whom = clean_text(to) or clean_text(offer.get("offered_to", ""))
    blocks: list[Block] = [[*map(text_of, full_identity(words, chart.head)), ""]]
    blocks.append(_between(words, head.place, whom))
    blocks += [_part(words, name, offer.get(name, "")) for name in _asked(offer)]
    blocks.append(["", words("letter.known"), "-" * WIDTH, *_wrapped(in_words(words, along.said))])
    told = [one for one in happenings(chart.lines) if _is_done(one)]
    blocks.append(["", words("letter.done"), "-" * WIDTH])
    blocks += [_told(reader, one) for one in told[:DONE_MAX]]
    if len(told) > DONE_MAX or chart.total > len(chart.lines):
        blocks.append([words("letter.more")])
    blocks.append(["", ruled(words("letter.signed")), "", ruled(words("letter.received"))])
    blocks.append(["", *_wrapped([words("letter.type_it")]), *groups(along.text)])
    return pages(words, head, blocks)


def groups(text: str) -> list[str]:
    """Return a paper's text so that it can be typed: groups of four, some to a line."""
    parts = [text[at : at + GROUP_CHARS] for at in range(0, len(text), GROUP_CHARS)]
    return [
        "  " + " ".join(parts[at : at + GROUPS_A_LINE])
        for at in range(0, len(parts), GROUPS_A_LINE)
    ]


def _offer(lines: Sequence[ChartLine]) -> dict[str, str]:
    """Return what the latest offer says that nobody took back; lines are newest first."""
    for line in lines:
        if line.kind == "transfer.offer" and not line.replaced and not line.standing:
            return dict(line.summary)
    return {}


def _asked(offer: dict[str, str]) -> Sequence[str]:
    """Return the parts that were written; SBAR's empty ones where nothing was."""
    written = [name for name in PARTS if offer.get(name)]
    return written or PARTS[4:8]


def _between(words: Catalogue, sender: str, to: str) -> Block:
    receiver = words("letter.to", to=to) if to else ruled(words("letter.to", to="").rstrip())
    return [words("letter.from", sender=clean_text(sender)), receiver, ""]


def _part(words: Catalogue, name: str, text: str) -> Block:
    label = words(f"field.{name}")
    if not text:
        return [f"{label}:", *[ruled("", WIDTH)] * WRITING_LINES]
    return list(_indented(f"{label}: {clean_text(text, 600)}"))


def _is_done(one: Happening) -> bool:
    return one.line.kind in DONE and not one.line.replaced and not one.line.standing


def _told(reader: Reader, happening: Happening) -> Block:
    row, words = happening.line, reader.words
    kind = words(f"kind.{row.kind}")
    said = f"{kind}: {summary(reader, row)}  [{clean_text(row.author, 24)}]"
    first, *rest = wrap(said, WIDTH - AT_CELLS)
    return [fit(when(reader, row), AT_CELLS) + first, *(" " * AT_CELLS + text for text in rest)]


def _indented(text: str) -> Iterator[str]:
    for at, part in enumerate(wrap(text, WIDTH - 4)):
        yield ("  " if at else "") + part


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for text in lines for part in wrap(text, WIDTH - 2)]
