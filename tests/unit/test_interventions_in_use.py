"""A signed pack of another country says what is given beside vaccines, with no code."""

from __future__ import annotations

from datetime import date

from protocols.guidelines.canonical import canonical, packed
from protocols.live import besides
from protocols.mesh.effects import Now
from protocols.trust.packs import pack_digest, sign_pack
from protocols.trust.statements import pack as bytes_of
from tests.unit.people import founder
from tests.unit.stage import WALL_MS
from tests.unit.test_items_in_use import b64, one

NOW = Now(WALL_MS, 0, bytes)

NATIONAL = """
[pack]
name = "interventions"
version = "2"
title = "Beside vaccines, Ourland"
source = "Ministry of Health, campaign guide"
status = "memory"

[[intervention]]
code = "zinc"
words = { en = "Zinc", fr = "Zinc" }
short = { en = "Zn", fr = "Zn" }
interval = "2 w"
vaccines = ["mr"]

[[intervention.age]]
from = "2 mo"
below = "5 y"
substance = "zinc"
value = "20"
unit = "mg"
route = "oral"
"""


def publish(device, text):
    authority, raw = device.ledger.authority, canonical(text)
    name = "interventions"
    signed = sign_pack(authority.keys, authority.operation, name, "2", pack_digest(raw))
    data = {"pack": b64(packed(raw)), "signed": b64(bytes_of(signed))}
    answer = one(device, "pack.publish", data)
    assert answer.ok, answer


def lines(device, session, age=22, unit="mo"):
    asked = {"session": session, "age": age, "unit": unit}
    told = besides.child(device.node, NOW, asked, opened=lambda _: True)
    return told.beside_pack, {line.code: line for line in told.beside}


def test_a_published_pack_replaces_the_whole_of_ours():
    ann = founder()
    ours = {"vaccines": ["mr"], "interventions": ["vitamin-a"]}
    before = one(ann, "session.open", ours).id
    assert lines(ann, before)[0] == "interventions 1"

    publish(ann, NATIONAL)

    theirs = {"vaccines": ["mr"], "interventions": ["zinc"]}
    session = one(ann, "session.open", theirs).id
    pack, told = lines(ann, session)
    assert (pack, told["zinc"].state, told["zinc"].medicine.value) == (
        "interventions 2",
        "due",
        "20",
    )
    refused = one(ann, "session.open", {**ours, "place": "again"})
    assert (refused.error, refused.allowed) == ("bad_value", ("zinc",))
    # A session of before still says what it was opened with, of which nothing is known any more.
    assert lines(ann, before) == ("interventions 2", {})


def test_what_comes_with_a_vaccine_is_not_proposed_without_it():
    ann = founder()
    publish(ann, NATIONAL)
    session = one(ann, "session.open", {"vaccines": ["mr"], "interventions": ["zinc"]}).id

    assert lines(ann, session, 22)[1]["zinc"].state == "due"
    # At five months measles is not due yet.
    assert lines(ann, session, 5)[1]["zinc"].state == "not-with"


def test_a_lot_may_be_given_on_its_last_day_and_is_stopped_the_day_after():
    ann = founder()
    store = one(ann, "site.register", {"name": "Store", "type": "store"}).id
    held = {"item": "vitamin-a-200k-cap", "lot": "VA-1", "units": 9, "expiry": "2026-09-21"}
    assert one(ann, "stock.receive", held, store=store).ok
    data = {"vaccines": ["mr"], "interventions": ["vitamin-a", "muac"]}
    session = one(ann, "session.open", data, store=store).id
    told = []
    for days in (0, 1):
        now = Now(WALL_MS + days * 86_400_000, 0, bytes)
        told.append(besides.drive(ann.node, now, {"session": session}).beside)

    assert [each.stops for each in told[0]] == [(), ()]
    assert [each.stops for each in told[1]] == [
        (("vitamin-a-200k-cap", "VA-1", "lot_expired"),), ()
    ]  # fmt: skip


def test_of_the_lots_of_a_store_the_first_to_expire_is_proposed_on_its_last_day_too():
    ann = founder()
    store = one(ann, "site.register", {"name": "Store", "type": "store"}).id
    for lot, expiry in (("A-LATE", "2028-09-30"), ("B-NONE", None), ("C-SOON", "2026-09-21"),
                        ("D-PAST", "2026-09-20")):  # fmt: skip
        held = {"item": "vitamin-a-200k-cap", "lot": lot, "units": 9, "expiry": expiry}
        assert one(ann, "stock.receive", held, store=store, confirm=["expired_received"]).ok
    data = {"vaccines": ["mr"], "interventions": ["vitamin-a"]}
    session = one(ann, "session.open", data, store=store).id

    for days, lot in ((0, "C-SOON"), (1, "A-LATE"), (800, "B-NONE")):
        now = Now(WALL_MS + days * 86_400_000, 0, bytes)
        asked = {"session": session, "age": 22, "unit": "mo"}
        (told,) = besides.child(ann.node, now, asked, opened=lambda _: True).beside
        assert told.medicine is not None and (told.medicine.lot, told.stop) == (lot, "")


def test_of_a_medicine_of_a_month_alone_the_last_day_it_may_have_been_keeps_the_next_away():
    ann = founder()
    session = one(ann, "session.open", {"vaccines": ["mr"], "interventions": ["vitamin-a"]}).id
    person = one(ann, "patient.register", {"sex": "female", "birth_date": "2024-10-01"}).patient
    dose = {"substance": "vitamin A", "dose": {"value": "200000", "unit": "[iU]"}, "route": "oral"}
    assert one(ann, "administration.record", dose, patient=person, at="2026-04", source="paper").ok

    states = []
    for day in ("2026-08-29", "2026-08-30"):
        days = (date.fromisoformat(day) - date(2026, 9, 21)).days
        now = Now(WALL_MS + days * 86_400_000, 0, bytes)
        asked = {"session": session, "patient": person}
        (told,) = besides.child(ann.node, now, asked, opened=lambda _: True).beside
        states.append((told.state, told.last, told.day))
    assert states == [("too-soon", "2026-04-30", "2026-08-30"), ("due", "2026-04-30", "")]


def test_a_medicine_of_the_ward_is_refused_of_such_a_lot_whatever_is_confirmed():
    """Only what a session gives in passing is in somebody before anybody could know."""
    ann = founder()
    store = one(ann, "site.register", {"name": "Store", "type": "store"}).id
    held = {"item": "vitamin-a-200k-cap", "lot": "VA-1"}
    assert one(ann, "stock.receive", {**held, "units": 9, "expiry": "2028-09"}, store=store).ok
    assert one(ann, "lot.recall", {**held, "why": "contaminated"}).ok
    person = one(ann, "patient.register", {"sex": "female", "age": {"value": "22", "unit": "mo"}})
    dose = {"substance": "vitamin A", "dose": {"value": "200000", "unit": "[iU]"}, "route": "oral"}
    told = one(
        ann, "administration.record", {**dose, **held},
        patient=person.patient, store=store, confirm=["lot_given_already"],
    )  # fmt: skip
    assert (told.ok, told.error) == (False, "lot_recalled")
