"""From the terminal to paper: what is printed is made here and written apart from the keys.

A printer that does not answer never holds the terminal: the write runs in a thread of its own that
nobody waits for beyond `WAIT_S`, and one that hangs is said, once, in a sentence.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.desk import Desk
from protocols.live.api import BoardLine, BoardPage, Chart

if TYPE_CHECKING:
    from protocols.live.proof import PrintedProof
    from protocols.records.summary import Summary

WAIT_S = 8.0
"""A receipt printer takes two seconds; one silent by then has no paper or no power."""

KINDS = ("zpl", "escpos", "png", "text")
"""What a printer speaks: labels, receipts, a picture in a file, plain text."""
PATIENTS_MAX = 2_000

WRISTBAND, HANDOVER, SUMMARY, WARD = "wristband", "handover", "summary", "ward"
LETTER = "letter"
VACCINATION, CARD = "vaccination", "card"

_writing = threading.Lock()
"""Held while something is being written: two prints at once would be mixed on one sheet."""


def wristband(words: Catalogue, kind: str, head: BoardLine, exercise: str) -> bytes:
    """Return a wristband for one kind of printer."""
    # Squares are drawn by a library that a start has no use for.
    from fieldnode.prints import square
    from fieldnode.prints import wristband as bands
    from fieldnode.prints.safety import band_of

    band = band_of(words, head, exercise=exercise)
    if kind == "png":
        return square.png(band.code)
    if kind == "text":
        return "\n".join([*band.lines, ""]).encode()
    return bands.escpos(band) if kind == "escpos" else bands.zpl(band)


def signed_summary(words: Catalogue, kind: str, text: str, said: Summary) -> bytes:
    """Return a signed summary for one kind of printer."""
    from fieldnode.prints import along, square

    if kind == "png":
        return square.png(text)
    if kind == "text":
        return along.plain(words, text, said).encode()
    return (along.escpos if kind == "escpos" else along.zpl)(words, text, said)


def handover(desk: Desk, place: str, chart: Chart) -> bytes:
    """Return a hand-over sheet, plain text for any printer."""
    from fieldnode.prints.handover import Reader, handover_sheet

    reader = Reader(desk.paper_words, desk.now_ms, desk.zone)
    return handover_sheet(reader, _head(desk, HANDOVER, place), chart).encode()


def letter(desk: Desk, place: str, chart: Chart, text: str, said: Summary) -> bytes:
    """Return a referral letter with the signed summary, plain text for any printer."""
    from fieldnode.prints.handover import Reader
    from fieldnode.prints.letter import Along
    from fieldnode.prints.letter import letter as letter_sheet

    reader = Reader(desk.paper_words, desk.now_ms, desk.zone)
    head = replace(_head(desk, HANDOVER, place), title=reader.words("letter.title"))
    return letter_sheet(reader, head, chart, Along(text, said)).encode()


def vaccinations(
    desk: Desk, words: Catalogue, kind: str, made: PrintedProof, exercise: str
) -> bytes:
    """Return a proof of vaccination for one kind of printer, or a card where it has no square.

    Args:
        desk: Shared by all pages.
        words: Such as that printer can print.
        kind: What it speaks; of a card a picture or a label is the plain sheet.
        made: What the node gave out.
        exercise: What every print of a drill says; '' = real work.
    """
    from fieldnode.prints import square, vaccination
    from fieldnode.prints.vaccination_sheet import card_sheet, proof_sheet

    if kind == "escpos":
        return vaccination.receipt_of(words, made, exercise=exercise)
    head = replace(_head(desk, HANDOVER, made.node), by="")
    if not made.text:
        title = desk.paper_words("proof.card")
        return card_sheet(desk.paper_words, replace(head, title=title), made).encode()
    if kind == "text":
        title = desk.paper_words("proof.title")
        return proof_sheet(desk.paper_words, replace(head, title=title), made).encode()
    return square.png(made.text) if kind == "png" else vaccination.zpl(words, made, exercise)


def ward(desk: Desk, place: str, lines: list[BoardLine]) -> bytes:
    """Return the ward list, plain text for any printer."""
    from fieldnode.prints.ward import ward_list

    head = _head(desk, WARD, place)
    return ward_list(desk.paper_words, head, lines, desk.now_ms).encode()


async def chart(node: Any, patient: str, sheet: str) -> tuple[str, Chart]:
    """Return the node's name and a chart for a sheet, noted in its trail.

    Raises:
        FieldmeshError: As the node refuses; `other_team` where a reason is needed first.
    """
    found = await node.call("print_chart", patient=patient, sheet=sheet)
    return str(found["node"]), msgspec.convert(found["chart"], Chart)


async def signed(node: Any, patient: str) -> tuple[str, Summary]:
    """Return a summary that was signed for paper: its text, and what it says.

    Raises:
        FieldmeshError: As the node refuses.
    """
    # What a summary is made of is more than a start has a use for.
    from protocols.records.summary import Summary

    found = await node.call("print_summary", patient=patient)
    return str(found["text"]), msgspec.convert(found["said"], Summary)


async def vaccinated(node: Any, patient: str, sheet: str) -> PrintedProof:
    """Return a proof of vaccination or what a card says, noted in the node's trail.

    Raises:
        FieldmeshError: As the node refuses; `other_team` where a reason is needed first.
    """
    from protocols.live.proof import PrintedProof

    found = await node.call("print_vaccination", patient=patient, sheet=sheet)
    return msgspec.convert(found, PrintedProof)


async def everybody(node: Any) -> tuple[str, list[BoardLine]]:
    """Return the node's name and everybody in care, page by page, noted in its trail."""
    lines: list[BoardLine] = []
    while True:
        found = await node.call("print_ward", offset=len(lines))
        page = msgspec.convert(found["page"], BoardPage)
        lines += page.lines
        if not page.lines or len(lines) >= min(page.total, PATIENTS_MAX):
            return str(found["node"]), lines


