"""The audit trail over real books: written, carried, listed, and seen when it is not whole."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import sqlcipher3

from protocols.errors import LedgerError
from protocols.feeds.run import decode_run
from protocols.ids import PatientId, ScopeId
from protocols.ledger import audit
from protocols.ledger.audit import BATCH_MS, WAITING_MAX, Asked, Event, Waiting
from protocols.ledger.sealing import SealOrder
from protocols.mesh.effects import WakeAt
from protocols.trust.audit import Detail, What
from protocols.trust.certificates import Rank
from protocols.trust.charter import open_charter, operation_id, sign_charter
from protocols.trust.control import Audit, SealReason, decode_control
from tests.unit.camps import CARE, Camp, know, new_key
from tests.unit.stage import WALL_MS, Device, Stage, camp, linked, patient

CANARY = "Zzyxwvanary"


def export(reason: str = "referral", **more) -> Event:
    return Event(What.EXPORT, WALL_MS, Detail(reason=reason, **more))


def failed(account: str = "", at_ms: int = WALL_MS) -> Event:
    return Event(What.FAILED_LOGIN, at_ms, Detail(account=account))


def said(at: Device, /, **asked) -> list[tuple[int, str, int]]:
    found = audit.lines(at.ledger, Asked(**asked))
    return [
        (
            each.what,
            each.detail.reason if each.detail else "-",
            each.detail.count if each.detail else 0,
        )
        for each in found
    ]


def items(device: Device) -> list:
    """Every item in the book, as it stands in clear."""
    rows = device.store.all("SELECT body FROM entry WHERE substr(body, 1, 1) = x'0c'")
    records = [decode_control(body) for (body,) in rows]
    return [item for record in records if isinstance(record, Audit) for item in record.items]


def test_what_is_written_before_it_happens_is_read_everywhere_and_by_whom():
    stage, (ann, ben) = linked("ann", "ben")
    stage.carry(ann, ann.node.audit([export()], stage.now(ann)))
    stage.run(1_000)

    for device in (ann, ben):
        (line,) = audit.lines(device.ledger)
        assert (line.what, line.device, line.device_name) == (What.EXPORT, ann.id, "ann")
        assert (line.detail.reason, line.org, line.person, line.forked) == (
            "referral", "Test", None, False,
        )  # fmt: skip


def test_nothing_of_a_patient_stands_in_clear_in_a_control_record():
    ann = Device.found("ann")
    who = bytes(range(16))
    ann.node.audit([export(CANARY, patient=who, account="j.cho")], Stage().now(ann))

    for (body,) in ann.store.all("SELECT body FROM entry WHERE kind = 1"):
        assert not any(text in body for text in (CANARY.encode(), who, b"j.cho"))
    assert said(ann) == [(What.EXPORT, CANARY, 1)]


def test_without_a_key_an_item_says_what_was_done_and_leaves_the_rest_out():
    ann, ben = camp()
    ben.ledger.authority.keyring._keys.clear()
    ben.store.execute("DELETE FROM meta WHERE name = 'old_scope'")
    ben.node.audit([export(CANARY)], Stage().now(ben))

    assert [(each.what, each.sealed_detail) for each in items(ben)] == [(What.EXPORT, b"")]
    assert said(ben) == [(What.EXPORT, "-", 0)]
    assert ann.id != ben.id


def test_an_item_is_durable_before_the_call_returns_or_the_call_fails():
    ann = Device.found("ann")
    before = ann.ledger.chain.last_arrival
    ann.store.connection.execute("PRAGMA query_only=ON")

    with pytest.raises((LedgerError, sqlcipher3.Error)):
        ann.node.audit([export()], Stage().now(ann))

    ann.store.connection.execute("PRAGMA query_only=OFF")
    ann.restarted()
    assert ann.ledger.chain.last_arrival == before
    ann.node.audit([export()], Stage().now(ann))
    ann.restarted()
    assert said(ann) == [(What.EXPORT, "referral", 1)]


def test_a_thousand_failed_logins_are_one_item_at_once_and_one_with_a_count():
    stage, ann = Stage(), Device.found("ann")
    for _ in range(1_000):
        stage.carry(ann, ann.node.note(failed("j.cho", WALL_MS + stage.at_ms), stage.now(ann)))
    assert [count for _, _, count in said(ann)] == [1]

    stage.run(BATCH_MS)

    assert sorted(count for _, _, count in said(ann)) == [1, 999]


def test_what_waits_is_written_when_the_node_stops():
    stage, ann = Stage(), Device.found("ann")
    for account in ("one", "two", "three"):
        ann.node.note(failed(account), stage.now(ann))
    ann.node.stop()
    ann.restarted()
    lines = list(audit.lines(ann.ledger))
    assert sorted(line.detail.account for line in lines) == ["one", "three", "two"]


def test_on_a_disk_that_takes_nothing_the_trail_waits_and_the_node_goes_on():
    stage, ann = Stage(), Device.found("ann")
    ann.store.connection.execute("PRAGMA query_only=ON")
    effects = ann.node.note(failed("one"), stage.now(ann))
    assert any(isinstance(each, WakeAt) for each in effects)

    ann.store.connection.execute("PRAGMA query_only=OFF")
    stage.carry(ann, effects)
    stage.run(BATCH_MS)
    assert [line.detail.account for line in audit.lines(ann.ledger)] == ["one"]


def test_more_than_fits_in_memory_is_counted_and_never_grows():
    waiting = Waiting()
    for number in range(WAITING_MAX + 50):
        waiting.add(failed(f"a{number}"))
    assert len(waiting.all) == WAITING_MAX
    assert sum(event.detail.count for event in waiting.all) == WAITING_MAX + 50


def test_the_trail_is_filtered_by_time_what_account_and_device():
    stage, (ann, ben) = linked("ann", "ben")
    events = [export("first"), failed("J.Cho", WALL_MS + 10)]
    stage.carry(ann, ann.node.audit(events, stage.now(ann)))
    stage.carry(ben, ben.node.audit([export("second")], stage.now(ben)))
    stage.run(1_000)

    assert {reason for _, reason, _ in said(ben)} == {"first", "", "second"}
    assert [reason for _, reason, _ in said(ann, device="ann", what=frozenset({5}))] == ["first"]
    assert [reason for _, reason, _ in said(ann, device=str(ben.id))] == ["second"]
    assert [what for what, _, _ in said(ann, person="j.ch")] == [What.FAILED_LOGIN]
    assert said(ann, person="nobody") == []
    assert [what for what, _, _ in said(ann, since_ms=WALL_MS + 5)] == [What.FAILED_LOGIN]
    assert len(said(ann, until_ms=WALL_MS + 5)) == 2


def test_a_record_that_is_its_own_trail_is_listed_once_with_the_item_behind_it():
    stage, (ann, ben) = linked("ann", "ben")
    ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann))
    assert [what for what, _, _ in said(ann)] == [What.SEAL]

    ann.node.audit(
        [Event(What.SEAL, WALL_MS, Detail(reason="stolen from the car"))], stage.now(ann)
    )

    assert said(ann) == [(What.SEAL, "stolen from the car", 1)]


def test_a_trail_that_was_written_twice_is_shown_as_forked():
    stage, (ann, ben) = linked("ann", "ben")
    copy = ann.copy("copy")
    stage.cut(ann, ben)
    ann.node.audit([export("one history")], stage.now(ann))
    copy.node.audit([export("another")], stage.now(copy))

    for device in (ann, copy):
        feed = next(
            f
            for f in device.ledger.chain.feeds.values()
            if f.genesis.device == ann.id and not f.genesis.lane
        )
        found = device.ledger.chain.run_after(feed, feed.tips[0], 0, 1 << 20)
        take(ben, found[0])

    trail = next(each for each in audit.trails(ben.ledger) if each.device == ann.id)
    assert (trail.forked, trail.whole) == (True, False)
    assert all(line.forked for line in audit.lines(ben.ledger, Asked(device="ann")))
    assert {reason for _, reason, _ in said(ben)} == {"one history", "another"}


def take(device: Device, raw: bytes) -> None:
    chain = device.ledger.chain
    device.ledger.take([decode_run(raw, 0, chain.genesis_of, chain.prev_of)[0]], WALL_MS)


def test_a_trail_whose_end_is_kept_back_is_shown_as_not_whole():
    """HQ's receipt says how long it is; whoever relays less of it is found out."""
    stage, (hq, ben, eve) = linked("hq", "ben", "eve", hq=True)
    stage.cut(hq, eve)
    stage.carry(ben, ben.node.audit([export()], stage.now(ben)))
    stage.run(10_000)
    receipt = max(hq.ledger.peers.receipts.items(), key=lambda each: each[1][0].number)[1]
    eve.ledger.peers.take_receipt(receipt[1], lambda _: ScopeId.zero())

    (trail,) = [each for each in audit.trails(eve.ledger) if not each.whole]
    assert (trail.device, trail.known) == (ben.id, trail.held + 1)
    assert all(each.whole for each in audit.trails(hq.ledger))


