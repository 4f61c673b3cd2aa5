"""The ward list on paper: everybody in care, with room to write on while the screens are dark."""

from __future__ import annotations

from collections.abc import Sequence

from fieldnode.prints.safety import whole
from fieldnode.prints.sheet import WIDTH, Block, Head, pages, ruled
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import column, wrap
from fieldnode.tui.wording import age, name, problem, sex, span_of, triage
from protocols.live.api import BoardLine
from protocols.records.display import clean_text

_COLUMNS = (11, 12, 8, 9, 7, 8, 0)
"""Triage, code, age, sex, bed, waiting, name."""


def ward_list(words: Catalogue, head: Head, lines: Sequence[BoardLine], now_ms: int) -> str:
    """Return the sheet, in the order of the board, three lines a patient.

    Args:
        words: The reader's.
        head: Title and so on.
        lines: Everybody in care, as the board has them.
        now_ms: Now, Unix milliseconds: what waits are counted to.
    """
    titles = ("triage", "code", "age", "sex", "bed", "wait", "name")
    heading = _row([words(f"board.{title}") for title in titles])
    blocks: list[Block] = [[words.count("print.patients", len(lines)), "", heading, "=" * WIDTH]]
    blocks += [_patient(words, line, now_ms) for line in lines]
    return pages(words, head, blocks)


def _patient(words: Catalogue, line: BoardLine, now_ms: int) -> Block:
    since = line.waiting_since_ms
    waits = "-" if since is None else span_of(words, now_ms - since)
    first = _row(
        [
            triage(words, line.triage).text,
            clean_text(line.code),
            age(words, clean_text(line.age)) or "?",
            sex(words, line.sex),
            clean_text(line.bed) or "-",
            waits,
            name(words, line.name),
        ]
    )
    known: list[str] = [clean_text(line.tag), problem(words, line.problem)]
    if line.unsettled or line.triage_open:
        known.append(words("print.unsettled"))
    second = "            " + "  ".join(part for part in known if part)
    safety = [f"            {part}" for part in wrap(whole(words, line), WIDTH - 12)]
    return [first, second.rstrip(), *safety, ruled("           ")]


def _row(parts: Sequence[str]) -> str:
    # One less than the sheet: the last column is cut, not the line behind it.
    return column(list(zip(parts, _COLUMNS, strict=True)))[:WIDTH].rstrip()
