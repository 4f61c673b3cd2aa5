"""Seals over real books and links: what stops, what stays, what comes back."""

from __future__ import annotations

import pytest

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.feeds.run import decode_run
from protocols.ids import DeviceId, EntryHash, EntryPrefix, FactRef
from protocols.ledger import sealing
from protocols.ledger.sealing import SealOrder
from protocols.trust.control import SealReason
from protocols.trust.standing import Standing
from tests.unit.stage import (
    WALL_MS,
    Device,
    Stage,
    admit,
    agree,
    fill,
    line,
    meshed,
    note,
    patient,
    triage,
)

LOST = SealOrder(SealReason.LOST)


def standings(device: Device, table: str = "note") -> list[tuple[str, int]]:
    """(text, standing) of every note, or of another table's one text column."""
    device.ledger.catch_up_all()
    column = {"note": "text", "patient": "name", "triage": "category"}[table]
    return sorted(device.store.all(f"SELECT {column}, standing FROM {table}"))


def give(thief: Device, to: Device, *, control: bool = True) -> None:
    """Carry all that one device wrote to another past any link, as a disk would.

    Args:
        control: False for a thief who keeps away from the device what would tell it of its seal.
    """
    chain, there = thief.ledger.chain, to.ledger.chain
    for feed, tip in chain.heads():
        wanted = feed.genesis.device == thief.id and (control or feed.genesis.lane != Lane.CONTROL)
        found = chain.run_after(feed, tip, 0, 1 << 20) if wanted else None
        if found is not None:
            run, _ = decode_run(found[0], 0, there.genesis_of, there.prev_of)
            to.ledger.take([run], WALL_MS)
    to.ledger.catch_up_all()


def seal(stage: Stage, by: Device, subject: DeviceId, order: SealOrder = LOST) -> None:
    stage.carry(by, by.node.seal(subject, order, stage.now(by)))


def test_sealing_while_connected_stops_data_in_that_instant():
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    fill(ann, 300)
    stage.link(ann, ben)
    stage.run(30)
    sent = len(ann.sent)

    seal(stage, ann, ben.id)

    # Nothing but the sentence that says why, and then no link; Eve has the new key for two.
    for effect in ann.sent[sent:]:
        assert len(effect) < 1_200
    held = ben.ledger.chain.last_arrival
    assert ben.id not in ann.node.linked
    stage.write(ann, patient("After the seal"))
    stage.run(60_000)
    assert ("After the seal", 0) not in standings(ben, "patient")
    assert ben.ledger.chain.last_arrival <= held + 40
    assert eve.id in ann.node.linked
    assert ("After the seal", 0) in standings(eve, "patient")
    assert ben.id not in eve.node.linked


@pytest.fixture
def robbed() -> tuple[Stage, Device, Device, Device, str]:
    """Ann seals Ben, whom a thief has; Eve hears of it. One patient is known to all."""
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    whom = stage.write(ann, patient("Amina"))[0].code or ""
    stage.run(500)
    stage.write(ben, note(whom, "honest"))
    stage.write(ann, patient("Bahir"), triage(whom, "red"))
    stage.run(500)
    stage.cut(ben, ann)
    stage.cut(ben, eve)
    seal(stage, ann, ben.id)
    stage.run(500)
    return stage, ann, ben, eve, whom