def test_a_line_says_who_sat_there_once_the_attestation_is_known():
    """Sessions come from attestations in the same feed; a number that is none names nobody."""
    ann = Device.found("ann")
    ann.node.audit([replace(export(), session=1)], Stage().now(ann))
    (line,) = audit.lines(ann.ledger)
    assert (line.person, line.person_name) == (None, "")


def test_a_patient_is_of_the_teams_that_wrote_about_the_patient():
    stage, (ann, ben) = linked("ann", "ben")
    answer = stage.write(ben, patient("Amina"))[0]
    stage.run(2_000)
    whom = PatientId.parse(answer.patient)
    assert audit.other_team(ann.ledger, whom) == ()

    # Ben's device turns out to be another organisation's.
    roster = ann.ledger.authority.roster
    member = roster.device(ben.id)
    roster._members[ben.id] = type(member)(
        **{name: getattr(member, name) for name in member.__slots__}
        | {"org": "Red Cross", "root": b"r" * 32}
    )
    assert audit.other_team(ann.ledger, whom) == ("Red Cross",)
    assert ben.id not in audit.team_devices(ann.ledger)
    assert audit.other_team(ann.ledger, PatientId(bytes(16))) == ()

    stage.write(
        ann,
        {"v": 1, "kind": "note.add", "key": "n", "patient": answer.patient, "data": {"text": "x"}},
    )
    assert audit.other_team(ann.ledger, whom) == ()


