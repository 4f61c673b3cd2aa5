"""The commands about what stores hold: a packing list in, reports on paper or as CSV out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from protocols.errors import InputError
from protocols.guidelines.items import Items, read_items
from protocols.ledger.safefile import disk_trouble
from protocols.live.clock import now
from protocols.live.commands import Door, LocalDoor, attach, door, show
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.sentences import sentence
from protocols.live.stocklists import LOSS_DAYS, REPORTS
from protocols.live.stocktable import (
    TABLE_BYTES_MAX,
    Entry,
    cell_text,
    read_list,
    record_lines,
    table_text,
)
from protocols.live.talk import EXIT_REFUSED, print_file, print_line, say, told

RECEIVED = ("opening-balance", "donation", "bought", "transfer", "other")
"""Why a list was received; the first unless another is named."""
DOUBTS = ("expired_received", "large_quantity")
"""What a list is asked about once, each with its own words."""
_store = click.option("--store", required=True, help="Id or name of the store.")
_csv = click.option("--csv", "as_csv", is_flag=True, help="Print as CSV, for a spreadsheet.")


def stock_group(data_option: Option) -> click.Group:
    """Return `stock` for one of the two programs."""

    @click.group("stock", help="What stores hold: packing lists in, reports out.")
    def stock() -> None:
        pass

    stock.add_command(_import(data_option))
    for name, text in _HELP.items():
        stock.add_command(_report(name, text, data_option))
    return stock


_HELP = {
    "card": "All that happened to one item, with its balance.",
    "expiry": "Lots by how soon they expire: expired, 30, 60, 90, 180 days.",
    "losses": "What was lost, by item and reason.",
    "register": "Controlled items: every movement, its witness, the running balance.",
    "ledger": "Every movement, what was taken back too.",
    "cover": "Rate of use, days of cover, what expires before use, what to order.",
}


# in


def _import(data_option: Option) -> click.Command:
    @click.command("import")
    @click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
    @data_option
    @passphrase_option
    @_store
    @click.option("--why", type=click.Choice(RECEIVED), default=RECEIVED[0], show_default=True)
    @click.option("--reason", default="", help="In words; needed with `--why other`.")
    @click.option("--confirm", "confirm", multiple=True, help="Code of a doubt that was looked at.")
    @click.option("--dry-run", is_flag=True, help="Say what would be received; write nothing.")
    def run(
        file: Path,
        folder: Path,
        passphrase_file: Path | None,
        store: str,
        dry_run: bool,
        **said: Any,
    ) -> None:
        """Receive a packing list or an opening balance: CSV, all of it or nothing.

        Its first line names the columns: item, lot, expiry, units, or packs and pack_size.
        """
        with told(), disk_trouble(), file.open("rb") as held:
            raw = held.read(TABLE_BYTES_MAX + 1)
        with told(), door(folder, passphrase_file) as book:
            if isinstance(book, LocalDoor):
                attach(book.client)
            sys.exit(_received(book, raw, store, said, dry_run=dry_run))

    return run


def _received(book: Door, raw: bytes, store: str, said: Mapping[str, Any], *, dry_run: bool) -> int:
    where = book.call("store_named", store=store)
    read = read_list(raw, _catalogue(book), now().wall_ms)
    for fault in read.faults:
        say(sentence(fault))
    if read.faults:
        say(phrase("stock", "nothing_written"))
        return EXIT_REFUSED
    for entry in read.entries:
        print_line(_line(entry))
    counts = {"n": len(read.entries), "units": sum(each.units for each in read.entries)}
    if dry_run:
        print_line(phrase("stock", "would_receive", store=cell_text(where["name"]), **counts))
        return 0
    more = {"confirm": list(said["confirm"])} if said["confirm"] else {}
    more |= {"reason": said["reason"]} if said["reason"] else {}
    lines = record_lines(raw, read.entries, where["id"], said["why"], more)
    answers = book.together(lines)
    refused = [
        (entry, answer) for entry, answer in zip(read.entries, answers, strict=True)
        if not answer["ok"]
    ]  # fmt: skip
    if not refused:
        again = any(answer.get("repeated") for answer in answers)
        key = "received_before" if again else "received"
        print_line(phrase("stock", key, store=cell_text(where["name"]), **counts))
        return 0
    for entry, answer in refused:
        if answer["error"] != "not_together":
            say(_refusal(entry, answer))
    say(phrase("stock", "nothing_written"))
    return EXIT_REFUSED


def _refusal(entry: Entry, answer: Mapping[str, Any]) -> str:
    place = f"line {entry.line} {(answer.get('field') or '').removeprefix('data.')}".strip()
    code, allowed = str(answer["error"]), tuple(answer.get("allowed") or ())
    doubt = answer.get("confirm")
    if doubt in DOUBTS:
        said = phrase("stock", doubt, place=place, known=", ".join(allowed))
    else:
        said = sentence(InputError(code, field=place, allowed=allowed))
    return said + phrase("stock", "confirm_with", code=doubt) if doubt else said


def _catalogue(book: Door) -> Items:
    return read_items(book.call("pack_in_use", pack="items")["text"])


def _line(entry: Entry) -> str:
    packs = f"{entry.packs[0]} x {entry.packs[1]} = " if entry.packs else ""
    parts = (
        f"{entry.line:>4}  {entry.item:32} {entry.lot or '-':20} {entry.expiry or '-':10}",
        f"{packs}{entry.units}",
        phrase("stock", "expired") if entry.expired else "",
    )
    return "  ".join(part for part in parts if part)


# out


def _report(name: str, text: str, data_option: Option) -> click.Command:
    @click.command(name, help=text)
    @data_option
    @passphrase_option
    @_store
    @click.option("--item", default=None, help="Code of the item, such as ors-1l-sachet.")
    @click.option("--days", type=click.IntRange(1, 10_000), default=LOSS_DAYS, show_default=True)
    @_csv
    @json_option
    def run(
        folder: Path, passphrase_file: Path | None, as_csv: bool, as_json: bool, **asked: Any
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            pages = partial(_pages, book, {"report": name, **asked})
            if as_json:
                for columns, rows in pages():
                    for row in rows:
                        show(dict(zip(columns, row, strict=True)))
            elif as_csv:
                for at, (columns, rows) in enumerate(pages()):
                    print_file(table_text(columns if at == 0 else None, rows))
            else:
                _print(pages)

    if name != "losses":
        run.params = [each for each in run.params if each.name != "days"]
    return run


Page = tuple[list[str], list[list[Any]]]
"""Columns and rows."""


def _pages(book: Door, asked: Mapping[str, Any]) -> Iterator[Page]:
    """Ask for one page after the other; whoever prints one needs no other in memory."""
    told, after = 0, None
    while True:
        page = book.call("stock_report", **asked, offset=told, after=after)
        yield page["columns"], page["rows"]
        told, after = told + len(page["rows"]), page.get("after")
        if not page["more"] or not page["rows"]:
            return


def _print(pages: Callable[[], Iterator[Page]]) -> None:
    """Print a table; what is longer than a page is asked for twice, first for its widths."""
    first, *second = islice(pages(), 2)
    widths = _widths(pages() if second else (first,))
    columns, rows = first
    if not rows:
        print_line(phrase("stock", "nothing"))
        return
    for cells in chain([columns], (_texts(r) for _, page in (pages() if second else (first,))
                                   for r in page)):  # fmt: skip
        print_line("  ".join(f"{cells[at]:{width}}" for at, width in widths.items()).rstrip())


def _widths(pages: Iterable[Page]) -> dict[int, int]:
    """Return how wide each column is; those that say nothing anywhere are left out."""
    most: dict[int, int] = {}
    said: set[int] = set()
    for columns, rows in pages:
        most = most or {at: len(text) for at, text in enumerate(columns)}
        for row in map(_texts, rows):
            for at, text in enumerate(row):
                most[at] = max(most[at], len(text))
                if text not in ("", "0"):
                    said.add(at)
    return {at: width for at, width in most.items() if at in said}


def _texts(row: Sequence[Any]) -> list[str]:
    return [cell_text(cell) for cell in row]


assert set(_HELP) == set(REPORTS)