async def give_out(raw: bytes, target: str, kind: str, now_ms: int) -> str:
    """Write to a printer, or to a new file in a folder.

    Returns:
        '' when it was written, else the catalogue key of what went wrong.
    """
    if not target:
        return "printing.none"
    if not _writing.acquire(blocking=False):
        return "printing.busy"
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def tell(found: str) -> None:
        if not done.done():
            done.set_result(found)

    def run() -> None:
        try:
            found = _write(raw, Path(target), kind, now_ms)
        finally:
            _writing.release()
        try:
            loop.call_soon_threadsafe(tell, found)
        except RuntimeError:
            return  # The terminal has ended meanwhile; nobody is left to tell.

    # A daemon: whoever leaves the terminal is not held by a printer without paper.
    threading.Thread(target=run, daemon=True, name="printer").start()
    try:
        async with asyncio.timeout(WAIT_S):
            return await asyncio.shield(done)
    except TimeoutError:
        return "printing.silent"


def _write(raw: bytes, target: Path, kind: str, now_ms: int) -> str:
    opened: Callable[[], int]
    try:
        mode = target.stat().st_mode
    except (OSError, ValueError):
        return "printing.not_there"
    if stat.S_ISREG(mode):
        return "printing.is_file"
    if stat.S_ISDIR(mode):
        opened = lambda: _new_file(target, kind, now_ms)  # noqa: E731 - one line
    else:
        # Without waiting: a queue that nobody reads would never open.
        opened = lambda: os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)  # noqa: E731
    try:
        number = opened()
        os.set_blocking(number, True)
        with os.fdopen(number, "wb") as file:
            file.write(raw)
    except (OSError, ValueError):
        return "printing.failed"
    return ""


def _new_file(folder: Path, kind: str, now_ms: int) -> int:
    """Return a new file that only this user reads; its name says when, never who."""
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    for number in range(1000):
        name = f"print-{at:%Y%m%d-%H%M%S}-{number:03d}.{_ENDING.get(kind, 'txt')}"
        try:
            return os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
    raise OSError("folder")


_ENDING = {"zpl": "zpl", "escpos": "bin", "png": "png", "text": "txt"}


def _head(desk: Desk, sheet: str, place: str) -> Any:
    from fieldnode.prints.sheet import Head

    at = datetime.fromtimestamp(desk.now_ms / 1000, desk.zone)
    drill = desk.greeting.drill
    exercise = f"{desk.paper_words('drill.word')} {drill}" if drill else ""
    title = desk.paper_words(f"print.{sheet}")
    return Head(title, place, f"{at:%Y-%m-%d %H:%M}", desk.greeting.person, exercise)
