"""The commands about releases, for both programs: what is shown to another organisation."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from protocols.ledger.releasing import ORDER_BYTES_MAX, PURPOSES
from protocols.live.charters import write_file
from protocols.live.commands import door, file_text
from protocols.live.commands import show as show_json
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.talk import print_line, told
from protocols.records.rows import iso

_FILE = click.Path(path_type=Path, dir_okay=False)


def release_commands(data_option: Option) -> list[click.Command]:
    """Return them for one of the two programs."""
    group = click.Group("release", help="Show whole documents to another organisation.")
    for command in (
        _card(data_option),
        _request(data_option),
        _show(data_option),
        _approve(data_option),
        _apply(data_option),
        _export(data_option),
        _import(data_option),
        _list(data_option),
    ):
        group.add_command(command)
    return [group]


def _card(data_option: Option) -> click.Command:
    @click.command("card", help="Write a file by which others can release to our devices.")
    @data_option
    @passphrase_option
    @click.option("--to", "target", type=_FILE, required=True, help="New file.")
    def card(folder: Path, passphrase_file: Path | None, target: Path) -> None:
        with told(), door(folder, passphrase_file) as book:
            book.call("release_card", target=str(target.absolute()))
        print_line(phrase("release", "card", file=target.name))

    return card


def _request(data_option: Option) -> click.Command:
    @click.command("request", help="Write the order to release patients, for a second to sign.")
    @click.argument("patients", nargs=-1)
    @data_option
    @passphrase_option
    @click.option("--document", "documents", multiple=True, help="Id of one document; repeatable.")
    @click.option("--for", "orgs", multiple=True, required=True, help="Organisation; repeatable.")
    @click.option("--card", "cards", type=_FILE, multiple=True, help="Their `release card` file.")
    @click.option("--purpose", type=click.Choice(tuple(PURPOSES)), required=True)
    @click.option("--basis", required=True, help="The law or agreement; nothing of the patient.")
    @click.option("--to", "target", type=_FILE, required=True, help="New file.")
    @json_option
    def request(  # noqa: PLR0913 - one parameter an option
        patients: tuple[str, ...],
        folder: Path,
        passphrase_file: Path | None,
        documents: tuple[str, ...],
        orgs: tuple[str, ...],
        cards: tuple[Path, ...],
        purpose: str,
        basis: str,
        target: Path,
        as_json: bool,
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            for card in cards:
                book.call("release_meet", source=str(card.absolute()))
            found = book.call("release_request", patients=list(patients), documents=list(documents),
                to=list(orgs), purpose=purpose, basis=basis,
            )  # fmt: skip
            write_file(target, base64.b64decode(found["order"]))
        _print_all(found["releases"], as_json)
        if not as_json:
            if found["left"]:
                print_line(phrase("release", "left", n=found["left"]))
            print_line(phrase("release", "next_approve", file=target.name))

    return request


def _show(data_option: Option) -> click.Command:
    @click.command("show", help="Show what an order would release.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @json_option
    def show(file: Path, folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("release_show", order=file_text(file, ORDER_BYTES_MAX))
        _print_all(found["releases"], as_json)

    return show


def _approve(data_option: Option) -> click.Command:
    @click.command("approve", help="Sign an order as the second coordinator, on another device.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def approve(file: Path, folder: Path, passphrase_file: Path | None, yes: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            order = file_text(file, ORDER_BYTES_MAX)
            if not yes:
                _print_all(book.call("release_show", order=order)["releases"], as_json=False)
                click.confirm(phrase("release", "ask"), abort=True, err=True)
            found = book.call("release_approve", order=order)
            write_file(file, base64.b64decode(found["order"]), replace=True)
        print_line(phrase("release", "next_apply", author=found["releases"][0]["author"]))

    return approve


def _apply(data_option: Option) -> click.Command:
    @click.command("apply", help="Write a signed order: whoever it is for can open it from now on.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @json_option
    def apply(
        file: Path, folder: Path, passphrase_file: Path | None, yes: bool, as_json: bool
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            order = file_text(file, ORDER_BYTES_MAX)
            if not yes:
                _print_all(book.call("release_show", order=order)["releases"], as_json=False)
                click.confirm(phrase("release", "ask"), abort=True, err=True)
            found = book.call("release_apply", order=order)
        _print_all(found, as_json)

    return apply


def _export(data_option: Option) -> click.Command:
    @click.command("export", help="Write releases as a file, for whoever may not hold the scope.")
    @click.argument("releases", nargs=-1, required=True)
    @data_option
    @passphrase_option
    @click.option("--to", "target", type=_FILE, required=True, help="New file.")
    def export(
        releases: tuple[str, ...], folder: Path, passphrase_file: Path | None, target: Path
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            book.call("release_export", releases=list(releases), target=str(target.absolute()))
        print_line(phrase("release", "exported", file=target.name))

    return export


def _import(data_option: Option) -> click.Command:
    @click.command("import", help="Take what another organisation released to this one.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    def take(file: Path, folder: Path, passphrase_file: Path | None) -> None:
        with told(), door(folder, passphrase_file) as book:
            count = book.call("release_import", source=str(file.absolute()))
        print_line(phrase("release", "imported", n=count))

    return take


def _list(data_option: Option) -> click.Command:
    @click.command("list", help="List releases: to whom, when, on which basis, by whom approved.")
    @data_option
    @passphrase_option
    @json_option
    def listed(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("releases")
        _print_all(found, as_json)
        if not found and not as_json:
            print_line(phrase("release", "none"))

    return listed


def _print_all(found: list[dict[str, Any]], as_json: bool) -> None:
    for each in found:
        if as_json:
            show_json(each)
        else:
            _print(each)


def _print(each: dict[str, Any]) -> None:
    values = {
        "at": iso(each["at_ms"]) if each["at_ms"] else phrase("release", "not_written"),
        "scope": each["scope"],
        "documents": len(each["documents"]),
        "orgs": ", ".join(each["recipients"]),
    }
    print_line(phrase("release", "line", **values))
    known = each["purpose"] in PURPOSES
    purpose = phrase("release_purpose", each["purpose"]) if known else each["purpose"]
    print_line("  " + phrase("release", "why", purpose=purpose, basis=each["basis"]))
    signed = each["approver"] or phrase("release", "nobody")
    print_line("  " + phrase("release", "by", author=each["author"], approver=signed))
    print_line("  " + phrase("release", "devices", n=each["devices"], open=each["open_here"]))
    if each["id"]:
        print_line(f"  {each['id']}")
        if not each["counts"]:
            print_line("  " + phrase("release", "does_not_count"))
