"""The commands about erasing, for both programs: `erase` with what belongs to it, and holds."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from protocols.ledger.orders import ORDER_BYTES_MAX, REASONS
from protocols.live.charters import write_file
from protocols.live.clock import now
from protocols.live.commands import door, file_text
from protocols.live.commands import show as show_json
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.talk import print_line, told
from protocols.records.rows import iso

_FILE = click.Path(path_type=Path, dir_okay=False)
DAY_MS = 86_400_000


def erase_commands(data_option: Option) -> list[click.Command]:
    """Return them for one of the two programs."""
    group = click.Group("erase", help="Have what was written about somebody dropped everywhere.")
    for command in (
        _request(data_option),
        _show(data_option),
        _approve(data_option),
        _apply(data_option),
        _status(data_option),
    ):
        group.add_command(command)
    return [group, _hold(data_option), _unhold(data_option)]


def _request(data_option: Option) -> click.Command:
    @click.command("request", help="Show what would go, and write the order for a second to sign.")
    @click.argument("patients", nargs=-1)
    @data_option
    @passphrase_option
    @click.option("--document", "documents", multiple=True, help="Id of one document; repeatable.")
    @click.option("--late", is_flag=True, help="Also what came late to what is erased already.")
    @click.option("--reason", type=click.Choice(tuple(REASONS)), required=True)
    @click.option("--to", "target", type=_FILE, required=True, help="New file.")
    @json_option
    def request(  # noqa: PLR0913 - one parameter an option
        patients: tuple[str, ...],
        folder: Path,
        passphrase_file: Path | None,
        documents: tuple[str, ...],
        late: bool,
        reason: str,
        target: Path,
        as_json: bool,
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("erase_request", patients=list(patients), documents=list(documents),
                late=late, reason=reason,
            )  # fmt: skip
            write_file(target, base64.b64decode(found["order"]))
        _print_order(found, as_json)
        if not as_json:
            print_line(phrase("erase", "next_approve", file=target.name))

    return request


def _show(data_option: Option) -> click.Command:
    @click.command("show", help="Show what an order would erase, as this node knows it.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @json_option
    def show(file: Path, folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            _print_order(book.call("erase_show", order=file_text(file, ORDER_BYTES_MAX)), as_json)

    return show


def _approve(data_option: Option) -> click.Command:
    @click.command("approve", help="Sign an order as the second coordinator, on another device.")
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @json_option
    def approve(
        file: Path, folder: Path, passphrase_file: Path | None, yes: bool, as_json: bool
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            order = file_text(file, ORDER_BYTES_MAX)
            if not yes:
                _print_order(book.call("erase_show", order=order), as_json=False)
                click.confirm(phrase("erase", "ask_approve"), abort=True, err=True)
            found = book.call("erase_approve", order=order)
            write_file(file, base64.b64decode(found["order"]), replace=True)
        if as_json:
            _print_order(found, as_json)
        else:
            print_line(phrase("erase", "next_apply", author=found["author"]))

    return approve


def _apply(data_option: Option) -> click.Command:
    @click.command("apply", help="Write a signed order: every holder drops what it names.")
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
                _print_order(book.call("erase_show", order=order), as_json=False)
                click.confirm(phrase("erase", "ask_apply"), abort=True, err=True)
            found = book.call("erase_apply", order=order)
        if as_json:
            show_json(found)
        else:
            print_line(phrase("erase", "applied"))

    return apply


def _status(data_option: Option) -> click.Command:
    @click.command("status", help="List every erase: who confirmed it, who has not yet.")
    @data_option
    @passphrase_option
    @json_option
    def status(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("erases")
        _print_state(found, as_json)

    return status


def _hold(data_option: Option) -> click.Command:
    @click.command("hold", help="A legal hold: nothing of these patients is erased until `unhold`.")
    @click.argument("patients", nargs=-1)
    @data_option
    @passphrase_option
    @click.option("--document", "documents", multiple=True, help="Id of one document; repeatable.")
    @json_option
    def hold(
        patients: tuple[str, ...],
        folder: Path,
        passphrase_file: Path | None,
        documents: tuple[str, ...],
        as_json: bool,
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("hold", patients=list(patients), documents=list(documents))
        _print_state(found, as_json)

    return hold


def _unhold(data_option: Option) -> click.Command:
    @click.command("unhold", help="Lift a legal hold; what it kept from being erased goes then.")
    @click.argument("hold")
    @data_option
    @passphrase_option
    @json_option
    def unhold(hold: str, folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("unhold", hold=hold)
        _print_state(found, as_json)

    return unhold


def _print_order(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json({name: value for name, value in found.items() if name != "order"})
        return
    for patient, code in found["patients"]:
        print_line(phrase("erase", "patient", code=code or "?", id=patient))
    print_line(phrase("erase", "counts", documents=found["documents"], entries=found["entries"]))
    if found["first_ms"]:
        first, last = iso(found["first_ms"]), iso(found["last_ms"])
        print_line(phrase("erase", "between", first=first, last=last))
    if found["unknown"]:
        print_line(phrase("erase", "unknown", n=found["unknown"]))
    if found["held"]:
        print_line(phrase("erase", "held", n=found["held"]))
    print_line(phrase("erase", "why", reason=phrase("erase_reason", found["reason"])
                      if found["reason"] in REASONS else found["reason"]))  # fmt: skip
    print_line(phrase("erase", "asked_by", author=found["author"]))
    if found["approver"]:
        print_line(phrase("erase", "signed_by", approver=found["approver"]))
    if found["needs_issuer"]:
        word = "issuer" if found["issuers"] else "no_issuer"
        print_line(phrase("erase", word, names=", ".join(found["issuers"])))
    if found["beyond"]:
        print_line(phrase("erase", "beyond", n=found["beyond"]))
    if found["unread"]:
        print_line(phrase("erase", "unread", scopes=", ".join(found["unread"])))
    names = ", ".join(each["name"] or each["device"][:16] for each in found["holders"])
    print_line(phrase("erase", "holders", n=len(found["holders"]), names=names))


def _print_state(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    if not found["erases"] and not found["holds"]:
        print_line(phrase("erase", "none"))
    for each in found["erases"]:
        values = {"author": each["author"], "approver": each["approver"]}
        at, entries = iso(each["at_ms"]), each["entries"]
        print_line(phrase("erase", "line", at=at, entries=entries, **values))
        if not each["counts"]:
            print_line("  " + phrase("erase", "does_not_count"))
        if each["held"]:
            print_line("  " + phrase("erase", "held", n=each["held"]))
        for one in each["confirmed"]:
            print_line("  " + phrase("erase", "confirmed", name=_name(one), at=iso(one["at_ms"])))
        for one in each["missing"]:
            print_line("  " + _missing(one))
    for each in found["holds"]:
        print_line(phrase("erase", "hold", id=each["id"], documents=each["documents"]))
    if found["late_entries"]:
        print_line(phrase("erase", "late", n=found["late_entries"]))


def _missing(one: dict[str, Any]) -> str:
    if not one["at_ms"]:
        return phrase("erase", "missing_never", name=_name(one))
    days = max(now().wall_ms - one["at_ms"], 0) // DAY_MS
    return phrase("erase", "missing", name=_name(one), at=iso(one["at_ms"]), days=days)


def _name(one: dict[str, Any]) -> str:
    return str(one["name"] or one["device"][:16])
