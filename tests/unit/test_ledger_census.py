"""Who is in care, counted as rows change: always what the rows say, whatever happened to them."""

from __future__ import annotations

from random import Random

import pytest

from protocols.ledger import reading, tags
from protocols.ledger.census import Census
from protocols.live import wards
from tests.unit.stage import WALL_MS, Device, line, patient

IN_CARE = "encounter IS NOT NULL AND closed_ms IS NULL AND replaced < 2"
URGENT = "CASE triage WHEN 1 THEN 0 WHEN 2 THEN 1 WHEN 3 THEN 2 WHEN 4 THEN 4 WHEN 0 THEN 5 ELSE 3"
CATEGORIES = ("red", "yellow", "green", "expectant", "dead")
WARDS, BEDS, TAGS = ("W1", "W2", ""), ("B1", "B2"), ("TG-1", "tg-1", "TG-2", "TG-3")
STEPS = 60


def tried(device, kind, data, who="", **more):
    """Write a line; what is refused is refused."""
    key = f"k{device.chance.random()}"
    asked = line(kind, data, **({"patient": who} if who else {})) | {"key": key, **more}
    asked |= {"confirm": ["tag_in_use", "unusual_value"]}
    answers, _, _ = device.node._recorder.record([asked], WALL_MS, device.chance.randbytes)
    return answers[0]


def happens(device, chance, people):
    """Do one thing to somebody, as wards do."""
    if len(people) < 3 or chance.random() < 0.2:
        made = tried(device, "patient.register", {"family_name": f"N{len(people)}", "sex": "male"})
        people.append(made.code)
    who = chance.choice(people)
    place = {"ward": chance.choice(WARDS) or None, "bed": chance.choice(BEDS)}
    match chance.randrange(7):
        case 0:
            told = {name: value for name, value in place.items() if value}
            tried(device, "encounter.open", {"class": "emergency", **told}, who)
        case 1 | 2:
            tried(device, "triage.record", {"category": chance.choice(CATEGORIES)}, who)
        case 3:
            tried(device, "encounter.move", place, who)
        case 4:
            tried(device, "patient.identify", {"tags": [chance.choice(TAGS)]}, who)
        case 5:
            tried(device, "patient.identify", {"drop_tags": [chance.choice(TAGS)]}, who)
        case 6:
            tried(device, "encounter.close", {"outcome": "discharged-follow-up"}, who)


def agrees(device):
    """What is counted is what the rows say when they are all read, and so is every page."""
    store, ledger = device.store, device.ledger
    counted = store.all(
        f"SELECT triage, count(*) FROM patient WHERE {IN_CARE} AND standing = 0 GROUP BY 1"
    )
    orders = {False: f"{URGENT} END, arrived_ms, code", True: "arrived_ms, code"}
    for ward in ("", "W1", "nowhere"):
        where = f"{IN_CARE} AND ('{ward}' = '' OR ward = '{ward}')"
        for by_wait, order in orders.items():
            codes = [
                code
                for (code,) in store.all(f"SELECT code FROM patient WHERE {where} ORDER BY {order}")
            ]
            for at in range(0, len(codes) + 1, 3):
                total, counts, rows = reading.board(ledger, at, 3, ward=ward, by_wait=by_wait)
                assert [row.code for row in rows] == codes[at : at + 3]
                assert total == len(codes)
                assert counts == {"none" if t is None else str(t): n for t, n in counted}
    beds = store.all(
        f"SELECT ward, bed FROM patient WHERE {IN_CARE} AND bed <> '' AND standing = 0"
        " GROUP BY 1, 2 HAVING count(*) > 1"
    )
    assert reading.shared_beds(ledger) == set(beds)
    listed = store.all(f"SELECT DISTINCT ward FROM patient WHERE {IN_CARE} AND ward <> ''")
    assert reading.wards(ledger, 40) == tuple(sorted(ward for (ward,) in listed))
    assert ledger.rows.census.shared_tags() == tags.shared_in_ward(store)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_a_ward_is_counted_as_if_everything_was_read(seed):
    ann, chance, people = Device.found("ann", seed=seed), Random(seed), []
    for _ in range(STEPS):
        happens(ann, chance, people)
        agrees(ann)

    counted = ann.ledger.rows.census.groups()
    ann.ledger.rebuild_rows()
    agrees(ann)
    assert ann.ledger.rows.census.groups() == counted


def undone(device, chance, people):
    with device.ledger.atomic():
        for _ in range(20):
            happens(device, chance, people)
        raise ZeroDivisionError


def test_what_a_failed_transaction_undid_was_not_counted():
    ann, chance, people = Device.found("ann"), Random(1), []
    for _ in range(20):
        happens(ann, chance, people)
    agrees(ann)
    before = ann.ledger.rows.census.groups()
    with pytest.raises(ZeroDivisionError):
        undone(ann, chance, people)

    agrees(ann)
    assert ann.ledger.rows.census.groups() == before


def test_a_category_of_later_software_stands_where_none_does_and_is_counted_by_its_number():
    ann, chance, people = Device.found("ann"), Random(2), []
    for _ in range(STEPS):
        happens(ann, chance, people)
    ann.store.execute("UPDATE patient SET triage = 7 WHERE triage = 2")
    ann.ledger.rows.census = Census(ann.store)

    agrees(ann)


def test_who_scrolls_a_sorted_board_pays_for_their_page_and_a_new_value_sorts_it_anew():
    ann, chance, people = Device.found("ann"), Random(3), []
    for _ in range(STEPS):
        happens(ann, chance, people)
    first = wards.board(ann.ledger, 0, 3, "", WALL_MS, sort="score")
    assert len(ann.ledger.rows.worked_out) == 1
    whole = wards.board(ann.ledger, 0, 200, "", WALL_MS, sort="score").lines
    assert first.lines == whole[:3]
    assert wards.board(ann.ledger, 3, 3, "", WALL_MS, sort="score").lines == whole[3:6]
    assert len(ann.ledger.rows.worked_out) == 1

    last = [line.code for line in whole if line.triage != 0][-1]
    tried(ann, "patient.identify", {"age": {"value": "40", "unit": "y"}, "sex": "male"}, last)
    said = [{"code": "heart-rate", "value": "140", "unit": "/min"}]
    tried(ann, "observation.record", {"set": said}, last)
    assert not ann.ledger.rows.worked_out
    assert wards.board(ann.ledger, 0, 3, "", WALL_MS, sort="score").lines[0].code == last


def test_a_page_far_down_reads_none_of_the_patients_before_it():
    store = Device.found("ann").store
    which = "p.triage IS ? AND p.ward = ? AND p.ward <> ''"
    for asked, index in ((which[:13], "patient_in_care"), (which, "patient_in_ward")):
        places = reading._PLACES.format(which=asked)
        sql = f"EXPLAIN QUERY PLAN {places} ORDER BY arrived, code LIMIT 3 OFFSET 9"
        plan = [step[3] for step in store.all(sql, ("1", "W")[: asked.count("?")])]
        assert len(plan) == 1
        assert f"USING COVERING INDEX {index}" in plan[0]


def test_a_patient_alone_is_counted_in_and_out():
    ann = Device.found("ann")
    assert ann.ledger.rows.census.counts() == {}
    code = tried(ann, "patient.register", patient("Awa")["data"]).code
    tried(ann, "triage.record", {"category": "red"}, code)
    assert ann.ledger.rows.census.counts() == {"1": 1}
    tried(ann, "encounter.close", {"outcome": "discharged-follow-up"}, code)
    assert ann.ledger.rows.census.counts() == {}
