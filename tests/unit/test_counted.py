"""What the aggregate scope is told: enough to count by, nothing to find anybody by."""

from __future__ import annotations

from random import Random

import pytest

from protocols.feeds.body import decode_body
from protocols.ids import DocId, ScopeId
from protocols.ledger.counting import Tally, known_states, tallies
from protocols.records.catalogue import decode_fact
from protocols.records.counted import states
from protocols.records.kinds import KindNo
from protocols.records.triage import CAUTION
from protocols.trust.certificates import Rank
from protocols.trust.charter import Scope, Sensitivity
from tests.unit.camps import CARE, CARE_ROLE, HQ_ROLE, Camp, know, new_key
from tests.unit.stage import Device, Stage, line, note, patient, triage

SUMS = Scope(b"sums" * 4, "sums", Sensitivity.AGGREGATE, (), True, (CARE_ROLE, HQ_ROLE))
TABLE = (ScopeId(SUMS.id), ScopeId(CARE.id))


def ward(*, tents: int = 1) -> tuple[Stage, list[Device]]:
    """Ann and tents write care and counts; Hal reads counts only; Kim reads care only."""
    camp = Camp(CARE, SUMS)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
    names = ["ben", "eve", "gus"][:tents]
    others = [camp.device(name, "ministry") for name in names]
    hal = camp.device("hal", "japan", roles=(HQ_ROLE,), scopes=(TABLE[0],))
    kim = camp.device("kim", "japan", scopes=(TABLE[1],))
    know(ann, *others, hal, kim)
    for scope in TABLE:
        new_key(ann, scope)
    return Stage(), [ann, *others, hal, kim]


def counted(device: Device) -> list[Tally]:
    device.ledger.catch_up_all()
    return tallies(device.store)


def numbers(device: Device) -> dict[int | None, int]:
    """How many encounters there are of each category."""
    found: dict[int | None, int] = {}
    for each in counted(device):
        found[each.category] = found.get(each.category, 0) + each.encounters
    return found


def meet(stage: Stage, *devices: Device) -> None:
    for at, here in enumerate(devices):
        for there in devices[at + 1 :]:
            stage.link(here, there)
            stage.run(15_000)
            stage.cut(here, there)


def sums_entries(device: Device) -> int:
    row = device.store.one(
        "SELECT count(*) FROM entry e JOIN feed f ON f.no = e.feed WHERE f.scope = ?", (TABLE[0],)
    )
    return row[0] if row else 0


def test_a_triage_a_correction_a_close_and_a_retraction_are_counted_in_their_own_transaction():
    stage, (ann, _, _, _) = ward()
    code = stage.write(ann, line("triage.record", {"category": "red", "sex": "female", "band": 4}))
    whom = code[0].code or ""
    assert numbers(ann) == {1: 1}
    (first,) = counted(ann)
    assert (first.sex, first.band, first.outcome, first.encounters) == (2, 4, None, 1)

    stage.write(ann, triage(whom, "green"))
    assert numbers(ann) == {3: 1} and sums_entries(ann) == 2
    stage.write(ann, note(whom))
    assert sums_entries(ann) == 2
    stage.write(ann, line("encounter.close", {"outcome": "discharged"}, patient=whom))
    (closed,) = counted(ann)
    assert closed.outcome == 1

    other = stage.write(ann, line("triage.record", {"category": "yellow"}))[0]
    assert numbers(ann) == {3: 1, 2: 1}
    stage.write(ann, line("entry.retract", {"fact": other.facts[0]}, reason="wrong person"))
    assert numbers(ann) == {3: 1}


