"""What is kept at hand of subjects and their rows changes nothing of what the tables say."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from protocols.ids import DocId, PatientId
from protocols.ledger import counting, merging, reading, rowbook
from protocols.ledger.book import Ledger
from protocols.ledger.searching import search_query
from protocols.records.catalogue import ROW_TABLES
from protocols.records.patient import PatientRow
from protocols.records.shape import columns
from protocols.trust.judging import Judgement
from protocols.trust.roster import Roster
from protocols.trust.standing import Standing
from tests.unit import stage
from tests.unit.forge import doc_of, opening, saying
from tests.unit.stage import WALL_MS, Device, Line, fill, note, patient, triage
from tests.unit.test_ledger_crash import far


def tables(device: Device) -> dict[str, list[tuple[Any, ...]]]:
    """Every row without the number of its change, which counts how it came about."""
    found = {}
    for table in ROW_TABLES:
        rows = device.store.execute(f"SELECT * FROM {table.TABLE} ORDER BY 1, 2, 3")
        at = [column[0] for column in rows.description].index("changed")
        found[table.TABLE] = [(*row[:at], *row[at + 1 :]) for row in rows.fetchall()]
    return found


def written(device: Device) -> None:
    """Write about a few patients in turn, in ways that add, change and take away rows."""
    chance = Random("kept")
    codes = [answer.code or "" for answer in fill(device, 5)]
    notes: list[Any] = []
    for number in range(40):
        whom = chance.choice(codes)
        lines: list[Line] = [
            note(whom, f"note {number}"),
            triage(whom, chance.choice(("red", "green"))),
            patient(f"New {number}", tags=[f"T{number}"]),
        ]
        if notes:
            retract = {"fact": notes.pop(0).facts[0]}
            lines.append(note(whom) | {"kind": "entry.retract", "data": retract, "reason": "typo"})
        line = chance.choice(lines)
        (answer,), _, _ = device.node._recorder.record([line], WALL_MS, device.chance.randbytes)
        assert answer.ok, answer
        if line["kind"] == "note.add":
            notes.append(answer)


def test_every_own_entry_says_the_document_that_its_strand_is_of():
    device = Device.found("ann")
    written(device)

    of = device.store.all("SELECT e.doc, s.doc FROM strand s JOIN entry e ON e.arrival = s.entry")

    assert len(of) > 40 and all(said == kept for said, kept in of)


@pytest.mark.parametrize("most", [0, 1, 7])
def test_rows_are_the_same_however_little_is_kept(most: int, monkeypatch: pytest.MonkeyPatch):
    whole = Device.found("ann")
    written(whole)
    monkeypatch.setattr(rowbook, "ROWS_KEPT", most)
    monkeypatch.setattr(merging, "CACHED_SUBJECTS_MAX", most)
    monkeypatch.setattr(merging, "CACHED_ENTRIES_MAX", most)
    scant = Device.found("ann")

    written(scant)

    assert tables(scant) == tables(whole)
    assert scant.care == whole.care
    assert scant.ledger.rows.last_change == whole.ledger.rows.last_change
    assert len(scant.ledger.rows._kept) <= max(1, most)
    whole.ledger.rebuild_rows()
    assert tables(whole) == tables(scant)


def test_a_patient_hangs_on_the_entry_that_founded_them_though_another_says_it_is_older() -> None:
    ann = Device.found("ann")
    one, two = far(ann), far(ann, "other")
    two.clock -= 1_000_000 << 16
    start = one.write([opening(), saying("first")])
    other = two.write([opening(doc_of(start)), saying("of before")])

    ann.ledger.take([two.run(other), one.run(start)], WALL_MS)

    assert ann.store.all("SELECT e.hash FROM patient p JOIN entry e ON e.arrival = p.entry") == [
        (start.hash,)
    ]


def test_a_column_that_changes_alone_is_written() -> None:
    ann = Device.found("ann")
    fill(ann, 1)
    no, held = ann.store.all("SELECT no, held FROM subject WHERE kind = 1")[0]
    book = ann.ledger.rows
    (row,) = book.at_hand(no, PatientRow) or []
    for name, said in columns(PatientRow):
        if name in ("entry", "idx"):
            continue
        was = getattr(row, name)
        more: Any = b"1" if "bytes" in said else "1" if "str" in said else 1
        row = replace(row, **{name: more if was is None else was + more})
        with ann.store.atomic():
            book.write([(no, held, book.spread(no, [row]))])
        (told,) = ann.store.all(f"SELECT {name} FROM patient WHERE subject = ?", (no,))
        assert told == (getattr(row, name),), name


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"given_name": "Zebulon"}, "zebulon"),
        ({"other_names": "Kofi"}, "kofi"),
        ({"tags": ["Q7"]}, "q7"),
    ],
)
def test_whatever_of_a_patient_changes_alone_is_what_they_are_found_by(
    data: dict[str, Any], word: str
) -> None:
    ann = Device.found("ann")
    (whom,) = fill(ann, 1)
    found = "SELECT rowid FROM patient_search WHERE words MATCH ?"
    assert ann.store.all(found, (search_query(word),)) == []

    said = stage.line("patient.identify", data, patient=whom.code)
    (answer,), _, _ = ann.node._recorder.record([said], WALL_MS, ann.chance.randbytes)

    assert answer.ok
    assert len(ann.store.all(found, (search_query(word),))) == 1
    gone = ann.store.all(found, (search_query("Patient"),))
    assert len(gone) == ("given_name" not in data)


def test_what_a_failed_transaction_wrote_is_not_kept() -> None:
    ann = Device.found("ann")
    (first, *_) = fill(ann, 3)
    held = tables(ann)

    def failing() -> None:
        with ann.ledger.atomic():
            fill(ann, 2, start=3)
            line = note(first.code or "")
            ann.node._recorder.record([line], WALL_MS, ann.chance.randbytes)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()

    assert tables(ann) == held
    ann.node._recorder.record([note(first.code or "")], WALL_MS, ann.chance.randbytes)
    after = tables(ann)
    ann.ledger.rebuild_rows()
    assert tables(ann) == after


@pytest.mark.parametrize("first", [True, False])
def test_whom_a_later_document_calls_a_patient_is_counted_as_one(first: bool) -> None:
    ann = Device.found("ann")
    one, two = far(ann), far(ann, "other")
    start = one.write([saying("opens nothing")])
    runs = [one.run(start), two.run(two.write([opening(doc_of(start)), saying("of a patient")]))]
    for run in runs if first else reversed(runs):
        ann.ledger.take([run], WALL_MS)

    line = triage(str(PatientId(doc_of(start))))
    (answer,), _, _ = ann.node._recorder.record([line], WALL_MS, ann.chance.randbytes)

    assert answer.ok
    assert ann.store.one("SELECT count(*) FROM counted") == (1,)


def test_documents_that_are_gone_are_not_looked_for() -> None:
    ann = Device.found("ann")
    fill(ann, 1)
    subject, doc = ann.store.all("SELECT subject, no FROM document")[0]
    assert ann.ledger.merger.facts_of(subject)
    for table, column in (("strand", "doc"), ("document", "no")):
        ann.store.execute(f"DELETE FROM {table} WHERE {column} = ?", (doc,))

    ann.ledger.merger.drop([doc])

    assert ann.ledger.merger.facts_of(subject) == []
    assert doc not in ann.ledger.merger._cache


def test_a_subject_larger_than_what_is_kept_is_not_read_anew_at_each_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(merging, "CACHED_ENTRIES_MAX", 7)
    monkeypatch.setattr(merging, "DOCUMENT_ENTRIES_MAX", 10)
    ann = Device.found("ann")
    (first,) = fill(ann, 1)
    said = [note(first.code or "", f"note {number}") for number in range(45)]
    ann.node._recorder.record(said[:35], WALL_MS, ann.chance.randbytes)
    read: list[int] = []
    strands = merging.Merger._strands

    def watched(merger: merging.Merger, doc: int) -> Any:
        read.append(doc)
        return strands(merger, doc)

    monkeypatch.setattr(merging.Merger, "_strands", watched)
    ann.node._recorder.record(said[35:], WALL_MS, ann.chance.randbytes)

    assert ann.store.one("SELECT count(*) FROM document WHERE stage = 2")[0] > 3
    assert not read


def pages(device: Device, table: str, since: int = 0, size: int = 3) -> list[tuple[int, Any]]:
    """Rows as somebody who follows them is given them: (change, row), a few at a time."""
    found: list[tuple[int, Any]] = []
    while lines := reading.rows(device.ledger, table, since, size):
        found += [(each.changed, each.row) for each in lines]
        since = lines[-1].changed
    return found


def in_order(device: Device, table: str) -> list[tuple[Any, ...]]:
    return device.store.all(f"SELECT changed, entry, idx FROM {table} ORDER BY changed")


def assert_all_are_given(device: Device) -> None:
    for table in ROW_TABLES:
        given = pages(device, table.TABLE)
        said = [(changed, row.entry, row.idx) for changed, row in given]
        assert said == in_order(device, table.TABLE)


def test_rows_are_given_once_each_in_the_order_they_changed():
    ann = Device.found("ann")
    written(ann)
    assert_all_are_given(ann)

    since = ann.ledger.rows.last_change
    fill(ann, 1, start=90)
    given = [each for table in ROW_TABLES for each in pages(ann, table.TABLE, since)]
    assert {row.TABLE for _, row in given} >= {"patient"}
    assert sorted(changed for changed, _ in given) == list(
        range(since + 1, ann.ledger.rows.last_change + 1)
    )


def test_who_follows_rows_is_given_all_of_them_again_once_they_are_built_anew():
    ann = Device.found("ann")
    written(ann)
    last = ann.ledger.rows.last_change

    ann.ledger.rebuild_rows()
    ann.restarted()

    for table in ROW_TABLES:
        assert len(pages(ann, table.TABLE, last)) == len(in_order(ann, table.TABLE))
    held = ann.ledger.rows.last_change
    assert held > last
    ann.ledger.rebuild_rows()
    assert ann.ledger.rows.last_change > held


def test_an_older_book_keeps_what_is_known_of_its_peers():
    ann, peer = Device.found("ann"), bytes(range(32))
    ann.store.execute(
        "INSERT INTO peer (device, name, agree, address, epoch, they_hold, we_hold,"
        " last_contact_ms) VALUES (?, 'Tent B', ?, '192.0.2.1:7400', ?, 72, 19, 5)",
        (peer, peer, bytes(8)),
    )
    for column in ("clock_ahead_ms", "whole_ms"):
        ann.store.execute(f"ALTER TABLE peer DROP COLUMN {column}")
    ann.store.execute("ALTER TABLE subject RENAME COLUMN rows_digest TO digest")
    ann.store.execute("ALTER TABLE subject DROP COLUMN newest_ms")
    ann.store.execute("DELETE FROM _sqlite_migrations WHERE name >= 'm008'")

    (held,) = [one for device, one in Ledger(ann.store).peers.all.items() if device == peer]

    assert (held.address, held.they_hold, held.we_hold) == ("192.0.2.1:7400", 72, 19)
    assert (held.clock_ahead_ms, held.whole_ms) == (None, 0)


def test_an_older_book_gives_every_row():
    ann = Device.found("ann")
    written(ann)
    before, last = tables(ann), ann.ledger.rows.last_change
    ann.store.execute("DROP TABLE row_change")
    ann.store.execute("DELETE FROM _sqlite_migrations WHERE name = 'm007_row_changes'")
    ann.store.execute("CREATE INDEX patient_changed ON patient (changed)")
    ann.store.execute("UPDATE meta SET value = x'00' WHERE name = 'rows'")

    ledger = Ledger(ann.store)
    ledger.catch_up_all()

    ann.ledger = ledger
    assert tables(ann) == before
    assert_all_are_given(ann)
    for table in ROW_TABLES:
        # By numbers that nobody was given before, or who follows would wait for them for ever.
        assert len(pages(ann, table.TABLE, last)) == len(in_order(ann, table.TABLE))
    assert ann.store.all("SELECT 1 FROM sqlite_master WHERE name = 'patient_changed'") == []


def test_what_was_only_looked_at_is_compared_before_rows_are_made_of_it():
    ann = Device.found("ann")
    (answer,) = fill(ann, 1)
    line = note(answer.code or "")
    before = tables(ann)

    def looked_at() -> Any:
        ann.ledger.reload()
        (subject,) = ann.store.one("SELECT subject FROM patient") or (0,)
        assert ann.ledger.merger.facts_of(subject)
        (merged,) = ann.ledger.merger._cache.values()
        assert merged.looked_at is not None
        return merged

    merged = looked_at()
    merged.looked_at[next(iter(merged.looked_at))] += b"!"
    (refused,), _, _ = ann.node._recorder.record([line], WALL_MS, ann.chance.randbytes)
    assert refused.error == "document_rebuild"
    assert tables(ann) == before

    merged = looked_at()
    (answer,), _, _ = ann.node._recorder.record([line], WALL_MS, ann.chance.randbytes)
    assert answer.ok and merged.looked_at is None


def test_what_was_only_looked_at_is_compared_where_another_document_of_the_patient_grows():
    ann = Device.found("ann")
    (answer,) = fill(ann, 1)
    whom = answer.code or ""
    for line in (triage(whom), note(whom)):
        ann.node._recorder.record([line], WALL_MS, ann.chance.randbytes)
    before = tables(ann)

    def spoiled(at: int) -> None:
        ann.ledger.reload()
        (subject,) = ann.store.one("SELECT subject FROM patient") or (0,)
        assert ann.ledger.merger.facts_of(subject)
        one = list(ann.ledger.merger._cache.values())[at]
        assert one.looked_at
        one.looked_at[next(iter(one.looked_at))] += b"!"

    for at in (0, 1):
        for line in (triage(whom, "green"), note(whom, "again")):
            spoiled(at)
            (refused,), _, _ = ann.node._recorder.record([line], WALL_MS, ann.chance.randbytes)
            assert refused.error == "document_rebuild"
    assert tables(ann) == before


def test_what_is_to_be_known_of_encounters_is_the_same_where_no_rows_are_at_hand():
    ann = Device.found("ann")
    (answer,) = fill(ann, 1)
    ann.node._recorder.record([triage(answer.code or "")], WALL_MS, ann.chance.randbytes)
    (subject,) = ann.store.one("SELECT id FROM patient") or (b"",)
    known = counting.known_states(ann.ledger, DocId(subject))

    ann.ledger.rows._kept.clear()

    assert known and counting.known_states(ann.ledger, DocId(subject)) == known


def test_what_was_judged_holds_until_a_writer_may_do_more_or_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = Device.found("ann")
    (answer,) = fill(ann, 1)
    line = note(answer.code or "")

    def write(key: str) -> None:
        ann.node._recorder.record([line | {"key": key}], WALL_MS, ann.chance.randbytes)

    write("one")
    monkeypatch.setattr(Roster, "judge", lambda *_: Judgement(Standing.REFUSED))

    write("two")
    ann.ledger.authority.roster.certify(())
    write("three")

    told = [standing for (standing,) in ann.store.all("SELECT standing FROM note ORDER BY entry")]
    assert told == [Standing.STANDS, Standing.STANDS, Standing.REFUSED]
