"""Movements, balances, counts, allotments and held lots, each by what a person may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ids import SiteId
from protocols.records import supplies
from protocols.records.movement import Movement, stock_subject
from tests.unit.records_shelf import NOW_MS, Shelf, Written

ITEM = "ors-1l-sachet"
DAY_MS = 86_400_000


def store_of(shelf: Shelf, name: str = "Store 1") -> str:
    made = shelf.write("site.register", {"name": name, "type": "store"})
    return str(SiteId(made.subject))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf("a")


@pytest.fixture
def store(shelf: Shelf) -> str:
    return store_of(shelf)


def move(shelf: Shelf, kind: str, store: str, units: Any, lot: str = "L1", **more: Any) -> Written:
    """Write a movement; `sure` confirms everything that is asked."""
    line = {name: more.pop(name) for name in ("reason", "at", "patient") if name in more}
    sure = more.pop("sure", ())
    data = {"item": ITEM, "units": units, **more}
    if lot:
        data["lot"] = lot
    return shelf.write(kind, data, store=store, confirm=list(sure), **line)


def receive(shelf: Shelf, store: str, units: Any, lot: str = "L1", **more: Any) -> Written:
    return move(shelf, "stock.receive", store, units, lot, **more)


def issue(shelf: Shelf, store: str, units: Any, lot: str = "L1", **more: Any) -> Written:
    return move(shelf, "stock.issue", store, units, lot, **more)


def count(shelf: Shelf, store: str, *lots: tuple[str, int], **more: Any) -> Written:
    line = {name: more.pop(name) for name in ("at",) if name in more}
    said = [{"lot": lot, "units": units} for lot, units in lots]
    return shelf.write("stock.count", {"item": ITEM, "lots": said, **more}, store=store, **line)


def table(shelf: Shelf, store: str, name: str, item: str = ITEM) -> list[Any]:
    subject = stock_subject(SiteId.parse(store), item)
    return shelf.table(subject, name) if subject in shelf.kinds else []


def stock(shelf: Shelf, store: str, item: str = ITEM) -> Any:
    (row,) = table(shelf, store, "stock", item)
    return row


def balance(shelf: Shelf, store: str, lot: str = "L1") -> tuple[int, int]:
    (row,) = [row for row in table(shelf, store, "balance") if row.lot == lot]
    return row.low, row.high


def refused(shelf: Shelf, kind: str, data: dict[str, Any], **line: Any) -> tuple[str, Any]:
    error = shelf.refused(kind, data, **line)
    return error.code, error.values.get("confirm") or error.field


def test_a_site_is_part_of_another_and_never_of_itself(shelf: Shelf, store: str) -> None:
    whole = shelf.write("site.register", {"name": "Hospital", "type": "hospital"})
    hospital = str(SiteId(whole.subject))
    shelf.write("site.register", {"part_of": hospital, "type": "pharmacy"}, site=store)

    row = shelf.table(SiteId.parse(store), "site")[0]
    assert (row.part_of, row.type) == (whole.subject, 8)
    error = shelf.refused("site.register", {"part_of": store}, site=hospital)
    assert (error.code, error.field) == ("part_of_itself", "data.part_of")
    assert shelf.refused("site.register", {"part_of": hospital}, site=hospital).code == error.code


def test_a_balance_is_the_sum_of_what_came_and_went(shelf: Shelf, store: str) -> None:
    receive(shelf, store, None, packs={"count": 2, "size": 100}, expiry="2027-03")
    issue(shelf, store, 30)
    move(shelf, "stock.return", store, 5)
    move(shelf, "stock.loss", store, 2, why="spilled")
    move(shelf, "stock.adjust", store, -3, reason="short carton")
    patient = shelf.write("patient.register", {"tags": ["B12"]}).id
    move(shelf, "stock.dispense", store, 4, patient=patient)

    assert balance(shelf, store) == (166, 166)
    row = stock(shelf, store)
    assert (row.low, row.high, row.negative, row.unsettled, row.overdraft) == (166, 166, 0, 0, 0)
    moves = table(shelf, store, "movement")
    assert [each.units for each in moves] == [200, -30, 5, -2, -3, -4]
    assert moves[0].type == "receive"
    assert (moves[0].pack_count, moves[0].pack_size, moves[0].expiry_day) == (2, 100, 20908)
    assert moves[0].device == bytes(shelf.device)


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({"units": 0}, "out_of_range", "data.units"),
        ({"units": -4}, "out_of_range", "data.units"),
        ({"units": 2.5}, "not_whole", "data.units"),
        ({"packs": {"count": 2, "size": 0}}, "out_of_range", "data.packs.size"),
        ({"packs": {"count": 1.5, "size": 10}}, "not_whole", "data.packs.count"),
        ({"packs": {"count": 2, "size": 10}, "units": 21}, "packs_differ", "data.units"),
        ({}, "missing_field", "data.units"),
        ({"units": 1, "item": "no-such-thing"}, "unknown_item", "data.item"),
        ({"units": 1, "expiry": "03/2027"}, "bad_expiry", "data.expiry"),
        ({"units": 1, "expiry": "2027-13"}, "bad_expiry", "data.expiry"),
        ({"units": 1, "why": "theft"}, "bad_value", "data.why"),
        ({"units": 1, "lot": "x" * 21}, "too_long", "data.lot"),
        ({"units": 10**10}, "out_of_range", "data.units"),
    ],
)
def test_what_cannot_be_moved_is_refused_with_its_field(
    shelf: Shelf, store: str, data: dict[str, Any], code: str, field: str
) -> None:
    error = shelf.refused("stock.receive", {"item": ITEM, "lot": "L1", **data}, store=store)
    assert (error.code, error.field) == (code, field)


def test_a_store_has_to_be_named_and_known(shelf: Shelf, store: str) -> None:
    error = shelf.refused("stock.receive", {"item": ITEM, "units": 1})
    assert (error.code, error.field) == ("missing_field", "store")
    unknown = str(SiteId(bytes(16)))
    assert shelf.refused("stock.receive", {"item": ITEM, "units": 1}, store=unknown).code == (
        "not_found"
    )
    data = {"item": ITEM, "units": 1, "other": store}
    assert shelf.refused("stock.issue", data, store=store).code == "same_store"


@pytest.mark.safety(24)
def test_what_is_doubtful_is_asked_once_and_then_written(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40)
    doubtful: list[tuple[dict[str, Any], str, str]] = [
        ({"units": 401, "lot": "L1"}, "stock.receive", "large_quantity"),
        ({"units": 5}, "stock.issue", "lot_unstated"),
        ({"units": 5, "lot": "L9"}, "stock.issue", "lot_unknown"),
        ({"units": 1000, "lot": "L1"}, "stock.issue", "beyond_stock"),
        ({"units": 5, "lot": "L2", "expiry": "2020-01"}, "stock.receive", "expired_received"),
    ]
    for data, kind, asked in doubtful:
        line = {"item": ITEM, **data}
        assert refused(shelf, kind, line, store=store) == ("confirm_needed", asked)
        done = shelf.write(kind, line, store=store, confirm=[asked])
        assert asked in done.plan.warnings


@pytest.mark.safety(24)
def test_ten_times_the_largest_is_no_question_yet(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40)
    assert receive(shelf, store, 400).plan.warnings == ()


def test_issuing_beyond_what_is_there_is_kept_and_names_the_movements(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 40)
    done = issue(shelf, store, 50, sure=("beyond_stock",))

    row = stock(shelf, store)
    assert (row.low, row.negative) == (-10, 2)
    (lot,) = table(shelf, store, "balance")
    ref = done.refs[0]
    assert lot.taken == bytes(ref.entry) + ref.index.to_bytes(2)


def test_an_expired_lot_is_never_issued_and_may_be_written_off(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40, expiry="2026-05-28")
    shelf.now_ms = NOW_MS  # 2026-05-28
    issue(shelf, store, 1)
    shelf.now_ms += DAY_MS
    line = {"item": ITEM, "lot": "L1", "units": 1}
    sure = {"store": store, "confirm": ["lot_expired"], "reason": "urgent"}
    assert refused(shelf, "stock.issue", line, **sure) == ("lot_expired", "data.lot")
    move(shelf, "stock.loss", store, 39, why="expired")
    assert balance(shelf, store) == (0, 0)


def test_a_doubtful_clock_refuses_no_expiry(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40, expiry="2026-05-28")
    shelf.now_ms = 1000
    assert "clock_doubtful" in issue(shelf, store, 1).plan.warnings


def test_a_lot_held_back_is_not_issued_until_it_is_let_go(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40)
    held = {"item": ITEM, "lot": "l1", "why": "excursion"}
    shelf.write("lot.quarantine", held, store=store)

    line = {"item": ITEM, "lot": "L1", "units": 1}
    assert refused(shelf, "stock.issue", line, store=store) == ("lot_quarantined", "data.lot")
    assert [row.quarantined for row in table(shelf, store, "balance")] == [1]
    assert stock(shelf, store).usable == 0
    let_go = {"item": ITEM, "lot": "L1"}
    assert refused(shelf, "lot.release", let_go, store=store) == ("reason_needed", "reason")
    freed = shelf.write("lot.release", let_go, store=store, reason="logger was in the sun")
    issue(shelf, store, 1)
    assert [row.held for row in table(shelf, store, "quarantine")] == [0]
    assert refused(shelf, "lot.release", let_go, store=store, reason="x") == (
        "not_quarantined",
        "data.lot",
    )
    shelf.write("entry.retract", {"fact": freed.fact}, reason="wrong lot")
    assert [row.held for row in table(shelf, store, "quarantine")] == [1]


def test_a_quarantine_that_a_release_did_not_know_of_goes_on(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40)
    shelf.write("lot.quarantine", {"item": ITEM, "lot": "L1", "why": "vvm"}, store=store)
    other = Shelf("b")
    other.receive(shelf)
    other.write("lot.quarantine", {"item": ITEM, "lot": "L1", "why": "damaged"}, store=store)
    shelf.write("lot.release", {"item": ITEM, "lot": "L1"}, store=store, reason="checked")
    shelf.receive(other)

    assert [row.quarantined for row in table(shelf, store, "balance")] == [1]


def test_what_else_refuses_a_lot_is_asked(
    shelf: Shelf, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from protocols.errors import InputError
    from protocols.records import drawing

    def refusal(desk: Any, item: str, lot: str) -> None:
        if (item, lot) == (ITEM, "L1"):
            raise InputError("lot_recalled", field="data.lot")

    receive(shelf, store, 40)
    monkeypatch.setattr(drawing, "REFUSALS", [refusal])
    line = {"item": ITEM, "lot": "L1", "units": 1}
    assert refused(shelf, "stock.issue", line, store=store) == ("lot_recalled", "data.lot")
    move(shelf, "stock.loss", store, 1, why="destroyed")


def test_controlled_items_leave_before_a_witness_only(shelf: Shelf, store: str) -> None:
    item = "morphine-10-amp"
    line = {"item": item, "lot": "M1", "units": 10}
    came = shelf.write("stock.receive", line, store=store)
    one = {**line, "units": 1}
    assert refused(shelf, "stock.issue", one, store=store) == ("witness_needed", "data.witness")
    gone = shelf.write("stock.issue", {**one, "witness": "J. Cho"}, store=store)
    said = {row.units: row for row in table(shelf, store, "movement", item)}
    assert (said[-1].witness, said[-1].countersigned) == ("J. Cho", 0)

    # Who wrote it signs nothing by signing it again; another device or session does.
    shelf.write("stock.witness", {"movement": gone.fact})
    assert {row.countersigned for row in table(shelf, store, "movement", item)} == {0}
    shelf.session = (7, b"abcd")
    shelf.write("stock.witness", {"movement": gone.fact})
    rows = {row.units: row.countersigned for row in table(shelf, store, "movement", item)}
    assert rows == {10: 0, -1: 1}
    error = shelf.refused("stock.witness", {"movement": "fct_" + "0" * 26 + ".0"})
    assert error.code == "not_found"
    assert came.refs


@pytest.mark.safety(24)
def test_an_earlier_expiry_is_advice_and_no_stop(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40, "L1", expiry="2027-01")
    receive(shelf, store, 40, "L2", expiry="2028-01")
    assert issue(shelf, store, 1, "L2").plan.warnings == ("earlier_expiry",)
    assert issue(shelf, store, 1, "L1").plan.warnings == ()


def test_taking_a_movement_back_brings_the_units_back(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40)
    gone = issue(shelf, store, 15)
    shelf.write("entry.retract", {"fact": gone.fact}, reason="wrong ward")

    assert balance(shelf, store) == (40, 40)
    assert [row.replaced for row in table(shelf, store, "movement")] == [0, 2]


@pytest.mark.safety(22)
def test_a_count_replaces_what_it_had_seen(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40)
    issue(shelf, store, 10)
    count(shelf, store, ("L1", 27), ("L2", 5))
    shelf.now_ms += 1000
    issue(shelf, store, 7)

    assert balance(shelf, store) == (20, 20)
    assert balance(shelf, store, "L2") == (5, 5)
    row = stock(shelf, store)
    assert (row.low, row.counted_ms, row.last_ms) == (25, NOW_MS, NOW_MS + 1000)
    taken = table(shelf, store, "stocktake")
    assert [(each.lot, each.units, each.book_low, each.used) for each in taken] == [
        ("L1", 27, 30, 1),
        ("L2", 5, 30, 1),
    ]


def test_a_count_of_some_lots_leaves_the_others(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40, "L1")
    receive(shelf, store, 30, "L2")
    count(shelf, store, ("L1", 39), whole=False)
    assert (balance(shelf, store, "L1"), balance(shelf, store, "L2")) == ((39, 39), (30, 30))
    count(shelf, store, ("L1", 39))
    assert balance(shelf, store, "L2") == (0, 0)


@pytest.mark.safety(22)
def test_what_a_count_had_not_seen_and_was_before_it_is_a_range_until_it_is_settled(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    tent = Shelf("b", now_ms=NOW_MS + 1000)
    tent.receive(shelf)
    gone = issue(tent, store, 4)
    shelf.now_ms = NOW_MS + 2000
    count(shelf, store, ("L1", 66))
    tent.now_ms = NOW_MS + 3000
    issue(tent, store, 2)
    shelf.receive(tent)

    assert balance(shelf, store) == (60, 64)
    assert stock(shelf, store).unsettled == 1
    assert [(row.units, row.maybe) for row in table(shelf, store, "movement")] == [
        (100, 0),
        (-4, 1),
        (-2, 0),
    ]
    other = Shelf("c", now_ms=NOW_MS + 4000)
    other.receive(shelf)
    inside = shelf.write("stock.settle", {"movement": gone.fact, "counted": True})
    assert balance(shelf, store) == (64, 64)
    assert stock(shelf, store).unsettled == 0
    other.write("stock.settle", {"movement": gone.fact, "counted": False})
    assert balance(other, store) == (60, 60)

    # Two who settle apart and differ leave it open; whoever knows of both decides anew.
    shelf.receive(other)
    assert balance(shelf, store) == (60, 64)
    shelf.write("stock.settle", {"movement": gone.fact, "counted": False})
    assert balance(shelf, store) == (60, 60)
    assert inside.refs


def test_a_movement_that_is_in_no_doubt_is_not_settled(shelf: Shelf, store: str) -> None:
    came = receive(shelf, store, 100)
    line = {"movement": came.fact, "counted": True}
    assert refused(shelf, "stock.settle", line) == ("nothing_to_settle", "data.movement")


def test_who_knew_of_a_count_moved_after_it_whatever_the_clocks_say(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    shelf.now_ms = NOW_MS + 60_000
    count(shelf, store, ("L1", 90))
    slow = Shelf("b", now_ms=NOW_MS - 60_000)
    slow.receive(shelf)
    issue(slow, store, 5)
    assert balance(slow, store) == (85, 85)

    # Who states an earlier time themselves may speak of something that was counted.
    issue(slow, store, 3, at="2026-05-28T20:25Z")
    assert balance(slow, store) == (82, 85)


@pytest.mark.safety(22)
def test_two_counts_made_apart_are_a_range_until_somebody_counts_again(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    tent = Shelf("b", now_ms=NOW_MS + 1000)
    tent.receive(shelf)
    shelf.now_ms = NOW_MS + 1000
    count(shelf, store, ("L1", 66))
    count(tent, store, ("L1", 64))
    shelf.receive(tent)

    assert balance(shelf, store) == (64, 66)
    row = stock(shelf, store)
    assert (row.unsettled, table(shelf, store, "balance")[0].counts) == (1, 2)
    shelf.now_ms = NOW_MS + 2000
    count(shelf, store, ("L1", 65))
    assert (balance(shelf, store), stock(shelf, store).unsettled) == ((65, 65), 0)


def test_two_counts_that_agree_leave_nothing_open(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100)
    tent = Shelf("b")
    tent.receive(shelf)
    count(shelf, store, ("L1", 66))
    count(tent, store, ("L1", 66))
    shelf.receive(tent)
    assert (balance(shelf, store), stock(shelf, store).unsettled) == ((66, 66), 0)


def test_a_count_taken_back_brings_the_movements_back(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100)
    counted = count(shelf, store, ("L1", 66))
    shelf.write("entry.retract", {"fact": counted.fact}, reason="wrong shelf")
    assert balance(shelf, store) == (100, 100)


def test_a_count_far_beyond_the_book_is_asked_about(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 10)
    line = {"item": ITEM, "lots": [{"lot": "L1", "units": 101}]}
    assert refused(shelf, "stock.count", line, store=store) == ("confirm_needed", "large_quantity")
    wrong = {"item": ITEM, "lots": [{"lot": "L1", "units": -1}]}
    assert refused(shelf, "stock.count", wrong, store=store)[0] == "out_of_range"
    nothing = {"item": ITEM, "lots": [], "whole": False}
    assert refused(shelf, "stock.count", nothing, store=store) == ("empty", "data.lots")


def grant(shelf: Shelf, store: str, *to: tuple[Shelf, int], **line: Any) -> Written:
    shares = [{"device": str(other.device), "units": units} for other, units in to]
    return shelf.write("allotment.grant", {"item": ITEM, "to": shares}, store=store, **line)


def accounts(shelf: Shelf, store: str) -> dict[bytes, tuple[int, int, int]]:
    rows = table(shelf, store, "allotment")
    return {row.device: (row.left, row.used, row.overdraft) for row in rows}


def test_each_device_issues_from_what_it_was_allotted(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100)
    tent = Shelf("b")
    grant(shelf, store, (tent, 40))
    tent.receive(shelf)
    issue(tent, store, 40)

    line = {"item": ITEM, "lot": "L1", "units": 1}
    assert refused(tent, "stock.issue", line, store=store) == ("confirm_needed", "over_allotment")
    sure = {"store": store, "confirm": ["over_allotment"]}
    assert refused(tent, "stock.issue", line, **sure) == ("reason_needed", "reason")
    tent.write("stock.issue", line, **sure, reason="cholera in the next tent")
    shelf.receive(tent)

    assert accounts(shelf, store) == accounts(tent, store)
    assert accounts(shelf, store)[bytes(tent.device)] == (-1, 41, 1)
    assert accounts(shelf, store)[bytes(shelf.device)] == (60, 0, 0)
    assert stock(shelf, store).overdraft == 1
    assert [row.overdrawn for row in table(shelf, store, "movement")] == [0, 0, 1]
    grant(shelf, store, (tent, 1))
    assert stock(shelf, store).overdraft == 0


def test_nobody_gives_on_what_they_do_not_hold(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100)
    tent, ward = Shelf("b"), Shelf("c")
    grant(shelf, store, (tent, 40))
    tent.receive(shelf)
    shares = [{"device": str(ward.device), "units": 41}]
    data = {"item": ITEM, "to": shares}
    assert refused(tent, "allotment.grant", data, store=store) == (
        "confirm_needed",
        "over_allotment",
    )
    grant(tent, store, (ward, 15))
    assert accounts(tent, store)[bytes(tent.device)][0] == 25
    own = {"item": ITEM, "to": [{"device": str(tent.device), "units": 1}]}
    assert refused(tent, "allotment.grant", own, store=store) == ("own_device", "data.to")
    bad = {"item": ITEM, "to": [{"device": "dev_x", "units": 1}]}
    assert refused(tent, "allotment.grant", bad, store=store) == ("bad_id", "data.to.0.device")


def test_the_first_grant_covers_what_others_took_before(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100)
    tent, ward = Shelf("b"), Shelf("c")
    tent.receive(shelf)
    issue(tent, store, 20)
    shelf.receive(tent)
    grant(shelf, store, (ward, 30))

    assert accounts(shelf, store) == {
        bytes(shelf.device): (50, 0, 0),
        bytes(tent.device): (0, 20, 0),
        bytes(ward.device): (30, 0, 0),
    }


def test_two_tents_issue_the_same_last_lot_apart_and_both_are_kept(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 40)
    tents = [Shelf("b"), Shelf("c")]
    for tent in tents:
        tent.receive(shelf)
        issue(tent, store, 40)
    for tent in tents:
        shelf.receive(tent)

    assert balance(shelf, store) == (-40, -40)
    (lot,) = table(shelf, store, "balance")
    assert len(lot.taken) == 2 * 18
    assert stock(shelf, store).negative == 2


def test_a_count_under_allotments_is_its_devices_to_hold(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100)
    tent = Shelf("b", now_ms=NOW_MS + 1000)
    grant(shelf, store, (tent, 10))
    tent.receive(shelf)
    gone = issue(tent, store, 5)
    shelf.now_ms = NOW_MS + 2000
    count(shelf, store, ("L1", 95))
    shelf.receive(tent)

    held = accounts(shelf, store)
    assert sum(left for left, _, _ in held.values()) == stock(shelf, store).low == 90
    shelf.write("stock.settle", {"movement": gone.fact, "counted": True})
    held = accounts(shelf, store)
    assert sum(left for left, _, _ in held.values()) == stock(shelf, store).low == 95


def test_a_kit_is_opened_into_what_it_holds(shelf: Shelf, store: str) -> None:
    kit = "kit-rehydration"
    shelf.write("stock.receive", {"item": kit, "units": 2, "lot": "K1"}, store=store)
    done = shelf.write("stock.break", {"item": kit, "lot": "K1"}, store=store)

    assert stock(shelf, store, kit).low == 1
    moves = [each.facts[0].value for each in done.plan.drafts[1:]]
    parts = {each.item: each.units for each in moves if isinstance(each, Movement)}
    assert parts and len(moves) == len(parts)
    for item, units in parts.items():
        row = table(shelf, store, "movement", item)[0]
        assert (row.units, row.kit, row.type) == (units, kit, "break")
        assert stock(shelf, store, item).low == units
    found = [{"item": ITEM, "units": 3, "lot": "Z9", "expiry": "2028-01"}]
    shelf.write("stock.break", {"item": kit, "lot": "K1", "parts": found}, store=store)
    assert balance(shelf, store, "Z9") == (3, 3)
    line = {"item": ITEM, "lot": "L1"}
    assert refused(shelf, "stock.break", line, store=store)[0] == "not_a_kit"


def test_whoever_forges_a_subject_adds_nothing_to_it(shelf: Shelf, store: str) -> None:
    from msgspec.structs import replace

    receive(shelf, store, 40)
    subject = stock_subject(SiteId.parse(store), ITEM)
    facts = shelf.facts_by_subject[subject]
    forged = replace(facts[-1].record, item="zinc-20-tab", units=1000)
    shelf.facts_by_subject[subject] = [
        *facts,
        replace(facts[-1], record=forged, index=9, order=(99, facts[-1].prefix)),
    ]
    assert stock(shelf, store).low == 40


def test_every_kind_has_words_for_charts(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 40, expiry="2027-03")
    subject = stock_subject(SiteId.parse(store), ITEM)
    record = shelf.facts(subject)[-1].record
    assert supplies.own_words(record) == [
        ("item", ITEM),
        ("units", "40"),
        ("lot", "L1"),
        ("expiry", "2027-03-31"),
    ]


def test_a_surplus_that_two_find_apart_is_held_once(shelf: Shelf, store: str) -> None:
    ben = Shelf("b")
    receive(shelf, store, 100)
    grant(shelf, store, (ben, 40))
    ben.receive(shelf)
    count(shelf, store, ("L1", 110))
    count(ben, store, ("L1", 107))
    shelf.receive(ben)
    ben.receive(shelf)
    # The one who is first in the order of all holds what it found, the other what is beyond that.
    assert accounts(shelf, store) == accounts(ben, store)
    assert sum(left for left, _, _ in accounts(shelf, store).values()) == 110
    issue(ben, store, accounts(ben, store)[bytes(ben.device)][0])
    issue(shelf, store, accounts(shelf, store)[bytes(shelf.device)][0])
    shelf.receive(ben)
    assert stock(shelf, store).overdraft == 0
    assert stock(shelf, store).high == 0


def test_who_gives_on_more_than_they_hold_is_named(shelf: Shelf, store: str) -> None:
    ben = Shelf("b")
    receive(shelf, store, 10)
    grant(shelf, store, (ben, 25), confirm=["over_allotment"], reason="the truck is late")

    (row,) = [each for each in table(shelf, store, "allotment") if each.overdraft]
    assert (row.device, row.overdraft, row.left) == (bytes(shelf.device), 15, -15)
    assert stock(shelf, store).overdraft == 15
