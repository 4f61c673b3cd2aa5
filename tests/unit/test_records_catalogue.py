"""Kinds, lines, codes and bytes: what other programs rely on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import protocols.guidelines
import protocols.records
from protocols.errors import InputError
from protocols.ids import DeviceId, DocId, Epoch, PatientId, SessionId, SiteId
from protocols.records import immunization, pack, supplies
from protocols.records.catalogue import (
    BY_NAME,
    BY_NUMBER,
    KINDS,
    ROW_TABLES,
    decode_fact,
    encode_fact,
)
from protocols.records.codes import CONFIRMABLE, ERRORS, WARNINGS
from protocols.records.commands import CONFIRM_MAX, fingerprint, parse_line
from protocols.records.identity import ALPHABET, code_tag, parse_code, short_code
from protocols.records.patient import PatientRegister
from protocols.records.projection import project
from protocols.records.rows import _WORDS, attributes, fact_json, kind_name, summary, to_json
from protocols.records.shape import Row, columns, values
from protocols.records.strict import read_line
from tests.unit.records_shelf import FULL_PERSON, Shelf, Written


def ward() -> tuple[Shelf, dict[str, Written]]:
    """Return a shelf that holds what the examples name."""
    shelf = Shelf()
    held = {"$patient": shelf.write("patient.register", {"tags": ["B12"]})}
    held["$other"] = shelf.write("patient.register", {"given_name": "Other"})
    shelf.write("encounter.open", patient={"tag": "B12"})
    held["$note"] = shelf.write("note.add", {"text": "x"}, patient={"tag": "B12"})
    held["$triage"] = shelf.write("triage.record", {"category": "red"}, patient={"tag": "B12"})
    spo2 = {"code": "spo2", "value": "94", "unit": "%"}
    held["$unassigned"] = shelf.write("observation.record", spo2, source="device")
    pills = {
        "substance": "amoxicillin",
        "dose": {"value": "250", "unit": "mg"},
        "route": "oral",
        "frequency": {"way": "times-a-day", "every": 2},
    }
    other = Shelf("b")
    other.receive(shelf)
    to = {"to": {"organisation": "Red Crescent"}}
    held["$offer"] = other.write("transfer.offer", to, patient={"tag": "B12"})
    shelf.receive(other)
    stay = {"patient": {"tag": "B12"}}
    opened = {"vaccines": ["mr"], "cells": [{"vaccine": "mr", "dose": 1}]}
    held["$session"] = shelf.write("session.open", opened)
    vial = {"session": str(SessionId(held["$session"].subject)), "item": "vaccine-mr-10"}
    held["$vial"] = shelf.write("vial.open", {**vial, "lot": "MR-0172B"})
    card = {"source": "paper", "at": "2026-02-03", **stay}
    held["$dose"] = shelf.write("dose.record", {"vaccine": "bcg"}, **card)
    again = {**card, "confirm": ["dose_given_already"]}
    held["$twin"] = shelf.write("dose.record", {"vaccine": "bcg"}, **again)
    held["$order"] = shelf.write("order.place", pills, patient={"tag": "B12"})
    _stored(shelf, held)
    return shelf, held


def _stored(shelf: Shelf, held: dict[str, Written]) -> None:
    """Put on the shelf what the examples of stores name."""
    held["$store"] = shelf.write("site.register", {"name": "Store", "type": "store"})
    held["$ward"] = shelf.write("site.register", {"name": "Ward", "type": "ward"})
    store = str(SiteId(held["$store"].subject))
    ors = {"item": "ors-1l-sachet", "units": 200, "lot": "A1047"}
    held["$movement"] = shelf.write("stock.receive", ors, store=store)
    held_back = {"item": "ors-1l-sachet", "lot": "Q7", "why": "damaged"}
    shelf.write("lot.quarantine", held_back, store=store)
    counted = {"item": "ors-1l-sachet", "lots": [{"lot": "A1047", "units": 200}]}
    shelf.write("stock.count", counted, store=store)
    before = {**ors, "units": 4}
    held["$maybe"] = shelf.write("stock.issue", before, store=store, at="2026-05-28T20:00Z")
    shelf.write("stock.receive", {**ors, "lot": "A1"}, store=store)
    wanted = {"lines": [{"item": "ors-1l-sachet", "units": 200}]}
    held["$request"] = shelf.write("requisition.place", wanted, store=store)
    sent = {"to": str(SiteId(held["$ward"].subject)), "lines": [{**ors, "units": 20, "lot": "A1"}]}
    other = Shelf("c")
    other.receive(shelf)
    depot = other.write("site.register", {"name": "Depot", "type": "store"})
    far = str(SiteId(depot.subject))
    other.write("stock.receive", {**ors, "lot": "A1"}, store=far)
    held["$dispatch"] = other.write("shipment.dispatch", sent, store=far)
    shelf.receive(other)


def filled(value: Any, held: dict[str, Written]) -> Any:
    """Return an example with the ids it can only know at run time."""
    if isinstance(value, dict):
        return {key: filled(part, held) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, held) for part in value]
    if value == "$other":
        return held["$other"].id
    if value in ("$store", "$ward"):
        return str(SiteId(held[value].subject))
    if value == "$session":
        return str(SessionId(held["$session"].subject))
    if isinstance(value, str) and value in held:
        return held[value].fact
    return value


@pytest.mark.parametrize("name", BY_NAME)
def test_the_example_of_every_kind_is_taken_and_becomes_rows(name):
    shelf, held = ward()
    line = filled(BY_NAME[name].example, held)

    written = shelf.write(**{key: part for key, part in line.items() if key != "v"})

    assert written.refs
    for row in shelf.rows(written.subject):
        assert msgspec.json.encode(to_json(row))
    for fact in shelf.facts(written.subject):
        assert msgspec.json.encode(fact_json(fact))
        assert all(isinstance(part, str) for pair in summary(fact) for part in pair)


def test_kind_numbers_and_names_are_unique():
    assert len(BY_NUMBER) == len(KINDS)
    assert len(BY_NAME) == sum(bool(kind.name) for kind in KINDS)


def test_every_row_column_can_be_stored():
    for table in ROW_TABLES:
        for _, annotation in columns(table):
            assert annotation.removesuffix(" | None") in ("int", "str", "bytes")
    assert len({table.TABLE for table in ROW_TABLES}) == len(ROW_TABLES)


def test_every_column_of_bytes_is_told_to_programs_in_words():
    """`fieldnode rows` prints JSON, which has none; rows of a kind that no example writes too."""
    told = {**supplies.COLUMNS, **immunization.COLUMNS, **pack.COLUMNS}
    for table in ROW_TABLES:
        for name, annotation in columns(table):
            if "bytes" in annotation and name not in ("id", "supersedes"):
                assert (table.TABLE, name) in told or name in _WORDS, (table.TABLE, name)


def test_row_values_are_plain_and_in_column_order():
    shelf = Shelf()
    patient = shelf.write("patient.register", FULL_PERSON)
    row: Row = shelf.patient(patient.subject)

    held = dict(zip([name for name, _ in columns(type(row))], values(row), strict=True))

    assert (held["id"], held["family"]) == (patient.subject, "Nkurunziza")
    assert all(isinstance(value, int | str | bytes | None) for value in held.values())


def refusals() -> Iterator[tuple[Path, ast.Call]]:
    """Yield every InputError that is made in the rooms a line passes through."""
    for room in (protocols.records, protocols.guidelines):
        for file in Path(str(room.__file__)).parent.glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
                    yield file, node


def raised_codes() -> set[object]:
    """Return the first argument of every one of them."""
    firsts = [call.args[0] for _, call in refusals()]
    return {first.value for first in firsts if isinstance(first, ast.Constant)}


def test_every_error_a_line_can_get_is_in_the_closed_list():
    assert raised_codes() <= set(ERRORS)


SPEAKS_OF: dict[Any, str] = {
    **dict.fromkeys(("too_long", "too_many", "too_precise", "too_deep"), "limit"),
    "not_taken": "kind",
}


def test_an_error_whose_sentence_speaks_of_a_value_carries_it():
    lacking = [
        f"{file.name}:{call.lineno}"
        for file, call in refusals()
        if isinstance(call.args[0], ast.Constant)
        and (name := SPEAKS_OF.get(call.args[0].value))
        and name not in {keyword.arg for keyword in call.keywords}
    ]

    assert not lacking
    assert all(f"`{name}`" in ERRORS[code] for code, name in SPEAKS_OF.items())


def test_every_code_has_a_sentence():
    for sentence in (ERRORS | WARNINGS).values():
        assert sentence.endswith(".")
        assert sentence[0].isupper()
    assert set(CONFIRMABLE) <= set(WARNINGS)


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ({}, "missing_field", "v"),
        ({"v": 2, "key": "k", "kind": "note.add"}, "bad_version", "v"),
        ({"v": 1, "key": "k", "kind": "note.burn"}, "unknown_kind", "kind"),
        ({"v": 1, "key": "k", "kind": "document.open"}, "unknown_kind", "kind"),
        ({"v": 1, "key": "k", "kind": ""}, "unknown_kind", "kind"),
        ({"v": 1, "key": "k", "kind": "note.add", "colour": 1}, "unknown_field", "colour"),
        ({"v": 1, "key": "k", "kind": "note.add", "data": {}}, "missing_field", "data.text"),
        (
            {"v": 1, "key": "k", "kind": "note.add", "data": {"text": "x", "a`b": 1}},
            "unknown_field",
            "data.a`b",
        ),
        ({"v": 1, "key": "k", "kind": "note.add", "data": []}, "wrong_type", "data"),
        (
            {"v": 1, "key": "k", "kind": "note.add", "patient": {"tga": "x"}},
            "unknown_field",
            "patient.tga",
        ),
        ({"v": 1, "key": "k", "kind": "note.add", "patient": 7}, "wrong_type", "patient"),
        (
            {"v": 1, "key": "k", "kind": "note.add", "data": {"text": "x"}, "store": "s"},
            "not_taken",
            "store",
        ),
        (
            {"v": 1, "key": "k", "kind": "note.add", "data": {"text": "x"}, "supersedes": ["x"]},
            "bad_id",
            "supersedes",
        ),
        (
            {
                "v": 1,
                "key": "k",
                "kind": "observation.record",
                "data": {"set": [{"code": "x", "u": 1}]},
            },
            "unknown_field",
            "data.set.0.u",
        ),
    ],
)
def test_a_wrong_line_is_refused_by_path(line, code, field):
    with pytest.raises(InputError) as refused:
        parse_line(line)

    assert (refused.value.code, refused.value.field) == (code, field)


def test_an_unknown_field_is_answered_with_those_there_are():
    line = {"v": 1, "key": "k", "kind": "patient.register", "data": {"next_of_kin": {"nme": "x"}}}

    with pytest.raises(InputError) as refused:
        parse_line(line)

    assert refused.value.allowed == ("name", "relation", "phone")


def test_a_line_that_confirms_whatever_there_is_is_refused():
    line = {"v": 1, "key": "k", "kind": "note.add", "data": {"text": "x"}}
    doubts = list(CONFIRMABLE)

    assert len(parse_line(line | {"confirm": doubts[:CONFIRM_MAX]}).confirm) == CONFIRM_MAX
    with pytest.raises(InputError) as refused:
        parse_line(line | {"confirm": doubts})

    assert (refused.value.code, refused.value.field) == ("too_many", "confirm")
    # Whatever a dose of vaccine can be asked at once fits.
    assert sum(code.startswith(("dose_", "vial_", "vvm_")) for code in doubts) < CONFIRM_MAX - 3


@pytest.mark.parametrize("text", [b"", b"[1]", b"{", b'{"a": 1} 2', b"\xff", b"[" * 50_000])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(InputError) as refused:
        read_line(text)

    assert refused.value.code == "bad_json"


def test_a_line_has_one_fingerprint_whatever_the_order_of_its_fields():
    one = {"v": 1, "kind": "note.add", "data": {"text": "x", "topic": "note"}}
    other = {"data": {"topic": "note", "text": "x"}, "kind": "note.add", "v": 1}

    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint({**one, "v": 2})


def test_a_later_version_may_add_fields_and_an_older_one_may_miss_them():
    raw = msgspec.msgpack.encode([None, [], 7, "Nkurunziza", *[None] * 40, "from the future"])

    record = decode_fact(8, raw)

    assert isinstance(record, PatientRegister)
    assert (record.family_name, record.code_no) == ("Nkurunziza", 7)
    assert decode_fact(8, b"\x90") == PatientRegister()


def test_a_reference_to_the_founding_entry_takes_three_bytes():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"given_name": "A"})
    edit = shelf.write("patient.identify", {"given_name": "B"}, patient=patient.id)
    fact = shelf.facts(patient.subject)[-1]
    assert fact.record is not None

    short = encode_fact(9, fact.record, DocId(patient.subject))
    whole = msgspec.structs.replace(
        fact.record, supersedes=((bytes(patient.refs[0].entry), patient.refs[0].index),)
    )

    assert len(encode_fact(9, whole)) - len(short) == 16
    assert edit.refs[0].entry != patient.refs[0].entry
    (row,) = shelf.table(patient.subject, "patient")
    assert row.given == "B"


def test_a_fact_of_an_unknown_kind_is_kept_and_shown_as_such():
    shelf = Shelf()
    patient = shelf.write("patient.register")
    facts = list(shelf.facts(patient.subject))
    unknown = msgspec.structs.replace(facts[-1], kind=99, record=None, index=7)

    rows = project(1, patient.subject, [*facts, unknown])

    assert [row.kind for row in rows if row.TABLE == "unreadable"] == [99]
    assert kind_name(99) == "#99"
    assert summary(unknown) == (("unreadable", "#99"),)


def test_the_chart_lists_all_values_of_an_attribute():
    here, there = Shelf("a"), Shelf("b")
    patient = here.write("patient.register", {"sex": "female"})
    there.receive(here)
    here.write("patient.identify", {"given_name": "Alice"}, patient=patient.id)
    there.write("patient.identify", {"given_name": "Celine"}, patient=patient.id)
    here.receive(there)

    shown = attributes(here.history(patient.subject))

    assert [(one.name, len(one.said)) for one in shown] == [("given_name", 2), ("sex", 1)]


def test_rows_speak_in_words():
    shelf = Shelf()
    patient = shelf.write("triage.record", {"category": "red"}, patient={"tag": "C07"})

    said = to_json(shelf.patient(patient.subject))

    assert (said["triage"], said["sex"], said["standing"]) == ("red", "unknown", "stands")
    assert said["id"] == str(PatientId(patient.subject))
    assert said["arrived_at"] == "2026-05-28T20:26:40.000Z"
    assert said["triage_at"] == said["at"]


def test_rows_are_hashable_structs_of_their_table():
    assert all(issubclass(table, Row) and table.TABLE for table in ROW_TABLES)


CODE = short_code(code_tag(DeviceId(bytes(32)), Epoch(bytes(8))), 41)


def test_a_code_is_read_back_however_it_was_typed():
    assert parse_code(CODE.lower().replace("-", " ")) == CODE
    assert parse_code(CODE.replace("-", "")) == CODE


def test_every_single_wrong_letter_is_caught():
    letters = CODE.replace("-", "")
    for at, right in enumerate(letters):
        for wrong in set(ALPHABET) - {right}:
            with pytest.raises(InputError):
                parse_code(letters[:at] + wrong + letters[at + 1 :])


def test_every_swap_of_neighbours_is_caught():
    letters = CODE.replace("-", "")
    for at in range(len(letters) - 1):
        if letters[at] != letters[at + 1]:
            swapped = letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :]
            with pytest.raises(InputError):
                parse_code(swapped)


def test_codes_of_one_device_differ_and_grow_longer_only_after_12166():
    tag = CODE[:3] + CODE[4:6]
    codes = {short_code(tag, number) for number in range(13_000)}

    assert len(codes) == 13_000
    assert len(short_code(tag, 12_166)) < len(short_code(tag, 12_167))


def test_another_epoch_of_a_device_has_another_tag():
    device = DeviceId(bytes(32))

    assert code_tag(device, Epoch(bytes(8))) != code_tag(device, Epoch(b"\1" * 8))
