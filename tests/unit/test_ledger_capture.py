"""A device that learns of its own seal: it reads nothing any more, and still takes care down."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protocols.errors import LedgerError
from protocols.ids import EntryHash, KeyId, PatientId, ScopeId
from protocols.ledger.sealing import SealOrder
from protocols.mesh.effects import Changed, Effect
from protocols.trust.certificates import Rank, open_certificate, sign_certificate
from protocols.trust.control import Capture, Seal, SealReason
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import Keyring, capture
from protocols.trust.standing import Standing
from protocols.trust.statements import SignedStatement
from tests.unit.camps import CARE as CARE_OF_CAMP
from tests.unit.camps import RELAY_ROLE, Camp, know
from tests.unit.stage import WALL_MS, Device, Stage, admit, agree, line, meshed, note, patient
from tests.unit.test_ledger_sealing import give, standings
from tests.unit.trust_operation import CARE, entropy, keys

TABLES = ("patient", "note", "triage", "encounter", "observation", "tag", "strand", "document",
          "subject", "draft")  # fmt: skip


@pytest.fixture
def learned() -> tuple[Stage, Device, Device, Device, str]:
    """Ann has sealed Ben, who heard of it; Eve is there too, and one patient is known to all."""
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    whom = stage.write(ann, patient("Amina"), triage_of("TG-1"))[0].patient
    stage.run(500)
    stage.write(ben, note(whom, "honest"))
    stage.run(2_000)
    ben.ledger.store.execute("INSERT INTO draft VALUES ('note', 'x', '{}', 1)")
    assert held(ben)["patient"] == 2
    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))
    stage.run(2_000)
    if not ben.ledger.authority.keyring.closed:
        stage.link(ben, ann)
        stage.run(2_000)
    return stage, ann, ben, eve, whom


def triage_of(tag: str) -> dict:
    return line("triage.record", {"category": "red", "tag": tag})


def held(device: Device) -> dict[str, int]:
    device.ledger.catch_up_all()
    return {table: device.store.one(f"SELECT count(*) FROM {table}")[0] for table in TABLES}


def nothing(device: Device) -> bool:
    authority = device.ledger.authority
    return not any(held(device).values()) and not authority.keyring.keys


def test_whoever_hears_of_the_own_seal_forgets_keys_and_rows_and_keeps_every_entry(
    learned: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = learned
    entries = ben.entries
    assert nothing(ben)
    assert ben.ledger.authority.sealed_here
    assert ben.store.one("SELECT count(*) FROM patient_search WHERE words MATCH 'amina'")[0] == 0
    with pytest.raises(LedgerError) as refused:
        ben.ledger.authority.writable_scope()
    assert refused.value.code == "no_key"

    ben.restarted()
    assert nothing(ben) and ben.entries == entries
    ben.ledger.rebuild_rows()
    assert nothing(ben)
    assert not nothing(eve)


def test_whoever_shows_rows_is_told_that_all_of_them_went_and_when_they_are_back():
    stage, (ann, ben) = meshed(("ann", "ben"))
    stage.write(ann, patient("Amina"))
    stage.run(1_000)
    told: list[frozenset[str]] = []
    carry = stage.carry

    def listening(device: Device, effects: Sequence[Effect]) -> None:
        told.extend(each.tables for each in effects if device is ben and isinstance(each, Changed))
        carry(device, effects)

    stage.carry = listening  # type: ignore[method-assign]
    carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))
    stage.link(ben, ann)
    stage.run(5_000)
    assert nothing(ben)
    assert any(tables >= ROWS_SEEN for tables in told)

    told.clear()
    count_again(ann, ben)
    stage.link(ben, ann)
    stage.run(5_000)
    assert held(ben)["patient"] == 1
    assert any(tables >= ROWS_SEEN for tables in told)


ROWS_SEEN = {"patient", "encounter", "triage", "note"}


def count_again(sealer: Device, sealed: Device) -> None:
    """Let this life of a sealed device count whole, as an admission of a later one does."""
    (bound,) = sealer.ledger.authority.roster.bounds(sealed.id)
    epoch = bytes(sealed.ledger.authority.epoch)
    again = Seal(bytes(sealed.id), bound.reason, (), extends=bytes(bound.seal), epochs=(epoch,))
    with sealer.ledger.atomic():
        sealer.ledger.write_control(again, WALL_MS)


def test_what_is_taken_down_then_is_read_by_others_waits_in_quarantine_and_is_let_through(
    learned: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = learned
    answers = stage.write(
        ben,
        patient("Bahir", family_name="Captured"),
        note(whom, "captured"),
        triage_of("TG-2"),
        line("encounter.open", {}, patient=whom),
    )
    assert [answer.ok for answer in answers] == [True] * 4, answers
    assert nothing(ben)
    bahir = answers[0].patient
    stage.write(ben, note(bahir, "bleeds"))
    for device in (ann, eve):
        give(ben, device)
        shown = standings(device)
        assert ("captured", Standing.QUARANTINED) in shown or ("captured", Standing.HELD) in shown
        assert ("bleeds", shown[0][1]) in shown and ("honest", Standing.STANDS) in shown
    assert agree(ann, eve)

    for bound in ann.ledger.authority.roster.bounds(ben.id):
        stage.carry(ann, ann.node.extend_seal(EntryHash(bound.seal), None, stage.now(ann)))
    stage.run(3_000)

    for device in (ann, eve):
        assert set(standings(device)) == {
            ("honest", Standing.STANDS), ("captured", Standing.STANDS), ("bleeds", Standing.STANDS),
        }  # fmt: skip
    row = eve.store.one(
        "SELECT code FROM patient p JOIN subject s ON s.no = p.subject WHERE s.id = ?",
        (bytes(PatientId.parse(bahir)),),
    )
    assert row == (answers[0].code,)
    assert agree(ann, eve)


def test_the_key_of_a_captured_entry_is_nowhere_on_the_device(
    learned: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = learned
    drawn: list[bytes] = []
    real = ben.chance.randbytes

    def drawing(size: int) -> bytes:
        drawn.append(real(size))
        return drawn[-1]

    now = type(stage.now(ben))(stage.now(ben).wall_ms, stage.at_ms, drawing)
    answers, _ = ben.node.record([note(whom, "captured")], now)
    assert answers[0].ok
    key = next(each for each in drawn if len(each) == 32)
    gc.collect()
    written = [
        value
        for (table,) in ben.store.all("SELECT name FROM sqlite_master WHERE type = 'table'")
        if "patient_search" not in table
        for row in ben.store.all(f"SELECT * FROM {table}")
        for value in row
        if isinstance(value, bytes)
    ]
    assert not any(key in value for value in written)
    assert not any(b"captured" in value for value in written)
    assert key not in ben.ledger.authority.keyring._committed.values()
    ben.restarted()
    assert nothing(ben)


def test_each_captured_entry_has_a_key_of_its_own_and_readers_alone_are_handed_it(
    learned: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = learned
    stage.write(ben, note(whom, "one"), note(whom, "two"))
    give(ben, eve)
    found = eve.store.all(
        "SELECT k.key_id FROM entry e JOIN key_name k ON k.no = e.scope_key"
        " JOIN feed f ON f.no = e.feed WHERE f.device = ? AND e.kind = 0 ORDER BY e.arrival DESC",
        (bytes(ben.id),),
    )[:2]
    assert len(set(found)) == 2
    keyring = eve.ledger.authority.keyring
    opened = {keyring.key(KeyId(key_id)) for (key_id,) in found}
    assert len(opened) == 2 and None not in opened and bytes(32) not in opened
    # A key for one entry is no generation of the scope: nobody writes under it.
    scope = eve.ledger.authority.care_scope
    assert not {KeyId(key_id) for (key_id,) in found} & set(keyring.generations(scope))
    assert eve.ledger.authority.write_key(scope)[0] not in {KeyId(k) for (k,) in found}


def test_a_device_admitted_again_opens_its_book_again(
    learned: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, eve, whom = learned
    stage.write(ben, note(whom, "captured"))
    before = ben.entries
    bounds = ann.ledger.authority.roster.bounds(ben.id)
    admit(ann, ben)
    assert [bound.reason for bound in bounds] == [SealReason.LOST]
    assert not ben.ledger.authority.sealed_here
    stage.link(ben, ann)
    stage.run(5_000)
    assert before <= ben.entries
    assert ("honest", Standing.STANDS) in standings(ben)


class Lone(Camp):
    """A camp whose issuer is a key in a safe, so that one device alone may read what it writes."""

    def _signed(self, signer, subject, rank, *terms) -> SignedStatement:
        signed = super()._signed(signer, subject, rank, *terms)
        if rank != Rank.ISSUER:
            return signed
        return sign_certificate(replace(open_certificate(signed), agree=b""), signer)


def test_with_nobody_else_to_read_it_care_is_taken_down_and_waits_for_this_device_itself():
    camp = Lone(CARE_OF_CAMP)
    ann = camp.device("ann", "ministry")
    boss = camp.device("boss", "ministry", roles=(RELAY_ROLE,), rank=Rank.COORDINATOR)
    know(ann, boss)
    know(boss, ann)
    stage = Stage()
    stage.carry(boss, boss.node.seal(ann.id, SealOrder(SealReason.LOST), stage.now(boss)))
    stage.link(ann, boss)
    stage.run(3_000)
    assert ann.ledger.authority.keyring.closed
    assert ann.ledger.authority.roster.readers(ScopeId(CARE_OF_CAMP.id)) == []

    answer = stage.write(ann, patient("Bahir"))[0]

    assert answer.ok, answer.error
    assert nothing(ann)
    ann.restarted()
    assert nothing(ann)
    count_again(boss, ann)
    stage.link(ann, boss)
    stage.run(3_000)
    assert held(ann)["patient"] == 1
    assert ann.store.one("SELECT count(*) FROM patient_search WHERE words MATCH 'bahir'")[0] == 1


def test_a_seal_that_only_reduces_takes_no_key_away():
    stage, (ann, ben) = meshed(("ann", "ben"))
    whom = stage.write(ann, patient("Amina"))[0].patient
    stage.run(1_000)
    charter = ann.ledger.authority.roster.charter
    roles = tuple(sorted(role.number for role in charter.roles))[:1]
    order = SealOrder(SealReason.ROLE_REDUCED, roles=roles)
    stage.carry(ann, ann.node.seal(ben.id, order, stage.now(ann)))
    stage.run(3_000)
    assert not ben.ledger.authority.sealed_here
    assert held(ben)["patient"] == 1 and whom


READER, OTHER = keys("reader"), keys("other")


def ring(own: DeviceKeys) -> Keyring:
    return Keyring(own)


def test_who_is_let_in_later_is_handed_the_keys_of_captured_entries_too(
    learned: tuple[Stage, Device, Device, Device, str],
):
    stage, ann, ben, _, whom = learned
    stage.write(ben, note(whom, "captured"))
    give(ben, ann)
    late = Device.found("late")
    admit(ann, late)
    give(ben, late)
    assert "captured" not in dict(standings(late))

    stage.link(late, ann)
    stage.run(90_000)

    assert standings(late) == standings(ann)
    assert "captured" in dict(standings(late))


def captured(key: bytes) -> Capture:
    return capture(CARE, key, [(READER.device, READER.agree_public)], entropy("ephemeral"))


def test_a_keyring_takes_a_captured_key_whatever_comes_first_and_only_its_reader_has_it():
    key, name = entropy("one entry"), EntryHash(entropy("its record"))
    for own, found in ((READER, key), (OTHER, None)):
        held = ring(own)
        held.add(captured(key), OTHER.device, name)
        assert held.key(KeyId(name)) == found
        assert held.add(captured(key), OTHER.device, name) == []
    assert ring(READER).write_key(CARE, lambda *_: True) is None


@given(st.binary(min_size=48, max_size=48), st.binary(min_size=32, max_size=32))
def test_an_envelope_or_commitment_that_is_none_opens_nothing(sealed, committed):
    key, name = entropy("one entry"), EntryHash(entropy("its record"))
    good = captured(key)
    prefix = READER.device[:8]
    for bad in (
        Capture(CARE, good.commitment, good.ephemeral, ((prefix, sealed),)),
        Capture(CARE, committed, good.ephemeral, good.envelopes),
        Capture(CARE, good.commitment, bytes(32), good.envelopes),
    ):
        held = ring(READER)
        held.add(bad, OTHER.device, name)
        assert held.key(KeyId(name)) is None


def test_a_closed_keyring_opens_nothing_whatever_comes():
    key, name = entropy("one entry"), EntryHash(entropy("its record"))
    held = ring(READER)
    held.add(captured(key), OTHER.device, name)
    held.close()
    assert not held.keys
    other = EntryHash(entropy("another record"))
    assert held.add(captured(key), OTHER.device, other) == []
    assert held.put(KeyId(other), key) == []
    assert not held.keys
