"""The commands about shipments, recalls and the cold chain, for both programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import click

from protocols.errors import InputError
from protocols.guidelines.coldchain import Reading
from protocols.live.clock import now
from protocols.live.commands import door, show
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.phrases import phrase
from protocols.live.talk import print_line, told
from protocols.records.loggers import FILE_BYTES_MAX, ORDERS, Log, read_log
from protocols.records.reading import celsius, runs_of
from protocols.records.recall import LEVELS, REASONS
from protocols.records.rows import iso

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
LINES_AT_ONCE = 32
"""Runs of readings sent in one call: some 200 kB."""


def supply_commands(data_option: Option) -> list[click.Command]:
    """Return them for one of the two programs."""
    recall = click.Group("recall", help="Recall a lot everywhere; what stores hold and gave of it.")
    for command in (_recall_lot(data_option), _recalls(data_option), _recipients(data_option)):
        recall.add_command(command)
    cold = click.Group("coldchain", help="Temperatures of fridges and freezers.")
    for command in (_import(data_option), _units(data_option), _quarantine(data_option)):
        cold.add_command(command)
    return [recall, cold, _shipments(data_option)]


def _shipments(data_option: Option) -> click.Command:
    @click.command("shipments", help="What stores asked of each other, and how far it has come.")
    @data_option
    @passphrase_option
    @click.option("--store", default="", help="Id of one store.")
    @click.option("--all", "closed", is_flag=True, help="Those that are over too.")
    @json_option
    def shipments(
        folder: Path, passphrase_file: Path | None, store: str, closed: bool, as_json: bool
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("shipments", store=store, closed=closed)
        if as_json:
            show(found)
            return
        for each in found["lines"]:
            names = {"donor": each["donor_name"] or "-", "to": each["to_name"] or "-"}
            state = phrase("shipment", each["state"])
            print_line(phrase("shipment", "line", id=each["shipment"], state=state, **names))
            for part in each["parts"]:
                values = {key: part[key] for key in ("item", "lot", "wanted", "sent", "arrived")}
                print_line("  " + phrase("shipment", "part", transit=part["transit"], **values))
        if not found["lines"]:
            print_line(phrase("shipment", "none"))

    return shipments


def _recall_lot(data_option: Option) -> click.Command:
    @click.command("lot", help="Recall one lot: from now on nobody is given any of it.")
    @click.argument("item")
    @click.argument("lot")
    @data_option
    @passphrase_option
    @click.option("--why", type=click.Choice(REASONS), required=True)
    @click.option("--level", type=click.Choice(LEVELS), default="unknown")
    @click.option("--issuer", default="", help="Who recalled it.")
    @json_option
    def recall(  # noqa: PLR0913 - one parameter an option
        item: str,
        lot: str,
        folder: Path,
        passphrase_file: Path | None,
        why: str,
        level: str,
        issuer: str,
        as_json: bool,
    ) -> None:
        data = {"item": item, "lot": lot, "why": why, "level": level}
        if issuer:
            data["issuer"] = issuer
        key = f"recall-{now().entropy(8).hex()}"
        line = {"v": 1, "kind": "lot.recall", "key": key, "data": data}
        with told(), door(folder, passphrase_file) as book:
            (answer,) = _written(book.record([line]))
            found = book.call("recalls")
        ours = [each for each in found["lines"] if each["fact"] in answer["facts"]]
        _print_recalls(ours, as_json)

    return recall


def _recalls(data_option: Option) -> click.Command:
    @click.command("list", help="Recalls that hold, and what each store holds and gave.")
    @data_option
    @passphrase_option
    @json_option
    def recalls(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("recalls")
        _print_recalls(found["lines"], as_json)
        if not found["lines"] and not as_json:
            print_line(phrase("recall", "none"))

    return recalls


def _recipients(data_option: Option) -> click.Command:
    @click.command("patients", help="Who received of a lot; it stands in the audit trail.")
    @click.argument("item")
    @click.argument("lot")
    @data_option
    @passphrase_option
    @click.option("--reason", default="", help="Why other teams' patients are named.")
    @json_option
    def patients(
        item: str,
        lot: str,
        folder: Path,
        passphrase_file: Path | None,
        reason: str,
        as_json: bool,
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("recall_patients", item=item, lot=lot, reason=reason)
        if as_json:
            show(found)
            return
        for each in found["lines"]:
            at, how = iso(each["at_ms"]) or "-", phrase("recall", each["how"])
            print_line(phrase("recall", "patient", code=each["code"], name=each["name"], at=at,
                              how=how, n=each["units"]))  # fmt: skip
        print_line(phrase("recall", "patients", n=found["total"]))

    return patients


def _print_recalls(lines: Sequence[dict[str, Any]], as_json: bool) -> None:
    for each in lines:
        if as_json:
            show(each)
            continue
        print_line(phrase("recall", "line", item=each["item"], lot=each["lot"], why=each["why"],
                          level=each["level"], at=iso(each["at_ms"]) or "-"))  # fmt: skip
        for said in each["stores"]:
            low, high = said["low"], said["high"]
            held = str(low) if low == high else f"{low}-{high}"
            name = said["name"] or said["store"]
            print_line("  " + phrase("recall", "store", name=name, held=held, gave=said["gave"],
                                     sent=said["sent"], at=iso(said["at_ms"]) or "-"))  # fmt: skip
        print_line("  " + phrase("recall", "beside", transit=each["transit"], n=each["patients"]))


def _import(data_option: Option) -> click.Command:
    @click.command(
        "import",
        help="Take in a logger's file: HOBOware CSV or EasyLog USB CSV. Readings that are here"
        " already are left out.",
    )
    @click.argument("file", type=_FILE)
    @data_option
    @passphrase_option
    @click.option("--unit", required=True, help="How the fridge is called: 'fridge 1'.")
    @click.option("--store", required=True, help="Id of the site it stands in.")
    @click.option("--cold", default="", help="room, cool, fridge, freezer or ultra.")
    @click.option("--dates", type=click.Choice(ORDERS), help="Order of day, month and year.")
    @click.option("--utc-offset", "offset", default="", help="Of the logger's clock: +02:00.")
    @click.option("--dry-run", is_flag=True, help="Only say what would be taken in.")
    @json_option
    def take(  # noqa: PLR0913 - one parameter an option
        file: Path,
        folder: Path,
        passphrase_file: Path | None,
        unit: str,
        store: str,
        cold: str,
        dates: str | None,
        offset: str,
        dry_run: bool,
        as_json: bool,
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            with file.open("rb") as opened:
                raw = opened.read(FILE_BYTES_MAX + 1)
            log = read_log(raw, order=dates or "", offset_min=minutes_of(offset))
            held = {tuple(each) for each in book.call("cold_known", store=store, unit=unit)}
            fresh = [each for each in log.readings if tuple(each) not in held]
            lines = list(_lines(log, fresh, store=store, unit=unit, cold=cold))
            for at in range(0, len(lines) if not dry_run else 0, LINES_AT_ONCE):
                _written(book.record(lines[at : at + LINES_AT_ONCE]))
        tenths = [each.tenths for each in log.readings]
        said = {
            "layout": log.layout,
            "serial": log.serial,
            "since": iso(log.readings[0].minute * 60_000),
            "until": iso(log.readings[-1].minute * 60_000),
            "readings": len(log.readings),
            "fresh": len(fresh),
            "skipped": log.skipped,
            "low": celsius(min(tenths)),
            "high": celsius(max(tenths)),
        }
        if as_json:
            show({**said, "written": 0 if dry_run else len(lines), "dry_run": dry_run})
            return
        print_line(phrase("coldchain", "file", **said))
        print_line(phrase("coldchain", "dry" if dry_run else "taken", fresh=len(fresh)))

    return take


def _lines(
    log: Log, fresh: Sequence[Reading], *, store: str, unit: str, cold: str
) -> Iterator[dict[str, Any]]:
    """Return one line for each run, under a key that its content has again whenever it is read."""
    device = {"make": log.make, "model": "", "serial": log.serial}
    for began, run in runs_of(fresh):
        data: dict[str, Any] = {"unit": unit, "began_min": began, "run": run}
        if cold:
            data["cold"] = cold
        content = repr((store, sorted(data.items()), log.serial)).encode()
        key = f"reading-{blake2b(content, digest_size=12).hexdigest()}"
        line = {"v": 1, "kind": "reading.record", "key": key, "store": store, "source": "import"}
        yield {**line, "device": device, "data": data}


def _units(data_option: Option) -> click.Command:
    @click.command("list", help="Units with their newest temperature and their episodes.")
    @data_option
    @passphrase_option
    @click.option("--store", default="", help="Id of one store.")
    @json_option
    def units(folder: Path, passphrase_file: Path | None, store: str, as_json: bool) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("cold_units", store=store)
        if as_json:
            show(found)
            return
        for each in found["lines"]:
            print_line(phrase("coldchain", "unit", store=each["store_name"], unit=each["unit"],
                              celsius=celsius(each["newest_tenths"]),
                              at=iso(each["newest_ms"]) or "-"))  # fmt: skip
            for one in each["episodes"]:
                word = phrase("coldchain", "alarms" if one["alarms"] else "short")
                print_line("  " + phrase("coldchain", "episode", limit=one["limit"], word=word,
                                         minutes=one["minutes"], since=iso(one["since_ms"]) or "-",
                                         worst=celsius(one["worst_tenths"]),
                                         lots=len(one["lots"])))  # fmt: skip
        if not found["lines"]:
            print_line(phrase("coldchain", "none"))
        elif not found["approved"]:
            print_line(phrase("coldchain", "not_approved"))

    return units


def _quarantine(data_option: Option) -> click.Command:
    @click.command("quarantine", help="Hold back every lot that a unit's alarms may have harmed.")
    @data_option
    @passphrase_option
    @click.option("--unit", required=True)
    @click.option("--store", required=True, help="Id of the site it stands in.")
    @click.option("--dry-run", is_flag=True, help="Only say which lots.")
    @json_option
    def quarantine(
        folder: Path,
        passphrase_file: Path | None,
        unit: str,
        store: str,
        dry_run: bool,
        as_json: bool,
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            found = book.call("cold_units", store=store)
            asked = [each for each in found["lines"] if each["unit"].lower() == unit.lower()]
            if not asked:
                raise InputError("not_found", field="unit")
            lots = sorted(
                {
                    (lot["item"], lot["lot"])
                    for one in asked[0]["episodes"]
                    for lot in one["lots"]
                    if not lot["quarantined"]
                }
            )
            lines = [
                {
                    "v": 1,
                    "kind": "lot.quarantine",
                    "key": f"excursion-{now().entropy(8).hex()}",
                    "store": store,
                    "data": {"item": item, "lot": lot, "why": "excursion"},
                }
                for item, lot in lots
            ]
            if lines and not dry_run:
                _written(book.record(lines))
        for item, lot in lots:
            if as_json:
                show({"item": item, "lot": lot, "quarantined": not dry_run})
            else:
                print_line(phrase("coldchain", "held", item=item, lot=lot))
        if not lots and not as_json:
            print_line(phrase("coldchain", "nothing_held"))

    return quarantine


def _written(answers: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return answers, all of which were taken.

    Raises:
        InputError: As the first that was not.
    """
    for each in answers:
        if not each["ok"]:
            code = each.get("error") or "not_writable"
            allowed = tuple(each.get("allowed") or ())
            raise InputError(code, field=each.get("field"), allowed=allowed)
    return answers


_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)


def minutes_of(text: str) -> int | None:
    """Return how far a clock is ahead of UTC, in minutes; None for ''.

    Raises:
        InputError: `bad_value`.
    """
    if not text.strip():
        return None
    match = _OFFSET.fullmatch(text.strip())
    minutes = int(match[2]) * 60 + int(match[3]) if match else 0
    if match is None or minutes > 14 * 60:
        raise InputError("bad_value", field="utc_offset", allowed=("+02:00", "-05:00"))
    return -minutes if match[1] == "-" else minutes
