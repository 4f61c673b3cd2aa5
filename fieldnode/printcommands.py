"""`fieldnode print`: the ward list, a hand-over sheet, a wristband, to a file or a printer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from fieldnode.prints import along, square, wristband
from fieldnode.prints.handover import Reader, handover_sheet
from fieldnode.prints.letter import Along
from fieldnode.prints.letter import letter as letter_sheet
from fieldnode.prints.safety import band_of
from fieldnode.prints.sheet import Head
from fieldnode.prints.ward import ward_list
from fieldnode.text.catalogue import LANGUAGES, load, on_label
from protocols.errors import InputError
from protocols.ledger.safefile import disk_trouble
from protocols.live.api import BoardLine, Chart
from protocols.live.commands import LocalDoor, StoppedDoor, door, show
from protocols.live.options import data_option, json_option, passphrase_option
from protocols.live.paper import HOLDS, PaperRead
from protocols.live.phrases import spoken_language
from protocols.live.printing import HANDOVER, LETTER, WRISTBAND
from protocols.live.talk import told
from protocols.records.summary import Summary

PATIENTS_MAX = 2_000
"""On one ward list: forty sheets."""

Door = LocalDoor | StoppedDoor

_KINDS = ("zpl", "escpos", "png")
_data = data_option("node", "the node")
_to = click.option(
    "--to", "target", type=click.Path(path_type=Path), default=Path("-"),
    help="File or printer, such as /dev/usb/lp0; else it is shown.",
)  # fmt: skip
_language = click.option("--language", type=click.Choice(tuple(LANGUAGES)), default=None)
_reason = click.option("--reason", default="", help="Why another team's patient is printed.")


@click.group("print")
def print_group() -> None:
    """Print on paper; the audit trail says so before anything leaves."""


@print_group.command()
@_data
@passphrase_option
@_to
@_language
def ward(folder: Path, passphrase_file: Path | None, target: Path, language: str | None) -> None:
    """Print everybody in care, most urgent first, with room to write on."""
    with _printing(folder, passphrase_file, target) as book:
        reader = _reader(language, book)
        place, lines = _everybody(book)
        head = _head(reader, "ward", place)
        _give_out(ward_list(reader.words, head, lines, reader.now_ms).encode(), target)


@print_group.command()
@click.argument("patient")
@_data
@passphrase_option
@_to
@_language
@_reason
def handover(
    patient: str,
    folder: Path,
    passphrase_file: Path | None,
    target: Path,
    language: str | None,
    reason: str,
) -> None:
    """Print one patient's hand-over sheet."""
    with _printing(folder, passphrase_file, target) as book:
        reader = _reader(language, book)
        place, chart = _chart(book, patient, HANDOVER, reason)
        head = _head(reader, "handover", place)
        _give_out(handover_sheet(reader, head, chart).encode(), target)


@print_group.command()
@click.argument("patient")
@_data
@passphrase_option
@_to
@click.option("--for", "whom", default="", help="Whom it is for; else as the latest offer says.")
@_language
@_reason
def letter(  # noqa: PLR0913 - one parameter an option
    patient: str,
    folder: Path,
    passphrase_file: Path | None,
    target: Path,
    whom: str,
    language: str | None,
    reason: str,
) -> None:
    """Print one patient's referral letter, with the signed summary to type at its end."""
    with _printing(folder, passphrase_file, target) as book:
        reader = _reader(language, book)
        place, chart = _chart(book, patient, LETTER, reason)
        made = book.call("print_summary", patient=patient, advice="", reason=reason)
        along = Along(made["text"], msgspec.convert(made["said"], Summary))
        printed = _head(reader, HANDOVER, place).printed
        sheet = Head(reader.words("letter.title"), place, printed, "")
        _give_out(letter_sheet(reader, sheet, chart, along, whom).encode(), target)


@print_group.command("wristband")
@click.argument("patient")
@_data
@passphrase_option
@_to
@click.option("--kind", type=click.Choice(_KINDS), default="zpl", help="What the printer speaks.")
@_language
@_reason
def print_wristband(  # noqa: PLR0913 - one parameter an option
    patient: str,
    folder: Path,
    passphrase_file: Path | None,
    target: Path,
    kind: str,
    language: str | None,
    reason: str,
) -> None:
    """Print one patient's wristband; png is the square alone."""
    with _printing(folder, passphrase_file, target) as book:
        reader = _reader(language, book)
        _, chart = _chart(book, patient, WRISTBAND, reason)
        band = band_of(on_label(reader.words), chart.head)
        made = {"zpl": wristband.zpl, "escpos": wristband.escpos}
        raw = square.png(band.code) if kind == "png" else made[kind](band)
        _give_out(raw, target)


