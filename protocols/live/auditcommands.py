"""The command that lists the audit trail, for both programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from protocols.ledger.audit import LINES_MAX
from protocols.live.commands import Door, door, show
from protocols.live.membercommands import instant
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.talk import print_line, told
from protocols.records.rows import iso
from protocols.trust.audit import What

WHATS = tuple(each.name.lower().replace("_", "-") for each in What)
ID_CHARS = 16
"""Of an id as lists print it."""


def audit_command(data_option: Option) -> click.Command:
    """Return `audit` for one of the two programs."""

    @click.command(
        "audit",
        help="List what was done that others must be able to see: reads, exports, overrides, seals,"
        " logins; and how whole and how old each device's trail is.",
    )
    @data_option
    @passphrase_option
    @click.option("--since", help="ISO time: only from then on.")
    @click.option("--until", help="ISO time: only before it.")
    @click.option("--what", multiple=True, type=click.Choice(WHATS), help="Repeatable.")
    @click.option("--person", default="", help="Part of a person's or an account's name.")
    @click.option("--device", default="", help="Id of a device, or part of its name.")
    @json_option
    def audit(  # noqa: PLR0913 - one parameter an option
        folder: Path,
        passphrase_file: Path | None,
        since: str | None,
        until: str | None,
        what: tuple[str, ...],
        person: str,
        device: str,
        as_json: bool,
    ) -> None:
        with told():
            asked: dict[str, Any] = {"what": list(what), "person": person, "device": device}
            if since is not None:
                asked["since_ms"] = instant(since)
            if until is not None:
                asked["until_ms"] = instant(until)
            with door(folder, passphrase_file) as book:
                # The trail of devices last: what is whole is what was just listed.
                for each in _lines(book, asked):
                    _print(each, as_json)
                for each in book.call("audit_trails"):
                    _print_trail(each, as_json)

    return audit


def _lines(book: Door, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    offset = 0
    while True:
        page = book.call("audit", **asked, offset=offset, limit=LINES_MAX)
        yield from page["lines"]
        offset += len(page["lines"])
        if not page["lines"] or offset >= page["total"]:
            return


def _print(each: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show({"item": each["what"], "at": iso(each["at_ms"]), **each})
        return
    who = (
        each["person_name"]
        or each["person"][:ID_CHARS]
        or each["account"]
        or phrase("trail", "nobody")
    )
    words = [
        iso(each["at_ms"]) or "?",
        each["what"].replace("_", " "),
        each["device_name"] or each["device"][:ID_CHARS],
        each["org"],
        who or phrase("trail", "nobody"),
        each["patient"],
        f"x{each['count']}" if each["count"] > 1 else "",
        phrase("trail", "sealed") if each["sealed"] else each["reason"],
        phrase("trail", "forked_trail") if each["forked"] else "",
    ]
    print_line("  ".join(word for word in words if word))


def _print_trail(each: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show({"trail": each["device"], "known_until": iso(each["newest_ms"]), **each})
        return
    name, org = each["device_name"] or each["device"][:ID_CHARS], each["org"]
    words = [
        f"{name} ({org or phrase('trail', 'no_org')})",
        phrase("trail", "known", at=iso(each["newest_ms"])),
        phrase("trail", "whole") if each["whole"] else _lacking(each),
    ]
    print_line(phrase("trail", "of", words=", ".join(words)))


def _lacking(each: dict[str, Any]) -> str:
    lacking = []
    if each["held"] < each["known"]:
        lacking.append(phrase("trail", "missing", n=each["known"] - each["held"]))
    if each["forked"]:
        lacking.append(phrase("trail", "forked"))
    if each["unreadable"]:
        lacking.append(phrase("trail", "unreadable", n=each["unreadable"]))
    return ", ".join(lacking)