def test_two_organisations_of_one_name_are_two_teams():
    held = Camp(CARE, orgs=("japan", "ministry"))
    charter = open_charter(held.signed)
    named = msgspec.structs.replace(
        charter, orgs=tuple(msgspec.structs.replace(org, name="Relief") for org in charter.orgs)
    )
    held.signed = sign_charter(named, list(held.roots.values()))
    held.operation = operation_id(held.signed.body)
    ann = held.device("ann", "ministry", rank=Rank.COORDINATOR)
    ben = held.device("ben", "japan")
    know(ann, ben)
    new_key(ann, ScopeId(CARE.id))
    stage = Stage()
    stage.link(ann, ben)
    stage.run(2_000)
    whom = PatientId.parse(stage.write(ann, patient("Awa"))[0].patient)
    stage.run(2_000)

    assert audit.other_team(ben.ledger, whom) == ("Relief",)
    assert audit.other_team(ann.ledger, whom) == ()
    assert ben.id not in audit.team_devices(ann.ledger)


def test_a_detail_of_later_software_is_listed_without_it():
    ann = Device.found("ann")
    ann.node.audit([Event(99, WALL_MS, Detail(reason="new"))], Stage().now(ann))  # type: ignore[arg-type]
    assert said(ann) == [(99, "new", 1)]
    assert items(ann)[0].what == 99
