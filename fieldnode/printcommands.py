"""`fieldnode print`: ward list, hand-over, wristband, vaccinations, to a file or a printer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from fieldnode.prints import along, lot, square, wristband
from fieldnode.prints import vaccination as vaccinations
from fieldnode.prints.handover import Reader, handover_sheet
from fieldnode.prints.letter import Along
from fieldnode.prints.letter import letter as letter_sheet
from fieldnode.prints.safety import band_of
from fieldnode.prints.sheet import Head
from fieldnode.prints.vaccination_sheet import card_sheet, proof_sheet
from fieldnode.prints.ward import ward_list
from fieldnode.text.catalogue import LANGUAGES, load, on_label
from fieldnode.tui.wording import code_sentence
from protocols.errors import InputError
from protocols.ledger.safefile import disk_trouble
from protocols.live.api import BoardLine, Chart
from protocols.live.commands import Door, door, show
from protocols.live.consigned import LotLabel
from protocols.live.options import data_option, json_option, passphrase_option
from protocols.live.paper import HOLDS, PaperRead
from protocols.live.phrases import spoken_language
from protocols.live.printing import HANDOVER, LETTER, WRISTBAND
from protocols.live.proof import PaperDoses, PrintedProof
from protocols.live.talk import EXIT_REFUSED, print_line, say, told
from protocols.records.summary import Summary

PATIENTS_MAX = 2_000
"""On one ward list: forty sheets."""

_KINDS = ("zpl", "escpos", "png")
_data = data_option("node", "the node")
_to = click.option(
    "--to", "target", type=click.Path(path_type=Path), default=Path("-"),
    help="File or printer, such as /dev/usb/lp0; else it is shown.",
)  # fmt: skip
_columns = click.option(
    "--columns", type=click.Choice([str(each) for each in vaccinations.RECEIPT_COLUMNS]),
    default=str(vaccinations.RECEIPT_COLUMNS[0]), help="Of a receipt printer.",
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


@print_group.command()
@click.argument("patient")
@_data
@passphrase_option
@_to
@click.option("--kind", type=click.Choice((*_KINDS, "text")), default="text")
@_columns
@_language
@_reason
def vaccination(  # noqa: PLR0913 - one parameter an option
    patient: str,
    folder: Path,
    passphrase_file: Path | None,
    target: Path,
    kind: str,
    columns: str,
    language: str | None,
    reason: str,
) -> None:
    """Sign somebody's proof of vaccination for paper: any member checks it with no network."""
    with _printing(folder, passphrase_file, target) as book:
        reader = _reader(language, book)
        made = _vaccinated(book, patient, "vaccination", reason)
        words, label = reader.words, on_label(reader.words)
        head = replace(_head(reader, "handover", made.node), title=words("proof.title"))
        prints = {
            "png": lambda: square.png(made.text),
            "zpl": lambda: vaccinations.zpl(label, made),
            "escpos": lambda: vaccinations.receipt_of(label, made, int(columns)),
            "text": lambda: proof_sheet(words, head, made).encode(),
        }
        _give_out(prints[kind](), target)


@print_group.command()
@click.argument("patient")
@_data
@passphrase_option
@_to
@click.option("--kind", type=click.Choice(("escpos", "text")), default="text")
@_columns
@_language
@_reason
def card(  # noqa: PLR0913 - one parameter an option
    patient: str,
    folder: Path,
    passphrase_file: Path | None,
    target: Path,
    kind: str,
    columns: str,
    language: str | None,
    reason: str,
) -> None:
    """Print somebody's vaccination card: doses with their lots, what is due next and when."""
    with _printing(folder, passphrase_file, target) as book:
        reader = _reader(language, book)
        made = _vaccinated(book, patient, "card", reason)
        if kind == "escpos":
            raw = vaccinations.receipt_of(on_label(reader.words), made, int(columns))
        else:
            head = _head(reader, "handover", made.node)
            head = replace(head, title=reader.words("proof.card"))
            raw = card_sheet(reader.words, head, made).encode()
        _give_out(raw, target)


@print_group.command("lot")
@click.argument("item")
@click.argument("number")
@_data
@passphrase_option
@_to
@click.option("--kind", type=click.Choice((*_KINDS, "text")), default="zpl")
@_language
def print_lot(  # noqa: PLR0913 - one parameter an option
    item: str,
    number: str,
    folder: Path,
    passphrase_file: Path | None,
    target: Path,
    kind: str,
    language: str | None,
) -> None:
    """Print a label of a lot of ITEM; png is the square alone."""
    with _printing(folder, passphrase_file, target) as book:
        words = _reader(language, book).words
        made = msgspec.convert(book.call("lot_label", item=item, lot=number), LotLabel)
        spoken = words if kind == "text" else on_label(words)
        _give_out(lot.KINDS[kind](lot.label_of(spoken, made)), target)


@click.command("paper")
@click.argument("text", nargs=-1)
@_data
@passphrase_option
@click.option("--into", default="", help="Write a proof's doses down for this patient; asks first.")
@click.option("--yes", is_flag=True, help="With --into: write them without asking.")
@_reason
@_language
@json_option
def paper_command(  # noqa: PLR0913 - one parameter an option
    text: tuple[str, ...],
    folder: Path,
    passphrase_file: Path | None,
    into: str,
    yes: bool,
    reason: str,
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
                print_line(line)
        if into:
            asked = {"text": scanned, "patient": into, "reason": reason}
            sys.exit(_take_over(reader, book, asked, yes=yes))
    sys.exit(0 if found["worth"] == HOLDS else 1)


def _take_over(reader: Reader, book: Door, asked: dict[str, str], *, yes: bool) -> int:
    """Write what a proof of vaccination tells for a patient, once a person has said so."""
    words = reader.words
    found = msgspec.convert(book.call("paper_doses", **asked), PaperDoses)
    for line in ["", *vaccinations.taking(words, found)]:
        say(line)
    if not found.lines:
        return 0
    if not yes and not sys.stdin.isatty():
        raise InputError("nobody_to_ask", field="--yes")
    if not yes and not click.confirm(vaccinations.to_take(words, found), err=True):
        return 1
    answers = book.record(list(found.lines))
    for each in answers:
        if not each["ok"]:
            doubt = f"confirm.{each.get('confirm')}"
            say(words(doubt) if words.has(doubt) else code_sentence(words, str(each["error"])))
    saved = [each for each in answers if each["ok"]]
    say(vaccinations.taken(words, len(saved)))
    return 0 if len(saved) == len(answers) else EXIT_REFUSED


def _reader(language: str | None, book: Door) -> Reader:
    """Return for whom it is worded: as asked for, else as the node's terminals were set."""
    kept = book.call("hello").get("language", "") if book.running and not language else ""
    now = datetime.now().astimezone()
    zone = now.tzinfo
    assert zone is not None
    return Reader(load(language or kept or spoken_language()), int(now.timestamp() * 1000), zone)


def _vaccinated(book: Door, patient: str, sheet: str, reason: str) -> PrintedProof:
    found = book.call("print_vaccination", patient=patient, sheet=sheet, reason=reason)
    return msgspec.convert(found, PrintedProof)


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
