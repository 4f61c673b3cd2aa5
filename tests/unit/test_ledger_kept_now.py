"""What is kept at hand of subjects is judged as now, read in its order, and let go."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.feeds.lane import Lane
from protocols.ledger.opening import DocumentStage
from protocols.records.history import KEPT_FROM, History, history_of
from protocols.records.kinds import KindNo
from protocols.trust.judging import Judgement
from protocols.trust.roster import Roster
from protocols.trust.standing import Standing
from tests.unit import stage
from tests.unit.stage import WALL_MS, Device, fill, note, patient, triage
from tests.unit.test_ledger_chain import relayed
from tests.unit.test_ledger_kept import tables


def test_what_was_begun_here_is_said_to_be_open_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and file say the same of a document from its first entry: nothing is left to note."""
    ann = Device.found("ann")
    noted: list[Any] = []
    executemany = ann.store.executemany

    def watched(statement: str, rows: Any) -> Any:
        rows = list(rows)
        noted.extend(rows if "UPDATE document SET stage" in statement else [])
        return executemany(statement, rows)

    monkeypatch.setattr(ann.store, "executemany", watched)
    (answer,) = fill(ann, 1)
    ann.node._recorder.record([triage(answer.code or "")], WALL_MS, ann.chance.randbytes)

    stages = ann.store.all("SELECT no, stage FROM document ORDER BY no")
    assert len(stages) > 1 and {stage for _, stage in stages} == {DocumentStage.OPEN}
    assert not noted
    kept = [place for each in ann.ledger.merger._subjects.values() for place in each.places.items()]
    assert sorted((no, place.stage) for no, place in kept) == stages


def test_what_comes_late_with_an_earlier_clock_is_read_in_its_place() -> None:
    """Who wrote first is shown first, though what came first was read already."""
    ann, ben = stage.camp(("ann", "ben"))
    desk = stage.Stage()
    desk.link(ann, ben)
    (answer,) = desk.write(ann, patient("Amina"))
    desk.run(3_000)
    whom = answer.code or ""
    desk.cut(ann, ben)
    said_last = stage.line("patient.identify", {"sex": "female", "village": "Ruyigi"}, patient=whom)
    assert desk.write(ann, said_last)[0].ok
    ben.ledger.chain.last_clock = 0
    line = stage.line("patient.identify", {"sex": "male", "village": "Gitega"}, patient=whom)
    (said,), _, _ = ben.node._recorder.record([line], WALL_MS - 3_600_000, ben.chance.randbytes)
    assert said.ok
    (subject,) = ann.store.one("SELECT subject FROM patient") or (0,)
    merger = ann.ledger.merger
    read = history_of(merger._subjects[subject].id, merger.facts_of(subject))

    relayed(ben, ann, Lane.ROUTINE)
    ann.ledger.catch_up_all()

    facts = merger.facts_of(subject)
    assert ben.entries <= ann.entries and len(facts) > len(read.facts)
    assert bytes(facts[-1].device) == bytes(ann.id)
    grown, anew = history_of(read.subject, facts), History(read.subject, [*facts])
    assert grown.facts == facts
    assert (grown.of_kind, grown.now) == (anew.of_kind, anew.now)
    before = tables(ann)
    ann.ledger.rebuild_rows()
    assert tables(ann) == before


@pytest.mark.parametrize("asked", ["facts", "heads"])
def test_what_is_only_looked_at_is_judged_as_now(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = Device.found("ann")
    (answer,) = fill(ann, 1)
    ann.node._recorder.record([note(answer.code or "")], WALL_MS, ann.chance.randbytes)
    subject, doc = ann.store.all("SELECT subject, no FROM document")[0]
    merger = ann.ledger.merger
    assert {fact.standing for fact in merger.facts_of(subject)} == {Standing.STANDS}
    monkeypatch.setattr(Roster, "judge", lambda *_: Judgement(Standing.REFUSED))
    ann.ledger.authority.roster.certify(())

    merger.drop([doc])
    if asked == "heads":
        assert merger.heads_of(doc)

    assert {fact.standing for fact in merger.facts_of(subject)} == {Standing.REFUSED}


def test_each_kind_and_each_session_of_a_writer_is_judged_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one feed: what a person may write in one shift says nothing of another's, or of a kind."""
    ann = Device.found("ann")
    kinds, asked = (int(KindNo.NOTE_ADD), int(KindNo.PATIENT_IDENTIFY)), set[Any]()

    def judge(_: Roster, author: Any, kind: int, scope: Any, session: Any) -> Judgement:
        asked.add((kind, session))
        refused = kind == kinds[0] and session == (0, b"")
        return Judgement(Standing.REFUSED if refused else Standing.STANDS)

    monkeypatch.setattr(Roster, "judge", judge)
    ann.ledger.authority.roster.certify(())
    merger = ann.ledger.merger
    merger._judge_as_now()
    (feed, *_) = ann.ledger.chain.by_no.values()
    sessions = ((0, b""), (3, b"abcd"))
    told = {
        (kind, session): merger._judged(feed, kind, session)[0]
        for _ in range(2)
        for kind in kinds
        for session in sessions
    }

    assert asked == set(told)
    refused = [each for each, standing in told.items() if standing == Standing.REFUSED]
    assert refused == [(kinds[0], sessions[0])]


def test_of_few_facts_what_they_come_to_is_kept_of_one_subject_and_of_none_that_is_gone() -> None:
    ann = Device.found("ann")
    answers = fill(ann, 4)
    for answer in answers:
        ann.node._recorder.record([note(answer.code or "")], WALL_MS, ann.chance.randbytes)
    merger = ann.ledger.merger
    subjects = [no for (no,) in ann.store.all("SELECT no FROM subject ORDER BY no")]
    for no in subjects:
        facts = merger.facts_of(no)
        assert len(facts) < KEPT_FROM
        history_of(merger._subjects[no].id, facts)

    held = {no: each.gathered[1].history for no, each in merger._subjects.items() if each.gathered}
    assert [no for no, history in held.items() if history is not None] == subjects[-1:]
    ann.node._recorder.record([note(answers[-1].code or "")], WALL_MS, ann.chance.randbytes)
    gathered = merger._subjects[subjects[-1]].gathered
    assert gathered is not None and gathered[1].history is None

    merger.facts_of(subjects[-1])
    merger.drop(merger._subjects[subjects[-1]].places)
    assert merger._looked_at == [] and subjects[-1] not in merger._subjects


def test_whom_nothing_is_written_about_yet_has_no_document_until_there_is_one() -> None:
    ann = Device.found("ann")
    fill(ann, 1)
    merger, whom = ann.ledger.merger, b"w" * 16
    insert = "INSERT INTO subject (no, id, kind, dirty) VALUES (?,?,1,0)"
    ann.store.execute(insert, (99, whom))

    assert merger.subject(whom) == (99, 1)
    assert merger._subjects[99].places == {}

    ann.store.execute("UPDATE document SET subject = 99")
    assert merger.subject(whom) == (99, 1)
    assert len(merger._subjects[99].places) == 1