def test_what_a_stolen_device_writes_above_its_seal_is_kept_and_does_not_count(
    robbed: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = robbed
    assert eve.ledger.authority.roster.cut(ben.id)
    stage.write(ben, note(whom, "by the thief"))
    for device in (ann, eve):
        give(ben, device)
    stage.run(3_000)

    for device in (ann, eve):
        assert standings(device) == [
            ("by the thief", Standing.QUARANTINED),
            ("honest", Standing.STANDS),
        ]
    assert agree(ann, eve)


def test_whichever_comes_first_the_seal_or_what_lies_above_it(
    robbed: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = robbed
    late = Device.found("late")
    admit(ann, late)
    stage.write(ben, note(whom, "by the thief"))
    give(ben, late)
    give(ben, ann)
    stage.link(late, ann)
    stage.run(5_000)

    assert standings(late) == standings(ann)
    assert ("by the thief", Standing.QUARANTINED) in standings(late)
    assert agree(late, ann)


def test_a_stolen_laptops_retraction_link_identity_and_triage_change_nothing(
    robbed: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = robbed
    found = ben.store.one("SELECT code FROM patient WHERE name = 'Bahir'")
    other = found[0] if found else ""
    before = {table: rows(ann, table) for table in ("patient", "note", "triage")}
    honest = ann.store.one("SELECT entry FROM note")
    assert honest is not None
    reference = ref_of(ann, honest[0])
    answers = stage.write(
        ben,
        line("entry.retract", {"fact": reference}, reason="wrong patient"),
        line("patient.link", {"other": other, "relation": "same"}, patient=whom, reason="scar"),
        line("patient.identify", {"given_name": "Nobody"}, patient=whom),
        triage(whom, "green"),
    )
    assert all(answer.ok for answer in answers), [(a.error, a.field, a.message) for a in answers]
    for device in (ann, eve):
        give(ben, device)
    stage.run(3_000)

    for table, held in before.items():
        assert [row for row in rows(ann, table) if row[-1] == Standing.STANDS] == held
    assert agree(ann, eve)


def test_a_stolen_laptops_no_allergy_changes_nothing():
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    whom = stage.write(ann, patient("Amina"))[0].patient
    known = {"status": "active", "text": "penicillin", "severity": "severe"}
    stage.write(ann, line("allergy.record", known, patient=whom))
    stage.run(1_000)
    before = allergies(eve)
    assert before == [(2, "penicillin", 0)]
    stage.cut(ann, ben)
    stage.cut(ben, eve)
    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))
    stage.run(1_000)

    fact = ben.store.one("SELECT e.hash, a.idx FROM allergy a JOIN entry e ON e.arrival = a.entry")
    assert fact is not None
    reference = str(FactRef(EntryPrefix(fact[0][:16]), fact[1]))
    said = {"patient": whom, "reason": "asked again"}
    lies = stage.write(
        ben,
        line("allergy.record", {"status": "refuted", "text": "penicillin"}, **said),
        line("allergy.record", {"status": "none-known"}, **said, confirm=["allergy_listed"]),
        line("entry.retract", {"fact": reference}, reason="not true"),
    )
    assert all(answer.ok for answer in lies), lies
    assert allergies(ben) != before
    for device in (ann, eve):
        give(ben, device)
    stage.run(2_000)

    assert allergies(ann) == allergies(eve) == before
    assert agree(ann, eve)


def allergies(device: Device) -> list[tuple[object, ...]]:
    device.ledger.catch_up_all()
    return device.store.all("SELECT allergy, allergies, allergy_open FROM patient")


def rows(device: Device, table: str) -> list[tuple[object, ...]]:
    """What screens show of a table, with the standing last."""
    shown = {
        "patient": "name, triage, replaced",
        "note": "text, replaced",
        "triage": "category, replaced",
    }
    device.ledger.catch_up_all()
    return sorted(device.store.all(f"SELECT {shown[table]}, standing FROM {table}"))


def ref_of(device: Device, arrival: int) -> str:
    row = device.store.one("SELECT hash FROM entry WHERE arrival = ?", (arrival,))
    assert row is not None
    return str(FactRef(EntryPrefix(row[0][:16]), 0))


def test_honest_facts_that_depend_on_a_quarantined_one_still_load(
    robbed: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = robbed
    stage.write(ben, note(whom, "by the thief"))
    give(ben, eve)
    stage.write(eve, note(whom, "after the thief's"))
    stage.run(3_000)
    give(ben, ann)

    for device in (ann, eve):
        assert ("after the thief's", Standing.STANDS) in standings(device)
        assert ("by the thief", Standing.QUARANTINED) in standings(device)
    assert agree(ann, eve)


def test_what_a_seal_keeps_back_is_listed_and_an_extension_lets_it_through(
    robbed: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = robbed
    assert list(sealing.kept_back(ann.ledger)) == []
    stage.write(ben, note(whom, "honest after all"))
    for device in (ann, eve):
        give(ben, device)
    (kept,) = sealing.kept_back(eve.ledger)
    assert (kept.device, kept.entries, kept.standing) == (ben.id, 1, Standing.QUARANTINED)
    assert kept.reason == SealReason.LOST

    stage.carry(ann, ann.node.extend_seal(kept.seal, None, stage.now(ann)))
    stage.run(3_000)

    for device in (ann, eve):
        assert ("honest after all", Standing.STANDS) in standings(device)
        assert list(sealing.kept_back(device.ledger)) == []
    assert agree(ann, eve)


def test_a_seal_as_of_yesterday_keeps_back_what_was_written_since():
    stage, (ann, ben) = meshed(("ann", "ben"))
    whom = stage.write(ben, patient("Amina"))[0].code or ""
    stage.run(60_000)
    stage.write(ben, note(whom, "since the theft"))
    stage.run(500)
    seal(stage, ann, ben.id, SealOrder(SealReason.COMPROMISED, since_ms=WALL_MS + 30_000))

    assert standings(ann) == [("since the theft", Standing.QUARANTINED)]
    assert standings(ann, "patient") == [("Amina", Standing.STANDS)]


@pytest.mark.parametrize("by", ["ben", "eve"])
def test_who_may_not_seal_is_told_so_and_nothing_is_written(by: str):
    stage, devices = meshed(("ann", "ben", "eve"))
    sealer = next(device for device in devices if device.name == by)
    before = sealer.entries
    for victim in (devices[0], devices[1]):
        with pytest.raises(InputError, match="may_not_seal"):
            seal(stage, sealer, victim.id)
    with pytest.raises(InputError, match="unknown_member"):
        seal(stage, sealer, DeviceId(bytes(32)))
    with pytest.raises(InputError, match="unknown_seal"):
        sealer.node.extend_seal(EntryHash(bytes(32)), None, stage.now(sealer))

    assert sealer.entries == before
    assert len(sealer.node.linked) == 2


def test_a_note_with_a_seal_is_for_readers_alone():
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    seal(stage, ann, ben.id, SealOrder(SealReason.LOST, note="left in the bus"))
    stage.run(500)

    bodies = b"".join(row[0] for row in eve.store.all("SELECT body FROM entry WHERE kind = 1"))
    assert b"bus" not in bodies
    with pytest.raises(InputError, match="note_too_long"):
        seal(stage, ann, eve.id, SealOrder(SealReason.LOST, note="x" * 201))


def test_a_sealed_device_hears_of_its_seal_and_of_nothing_else():
    stage, (ann, ben) = meshed(("ann", "ben"))
    stage.cut(ann, ben)
    seal(stage, ann, ben.id)
    stage.write(ann, patient("After the seal"))
    # Its first feed of data, which the seal could not name.
    stage.write(ben, patient("Written meanwhile"))
    assert not ben.ledger.authority.roster.cut(ben.id)

    stage.link(ben, ann)
    stage.run(3_000)

    assert ben.ledger.authority.roster.cut(ben.id)
    # It reads nothing any more, and what it wrote is where others read it.
    assert standings(ben, "patient") == []
    assert standings(ann, "patient") == [
        ("After the seal", Standing.STANDS),
        ("Written meanwhile", Standing.HELD),
    ]
    assert ben.id not in ann.node.linked
    assert not ann.hangups