def test_what_is_counted_names_nobody_and_leads_nowhere():
    stage, (ann, ben, hal, kim) = ward()
    answer = stage.write(
        ann,
        patient("Quillonara", village="Vexborough"),
    )[0]
    whom = answer.code or ""
    stage.write(ann, line("triage.record", {"category": "red", "tag": "ZQ-7"}, patient=whom))
    stage.write(ann, note(whom, "wordthatnobodysays"))
    meet(stage, ann, hal)

    assert numbers(hal) == {1: 1}
    assert hal.store.one("SELECT count(*) FROM patient") == (0,)
    kinds = set()
    subjects = {bytes(row[0]) for row in ann.store.all("SELECT id FROM patient")}
    subjects |= {bytes(row[0]) for row in ann.store.all("SELECT id FROM encounter")}
    for (plain,) in hal.store.all("SELECT plain FROM strand"):
        body = decode_body(plain)
        kinds |= {kind for kind, _ in body.facts}
        assert not any(subject in plain for subject in subjects)
        for word in (b"Quillonara", b"Vexborough", b"ZQ-7", b"wordthat", whom.encode()):
            assert word not in plain
        assert all(decode_fact(kind, value) is not None for kind, value in body.facts)
    assert kinds == {KindNo.DOCUMENT_OPEN, KindNo.ENCOUNTER_COUNTED}
    assert unread(hal) == {"key"}


def unread(device: Device) -> set[str]:
    return {row[0] for row in device.store.all("SELECT DISTINCT reason FROM unopened")}


def test_who_reads_care_only_sees_no_count_and_digests_agree_scope_by_scope():
    stage, (ann, ben, hal, kim) = ward()
    for category in ("red", "red", "green"):
        stage.write(ann, line("triage.record", {"category": category}))
    meet(stage, ann, ben, hal, kim)

    assert counted(kim) == [] and kim.store.one("SELECT count(*) FROM patient") == (3,)
    assert counted(hal) == counted(ben) == counted(ann)
    for scope, devices in ((TABLE[0], (ann, ben, hal)), (TABLE[1], (ann, ben, kim))):
        assert len({each.ledger.digest(scope) for each in devices}) == 1


def test_nothing_is_counted_where_there_is_no_aggregate_scope():
    stage, (ann, ben, hal, kim) = ward()
    meet(stage, ann, kim)
    answers = stage.write(kim, line("triage.record", {"category": "red"}))
    assert answers[0].ok and counted(kim) == [] and sums_entries(kim) == 0


def assert_rows_say_what_facts_say(device: Device) -> None:
    """What is counted follows from rows at hand where there are some, else from the facts."""
    for (subject,) in device.store.all("SELECT id FROM patient"):
        whom = DocId(subject)
        no = device.ledger.merger.subject(whom)
        assert no is not None
        told = states(whom, device.ledger.merger.facts_of(no[0]))
        assert told and known_states(device.ledger, whom) == told


@pytest.mark.parametrize("seed", range(6))
def test_counts_follow_care_whatever_is_written_apart(seed: int):
    """Whoever wrote what apart, once all have met the counts say what the patients' rows say."""
    stage, devices = ward(tents=3)
    writers, hal = devices[:4], devices[4]
    chance = Random(seed)
    meet(stage, *writers)
    people = [
        stage.write(writers[0], line("triage.record", {"category": "red", "tag": f"T{n}"}))[0].code
        for n in range(4)
    ]
    meet(stage, *writers)
    for _ in range(30):
        writer, whom = chance.choice(writers), chance.choice(people)
        stage.write(writer, triage(whom or "", chance.choice(("red", "yellow", "green"))))
        assert_rows_say_what_facts_say(writer)
        if chance.random() < 0.2:
            meet(stage, *chance.sample(writers, 2))
    meet(stage, *writers)
    meet(stage, *writers)
    open_ones = counted(writers[0])
    assert all(counted(each) == open_ones for each in writers)
    shown = [row[0] for row in writers[0].store.all("SELECT triage FROM patient")]
    assert sum(numbers(writers[0]).values()) == len(people)
    # While statements made apart stand, both use the cautious category.
    assert sorted(CAUTION.index(c) for c in shown) == sorted(
        CAUTION.index(category) for category, n in numbers(writers[0]).items()
        for _ in range(n) if category is not None
    )  # fmt: skip

    for whom in people:
        stage.write(writers[0], note(whom or ""))
    meet(stage, *writers, hal)
    assert counted(hal) == counted(writers[0])
    assert hal.store.one("SELECT sum(unsettled) FROM counted") == (0,)
