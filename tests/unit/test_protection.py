"""Protection: who has no key for it sees nothing of it on the board, in search or of duplicates."""

from __future__ import annotations

import pytest

from protocols.feeds.body import decode_body
from protocols.ids import PatientId, ScopeId
from protocols.ledger.sealing import SealOrder
from protocols.ledger.searching import search_query
from protocols.trust.certificates import Rank
from protocols.trust.charter import Scope, Sensitivity
from protocols.trust.control import SealReason
from tests.unit.camps import CARE, CARE_ROLE, Camp, know, new_key, publish, refused
from tests.unit.stage import Device, Stage, line, patient, triage
from tests.unit.test_ledger_sealing import give

SAFE = Scope(b"safe" * 4, "protection", Sensitivity.PROTECTION, (), True, (CARE_ROLE,))
WORD = "wordthatnobodysays"


def told() -> tuple[Stage, Device, Device, Device, str, str]:
    """Ann and Pat are entrusted; Kim is of care only. One child is known to all."""
    camp = Camp(CARE, SAFE)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
    pat = camp.device("pat", "ministry")
    kim = camp.device("kim", "ministry", scopes=(ScopeId(CARE.id),))
    know(ann, pat, kim)
    for scope in (CARE, SAFE):
        new_key(ann, ScopeId(scope.id))
    stage = Stage()
    stage.link(ann, pat)
    stage.link(ann, kim)
    child = stage.write(ann, patient("Amina", age={"value": "6", "unit": "y"}))[0].code or ""
    stage.write(ann, triage(child, "green"))
    stage.run(2_000)
    before = seen(kim)
    answer = stage.write(
        ann,
        line(
            "protection.record",
            {"concern": "unaccompanied-child", "text": WORD},
            patient=child,
        ),
    )[0]
    assert answer.ok and answer.patient is None
    stage.run(2_000)
    assert seen(kim) == before
    return stage, ann, pat, kim, child, answer.facts[0]


def seen(device: Device) -> list[object]:
    """All that screens and pages read, and the whole search index's answers."""
    device.ledger.catch_up_all()
    tables = device.store.one("SELECT value FROM meta WHERE name = 'row_tables'")
    assert tables is not None
    rows = [
        sorted(device.store.all(f"SELECT * FROM {name}"), key=repr)
        for name in tables[0].decode().split()
    ]
    found = [
        device.store.all(
            "SELECT count(*) FROM patient_search WHERE patient_search MATCH ?",
            (search_query(word),),
        )
        for word in (WORD, "Amina", "unaccompanied", "child")
    ]
    return [rows, found, device.store.all("SELECT count(*) FROM subject")]


def concerns(device: Device) -> list[tuple[str, str, int]]:
    device.ledger.catch_up_all()
    return device.store.all("SELECT concern, text, replaced FROM protection")


@pytest.mark.safety(18)
def test_who_is_entrusted_reads_it_and_nobody_else_sees_that_there_is_anything():
    stage, ann, pat, kim, child, fact = told()
    assert concerns(ann) == concerns(pat) == [("unaccompanied-child", WORD, 0)]
    assert concerns(kim) == []
    assert {reason for (reason,) in kim.store.all("SELECT reason FROM unopened")} == {"key"}
    for (plain,) in kim.store.all("SELECT plain FROM strand"):
        assert WORD.encode() not in plain and fact.encode() not in plain
    # Nothing of it is in the scope of care, for whoever reads that.
    care = ScopeId(CARE.id)
    for feed in ann.ledger.chain.feeds.values():
        for (plain,) in ann.store.all("SELECT plain FROM strand WHERE feed = ?", (feed.no,)):
            if feed.genesis.scope == care:
                assert all(kind != 64 for kind, _ in decode_body(plain).facts)
                assert WORD.encode() not in plain
    assert ann.ledger.digest(care) == pat.ledger.digest(care) == kim.ledger.digest(care)


def test_it_is_taken_back_in_its_own_scope():
    stage, ann, pat, kim, child, fact = told()
    before = seen(kim)
    reason = "reasonthatnobodysays"
    assert stage.write(pat, line("entry.retract", {"fact": fact}, reason=reason))[0].ok
    stage.run(2_000)

    assert concerns(ann) == concerns(pat) == [("unaccompanied-child", WORD, 2)]
    assert seen(kim) == before
    assert not any(reason.encode() in row[0] for row in kim.store.all("SELECT plain FROM strand"))
    assert {row[0] for row in pat.store.all("SELECT DISTINCT scope FROM document")} == {
        CARE.id,
        SAFE.id,
    }
    assert pat.store.one("SELECT count(*) FROM document WHERE scope = ?", (SAFE.id,)) == (1,)


def test_without_a_protection_scope_it_is_refused_and_written_nowhere():
    stage, ann, pat, kim, child, _ = told()
    entries = len(kim.entries)
    data = {"concern": "sexual-violence"}
    assert refused(kim, line("protection.record", data, patient=child)) == "no_protection_scope"
    assert len(kim.entries) == entries


def test_a_device_that_is_entrusted_later_writes_there_from_then_on():
    camp = Camp(CARE, SAFE)
    kim = camp.device("kim", "ministry", scopes=(ScopeId(CARE.id),))
    authority = kim.ledger.authority
    assert authority.scope_for(Sensitivity.PROTECTION) is None

    publish(kim, camp.certificate(authority.keys, "ministry"))

    assert authority.scope_for(Sensitivity.PROTECTION) == ScopeId(SAFE.id)
    assert authority.care_scope == ScopeId(CARE.id)


def test_a_sealed_device_still_takes_a_concern_down_for_those_entrusted_and_nobody_else():
    stage, ann, pat, kim, child, _ = told()
    whom = str(PatientId(ann.store.one("SELECT id FROM subject WHERE kind = 1")[0]))
    stage.carry(ann, ann.node.seal(pat.id, SealOrder(SealReason.LOST), stage.now(ann)))
    stage.run(2_000)
    stage.link(pat, ann)
    stage.run(2_000)
    assert pat.ledger.authority.keyring.closed
    before = seen(kim)
    data = {"concern": "sexual-violence", "text": "saidafterwards"}
    answer = stage.write(pat, line("protection.record", data, patient=whom))[0]
    assert answer.ok, answer.error
    for device in (ann, kim):
        give(pat, device)

    assert ("sexual-violence", "saidafterwards", 0) in concerns(ann)
    assert not any(
        b"saidafterwards" in plain for (plain,) in kim.store.all("SELECT plain FROM strand")
    )
    assert seen(kim) == before
    written = {feed.genesis.scope for feed in pat.ledger.chain.feeds.values()
               if feed.genesis.device == pat.id and feed.genesis.lane}  # fmt: skip
    assert written == {ScopeId(SAFE.id)}