@print_group.command()
@click.argument("patient")
@_data
@passphrase_option
@_to
@click.option("--kind", type=click.Choice((*_KINDS, "text")), default="text")
@click.option("--advice", default="", help="A line for whoever takes over, at most 160 signs.")
@_language
@_reason
def summary(  # noqa: PLR0913 - one parameter an option
    patient: str,
    folder: Path,
    passphrase_file: Path | None,
    target: Path,
    kind: str,
    advice: str,
    language: str | None,
    reason: str,
) -> None:
    """Sign one patient's summary for paper: a square that any member checks with no network."""
    with _printing(folder, passphrase_file, target) as book:
        words = _reader(language, book).words
        made = book.call("print_summary", patient=patient, advice=advice, reason=reason)
        text, said = made["text"], msgspec.convert(made["said"], Summary)
        prints = {
            "png": lambda: square.png(text),
            "zpl": lambda: along.zpl(on_label(words), text, said),
            "escpos": lambda: along.escpos(on_label(words), text, said),
            "text": lambda: along.plain(words, text, said).encode(),
        }
        _give_out(prints[kind](), target)


@click.command("paper")
@click.argument("text", nargs=-1)
@_data
@passphrase_option
@_language
@json_option
def paper_command(
    text: tuple[str, ...],
    folder: Path,
    passphrase_file: Path | None,
    language: str | None,
    as_json: bool,
) -> None:
    """Say what a scanned paper says and whether to believe it; without TEXT, scan it now."""
    scanned = " ".join(text) or sys.stdin.readline()
    with told(), door(folder, passphrase_file) as book:
        reader = _reader(language, book)
        found = book.call("paper_read", text=scanned)
    if as_json:
        show(found)
    else:
        read = msgspec.convert(found, PaperRead)
        at = datetime.fromtimestamp(read.at_ms / 1000, reader.zone)
        for line in along.shown(reader.words, read, f"{at:%Y-%m-%d %H:%M}"):
            click.echo(line)
    sys.exit(0 if found["worth"] == HOLDS else 1)


def _reader(language: str | None, book: Door) -> Reader:
    """Return for whom it is worded: as asked for, else as the node's terminals were set."""
    kept = book.call("hello").get("language", "") if book.running and not language else ""
    now = datetime.now().astimezone()
    zone = now.tzinfo
    assert zone is not None
    return Reader(load(language or kept or spoken_language()), int(now.timestamp() * 1000), zone)


def _head(reader: Reader, sheet: str, place: str) -> Head:
    at = datetime.fromtimestamp(reader.now_ms / 1000, reader.zone)
    return Head(reader.words(f"print.{sheet}"), place, f"{at:%Y-%m-%d %H:%M}", "")


def _everybody(book: Door) -> tuple[str, list[BoardLine]]:
    lines: list[BoardLine] = []
    while True:
        page: dict[str, Any] = book.call("print_ward", offset=len(lines))
        came = msgspec.convert(page["page"]["lines"], list[BoardLine])
        lines += came
        if not came or len(lines) >= min(page["page"]["total"], PATIENTS_MAX):
            return page["node"], lines


def _chart(book: Door, patient: str, sheet: str, reason: str) -> tuple[str, Chart]:
    found: dict[str, Any] = book.call("print_chart", patient=patient, sheet=sheet, reason=reason)
    return found["node"], msgspec.convert(found["chart"], Chart)


@contextmanager
def _printing(folder: Path, passphrase_file: Path | None, target: Path) -> Iterator[Door]:
    """Reach the book, once it is sure that nothing is printed over a file.

    Raises:
        InputError: `target_exists`: nothing was printed, and the trail says nothing of it.
    """
    with told():
        if target.is_file():
            raise InputError("target_exists", field="to")
        with door(folder, passphrase_file) as book:
            yield book


def _give_out(raw: bytes, target: Path) -> None:
    """Write to a new file that only this user reads, or to a printer that is there."""
    if target == Path("-"):
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
        return
    flags = os.O_WRONLY if target.exists() else os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with disk_trouble(), os.fdopen(os.open(target, flags, 0o600), "wb") as file:
        file.write(raw)
