"""The command that says how many encounters there are, for both programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from protocols.live.commands import door, show
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.talk import print_line, told
from protocols.records.suppressed import COUNT_MIN


def counts_command(data_option: Option) -> click.Command:
    """Return `counts` for one of the two programs."""

    @click.command(
        "counts",
        help="How many encounters there are, by day, site, age, sex, category and outcome. Of"
        " another jurisdiction no count below five is told, nor what one could be worked out from.",
    )
    @data_option
    @passphrase_option
    @json_option
    def counts(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("counts")
        for each in found:
            if as_json:
                show(each)
            else:
                _print(each)
        if not found and not as_json:
            print_line(phrase("counts", "none"))

    return counts


def _print(each: dict[str, Any]) -> None:
    total = phrase("counts", "few", n=COUNT_MIN) if each["total"] is None else each["total"]
    key = "home" if each["home"] else "away"
    print_line(phrase("counts", key, law=each["jurisdiction"] or "-", total=total))
    for name, cells in each["by"].items():
        if cells is None:
            print_line("  " + phrase("counts", "untold", by=phrase("counts_by", name)))
            continue
        print_line("  " + phrase("counts_by", name))
        for value, n in cells:
            print_line(f"    {value:28} {phrase('counts', 'kept') if n is None else n}")
