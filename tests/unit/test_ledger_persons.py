"""Persons on devices: enrolled with no network, counted tries, sessions that name them."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hq.picture import read_picture
from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.feeds.run import decode_run
from protocols.ids import DeviceId, Epoch, PatientId, PersonId
from protocols.ledger import audit, founding, persons, practice, sealing
from protocols.ledger.authors import Authors
from protocols.ledger.persons import PERSONS_MAX, PIN_WRONG_MAX, Grant
from protocols.ledger.sealing import SealOrder
from protocols.ledger.sitting import SHIFT_MS, sit_down, still
from protocols.live import answers, wards
from protocols.live.api import BoardPage, Chart
from protocols.records.kinds import KindNo
from protocols.trust.audit import What
from protocols.trust.charter import Sensitivity
from protocols.trust.control import SealReason
from protocols.trust.standing import Standing
from tests.unit.people import (
    CHEAP,
    LOGISTICIAN,
    NURSE,
    PASSPHRASE,
    PIN,
    camp,
    enrol,
    founder,
    made,
    profile,
    sit,
    synced,
    write,
)
from tests.unit.stage import WALL_MS, Device, admit, agree, copied, line, note, patient, triage

DAY_MS = 86_400_000


def refused(call, *args, **more):
    with pytest.raises(InputError) as error:
        call(*args, **more)
    return error.value.code


def chart(device, whom) -> Chart:
    device.ledger.catch_up_all()
    return answers.chart(device.ledger, whom, 0, 50, WALL_MS)


def board(device) -> BoardPage:
    device.ledger.catch_up_all()
    return wards.board(device.ledger, 0, 50, "", WALL_MS)


def authors(device):
    """Who wrote what, by kind, as one device sees it."""
    device.ledger.catch_up_all()
    who = Authors(device.ledger)
    found = []
    for (subject,) in device.store.all("SELECT no FROM subject"):
        for fact in device.ledger.merger.facts_of(subject):
            author = who.of(device.ledger.chain.by_no[fact.author], fact.session)
            found.append((fact.kind, author.label, author.identified))
    return sorted(found)


# Enrolling


def test_a_person_made_by_a_coordinator_works_there_and_wherever_the_file_is_carried():
    ann, ben = camp("ben")
    raw = enrol(ann)
    # No link between the two was ever there: the file says all that is needed.
    (here,), there = persons.enrolled(ann.ledger), persons.take_in(ben.ledger, raw, WALL_MS)

    assert (here.number, here.person, here.certified) == (1, there.person, True)
    assert here.profile == profile()
    assert sit(ben).person == here.person


def test_what_the_file_certifies_is_written_down_for_whoever_is_met_next():
    ann, ben, eve = camp("ben", "eve")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    sitting = sit(ben)
    (made_patient,) = write(ben, sitting, patient("Musa"))
    synced(ben, eve)

    assert eve.ledger.authority.roster.certificates(DeviceId(sitting.person))
    assert made_patient.patient
    assert (int(KindNo.PATIENT_REGISTER), "Amina Okoro", True) in authors(eve)


def test_a_file_of_another_operation_or_of_nobody_is_refused():
    ann, other = founder(), founder("other")
    raw = enrol(other)

    assert refused(persons.take_in, ann.ledger, raw, WALL_MS) == "other_operation"
    assert refused(persons.take_in, ann.ledger, raw[:-1], WALL_MS) == "not_a_credential"
    assert refused(persons.take_in, ann.ledger, b"", WALL_MS) == "not_a_credential"
    assert persons.enrolled(ann.ledger) == []


def test_a_certificate_by_somebody_who_may_not_is_not_written_down():
    ann, ben = camp("ben")
    before = ben.ledger.chain.last_arrival

    assert refused(enrol, ben) == "may_not_admit"
    assert refused(enrol, ann, roles=()) == "may_not_grant"
    assert refused(enrol, ann, roles=(99,)) == "may_not_grant"
    assert ben.ledger.chain.last_arrival == before
    assert persons.enrolled(ann.ledger) == []


def asked(device, who):
    """Make a key on a device and return the file that asks for a certificate of it."""
    key = made(device)
    raw = persons.request_of(key, device.ledger.authority.operation, who, WALL_MS)
    persons.wait_for(device.ledger, persons.read_asked(device.ledger, raw), key.wrapped)
    return raw


def test_a_key_made_elsewhere_is_certified_without_ever_leaving_its_device():
    ann, ben = camp("ben")
    raw = asked(ben, profile("Li Wei"))
    (waiting,) = persons.enrolled(ben.ledger)
    assert not waiting.certified
    assert waiting.profile is not None and waiting.profile.name == "Li Wei"
    seed = persons.begin_try(ben.ledger, waiting.person, by_pin=False).by_passphrase(PASSPHRASE)
    assert refused(sit_down, ben.ledger, waiting.person, seed, WALL_MS) == "not_certified"

    request = persons.read_asked(ann.ledger, raw)
    given = persons.answer(ann.ledger, request, Grant((NURSE,)), ann.chance.randbytes, WALL_MS)
    done = persons.take_in(ben.ledger, given, WALL_MS)

    assert (done.person, done.certified) == (waiting.person, True)
    assert persons.enrolled(ann.ledger) == []
    assert sit(ben).person == waiting.person
    assert refused(persons.take_in, ann.ledger, given, WALL_MS) == "no_key_here"


def test_the_newest_of_several_certificates_says_what_a_person_is():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    who = persons.one(ben.ledger, "1").person
    for licence, at_ms in (("second", WALL_MS + 2), ("third", WALL_MS + 3)):
        made_known, _ = persons.key_of(ben.ledger, who)
        key = persons.opened(made_known, PASSPHRASE)
        raw = persons.request_of(key, ben.ledger.authority.operation,
                                 profile(licence=licence), at_ms)  # fmt: skip
        request = persons.read_asked(ann.ledger, raw)
        grant = Grant((NURSE,))
        given = persons.answer(ann.ledger, request, grant, ann.chance.randbytes, at_ms)
        persons.take_in(ben.ledger, given, at_ms)

        assert persons.profile_of(ben.ledger, who) == profile(licence=licence)
    assert len(ben.ledger.authority.roster.certificates(DeviceId(who))) == 3
    assert persons.one(ben.ledger, "1").profile == profile(licence="third")


def test_a_person_of_before_the_device_joined_is_certified_again_under_the_same_key():
    ann, ben = founder(), Device.found("ben")
    enrol(ben, roles=(1,))
    before = sit(ben)
    write(ben, before, patient("Musa"))
    admit(ann, ben)
    (waiting,) = persons.enrolled(ben.ledger)
    assert not waiting.certified and waiting.profile == profile()

    made_known, papers = persons.key_of(ben.ledger, waiting.person)
    key = persons.opened(made_known, PASSPHRASE)
    raw = persons.request_of(key, ben.ledger.authority.operation, papers, WALL_MS)
    given = persons.answer(
        ann.ledger, persons.read_asked(ann.ledger, raw), Grant((NURSE,)), ann.chance.randbytes,
        WALL_MS,
    )  # fmt: skip
    persons.take_in(ben.ledger, given, WALL_MS)
    (first,) = write(ben, sit(ben), patient("Later"))
    write(ben, sit(ben), note(first.patient))
    synced(ann, ben)

    assert chart(ann, first.patient).lines[0].author == "Amina Okoro"


def test_a_request_of_another_operation_is_refused():
    raw = asked(founder("other"), profile())

    assert refused(persons.read_asked, founder().ledger, raw) == "other_operation"
    assert refused(persons.read_asked, founder().ledger, raw[1:]) == "not_a_request"


def test_numbers_stay_with_people_and_are_used_again_when_they_leave():
    ann = founder()
    for name in ("One", "Two", "Three"):
        enrol(ann, profile(name))
    two = persons.one(ann.ledger, "2")
    persons.leave(ann.ledger, two.person)

    assert [each.number for each in persons.enrolled(ann.ledger)] == [1, 3]
    assert refused(persons.leave, ann.ledger, two.person) == "unknown_person"
    enrol(ann, profile("Four"))
    names = [(each.number, each.profile.name) for each in persons.enrolled(ann.ledger)]
    assert names == [(1, "One"), (2, "Four"), (3, "Three")]


def test_a_person_is_found_by_number_or_by_the_beginning_of_their_id():
    ann = founder()
    enrol(ann)
    (only,) = persons.enrolled(ann.ledger)

    assert persons.one(ann.ledger, "1") == only
    assert persons.one(ann.ledger, str(only.person)[:14].lower()) == only
    for wrong in ("", "2", "per_", str(only.person)[:8], "Amina", "*"):
        assert refused(persons.one, ann.ledger, wrong) == "unknown_person"


def test_a_device_has_room_for_so_many_people():
    ann = founder()
    raw = enrol(ann)
    ann.store.executemany(
        "INSERT INTO person (no, key, profile, wrapped, wrong) VALUES (?,?,'','',0)",
        [(number, bytes([number]) * 32) for number in range(2, PERSONS_MAX + 1)],
    )

    assert persons.take_in(ann.ledger, raw, WALL_MS).number == 1
    assert refused(enrol, ann, profile("One too many")) == "too_many_persons"


# Opening


def with_pin(device) -> PersonId:
    enrol(device)
    person = persons.one(device.ledger, "1").person
    seed = persons.begin_try(device.ledger, person, by_pin=False).by_passphrase(PASSPHRASE)
    secret = persons.pin_secret(device.ledger, device.chance.randbytes)
    locked = persons.lock_by_pin(secret, seed, PIN, device.chance.randbytes, CHEAP)
    persons.keep_pin(device.ledger, person, locked)
    return person


def test_a_pin_opens_what_the_passphrase_opens():
    ann = founder()
    person = with_pin(ann)
    lock = persons.begin_try(ann.ledger, person, by_pin=True)

    assert lock.by_pin(PIN) == lock.by_passphrase(PASSPHRASE) is not None
    assert lock.by_pin("4818") is None
    assert lock.by_passphrase("another") is None


def test_an_obvious_pin_is_not_kept():
    ann = founder()
    assert refused(persons.lock_by_pin, bytes(32), bytes(32), "1234", ann.chance.randbytes) == (
        "pin_pattern"
    )


def test_wrong_tries_are_counted_before_they_are_tried_and_over_a_restart():
    ann = founder()
    person = with_pin(ann)
    persons.begin_try(ann.ledger, person, by_pin=True)
    pulled = Device("ann", copied(ann.store), 0)
    persons.begin_try(pulled.ledger, person, by_pin=True)

    assert persons.one(pulled.ledger, "1").wrong == 2
    persons.right(pulled.ledger, person)
    assert persons.one(Device("ann", pulled.store, 0).ledger, "1").wrong == 0


def test_after_so_many_wrong_ones_a_pin_is_gone_and_the_passphrase_still_opens():
    ann = founder()
    person = with_pin(ann)
    for _ in range(PIN_WRONG_MAX):
        assert persons.begin_try(ann.ledger, person, by_pin=True).by_pin("9073") is None

    assert not persons.one(ann.ledger, "1").has_pin
    assert refused(persons.begin_try, ann.ledger, person, by_pin=True) == "no_pin"
    seed = persons.begin_try(ann.ledger, person, by_pin=False).by_passphrase(PASSPHRASE)
    persons.right(ann.ledger, person)
    assert seed is not None
    assert refused(persons.begin_try, ann.ledger, person, by_pin=True) == "no_pin"


def test_the_row_of_a_pin_is_useless_in_another_book():
    ann, thief = founder(), founder("thief")
    person = with_pin(ann)
    (row,) = ann.store.all("SELECT no, key, profile, wrapped, pin, 0, NULL FROM person")
    persons.pin_secret(thief.ledger, thief.chance.randbytes)
    thief.store.execute("INSERT INTO person VALUES (?,?,?,?,?,?,?)", row)

    assert persons.begin_try(thief.ledger, person, by_pin=True).by_pin(PIN) is None
    assert persons.begin_try(ann.ledger, person, by_pin=True).by_pin(PIN) is not None


# Sessions


def test_two_people_on_one_terminal_sign_what_each_wrote():
    ann, ben = camp("ben")
    for name in ("Amina Okoro", "Jun Cho"):
        persons.take_in(ben.ledger, enrol(ann, profile(name)), WALL_MS)
    amina, jun = sit(ben, 1), sit(ben, 2)
    (first,) = write(ben, amina, patient("Musa"))
    write(ben, jun, note(first.patient, "seen"))
    write(ben, None, triage(first.patient))
    synced(ann, ben)

    known = {
        (int(KindNo.PATIENT_REGISTER), "Amina Okoro", True),
        (int(KindNo.NOTE_ADD), "Jun Cho", True),
        (int(KindNo.TRIAGE_RECORD), "ben", False),
    }
    assert known <= set(authors(ann)) and authors(ann) == authors(ben)
    lines = {line.kind: line for line in chart(ann, first.patient).lines}
    assert lines["note.add"].author == "Jun Cho"
    assert lines["note.add"].device == "ben"
    assert lines["triage.record"].author == "ben"
    assert agree(ann, ben)


def test_rows_for_other_programs_name_the_person():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    sitting = sit(ben)
    (first,) = write(ben, sitting, patient("Musa"))
    write(ben, None, triage(first.patient))
    synced(ann, ben)

    (row,) = answers.rows_page(ann.ledger, "patient", 0, 10)["rows"]
    (other,) = answers.rows_page(ann.ledger, "triage", 0, 10)["rows"]
    assert (row["person"], row["person_name"], row["profession"]) == (
        str(sitting.person), "Amina Okoro", "nurse",
    )  # fmt: skip
    assert (other["person"], other["person_name"], other["author_name"]) == (None, None, "ben")


def attestations(device):
    control = [f for f in device.ledger.chain.feeds.values() if f.genesis.lane == Lane.CONTROL]
    own = next(f for f in control if f.genesis.epoch == device.ledger.authority.epoch)
    return len(device.ledger.authority.roster._sessions.attested(
        device.id, bytes(own.genesis.epoch)))  # fmt: skip


def test_one_attestation_serves_a_shift():
    ann = founder()
    enrol(ann)
    first = sit(ann)

    assert sit(ann, at_ms=WALL_MS + SHIFT_MS - 1) == first
    assert sit(Device("ann", ann.store, 0)) == first
    assert attestations(ann) == 1
    later = sit(ann, at_ms=WALL_MS + SHIFT_MS)
    assert later.session != first.session
    assert sit(ann, at_ms=WALL_MS - 1).session not in (first.session, later.session)
    assert attestations(ann) == 3


def test_a_sitting_ends_with_the_epoch_and_nothing_is_written_under_it():
    ann = founder()
    enrol(ann)
    before = sit(ann)
    founding.new_epoch(ann.store, bytes(Epoch(b"another!")))
    ann.ledger.reload()
    (answer,) = write(ann, before, patient("Musa"))

    assert (answer.ok, answer.error) == (False, "session_ended")
    assert not still(ann.ledger, before)
    after = sit(ann)
    (answer,) = write(ann, after, patient("Musa"))
    assert answer.ok and after.epoch != before.epoch


def test_a_sealed_person_does_not_sit_down():
    ann = founder()
    enrol(ann)
    person = sit(ann).person
    sealing.seal(
        ann.ledger, DeviceId(person), SealOrder(SealReason.LOST), ann.chance.randbytes(24), WALL_MS
    )

    assert refused(sit, ann) == "person_sealed"


# What roles allow


class Page:
    """What HQ's page reads of a book."""

    def __init__(self, device):
        device.ledger.catch_up_all()
        self._store = device.store

    async def read(self, sql, params):
        return self._store.connection.execute(sql, params).fetchall()


def test_what_a_role_may_not_write_is_kept_shown_as_refused_and_counted_nowhere():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann, profile("Jun Cho"), roles=(LOGISTICIAN,)), WALL_MS)
    persons.take_in(ben.ledger, enrol(ann, profile("Amina Okoro")), WALL_MS)
    found = {"category": "red", "problem": "bleeding"}
    (refused_one,) = write(ben, sit(ben, 1), line("triage.record", found))
    (counted,) = write(ben, sit(ben, 2), line("triage.record", found))
    synced(ann, ben)

    assert refused_one.ok and refused_one.warnings == ("role_refused",)
    assert counted.ok and counted.warnings == ()
    for device in (ann, ben):
        page = board(device)
        assert page.counts == {"1": 1}
        shown = {one.patient: one.standing for one in page.lines}
        assert shown[counted.patient] == Standing.STANDS
        assert chart(device, refused_one.patient).head.standing == Standing.REFUSED
        rows = answers.rows_page(device.ledger, "triage", 0, 10)["rows"]
        assert sorted(row["standing"] for row in rows) == ["refused", "stands"]
        book: Any = Page(device)
        picture = asyncio.run(read_picture(book, WALL_MS))
        assert {tile.triage: tile.patients for tile in picture.tiles if tile.patients} == {1: 1}
        assert picture.not_counted == 1
    assert agree(ann, ben)


def test_what_the_device_alone_may_not_write_a_person_may():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    (first,) = write(ben, None, patient("Musa"))
    (alone,) = write(ben, None, note(first.patient, "alone"))
    (named,) = write(ben, sit(ben), note(first.patient, "named"))
    synced(ann, ben)

    assert (first.warnings, alone.warnings, named.warnings) == ((), ("role_refused",), ())
    standings = {
        dict(line.summary)["note"]: line.standing
        for line in chart(ann, first.patient).lines
        if line.kind == "note.add"
    }
    assert standings == {"alone": Standing.REFUSED, "named": Standing.STANDS}


def test_a_refused_retraction_takes_nothing_back():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann, profile("Jun Cho"), roles=(LOGISTICIAN,)), WALL_MS)
    (first,) = write(ben, None, patient("Musa"))
    (red,) = write(ben, None, triage(first.patient))
    line = {"v": 1, "kind": "entry.retract", "key": "r", "data": {"fact": red.facts[0]},
            "reason": "not so"}  # fmt: skip
    (taken,) = write(ben, sit(ben), line)
    synced(ann, ben)

    assert taken.ok and taken.warnings == ("role_refused",)
    assert chart(ann, first.patient).head.triage == chart(ben, first.patient).head.triage == 1


def deliver(source, target, lanes):
    """Hand over all feeds of these lanes, as one delivery each."""
    for feed in list(source.ledger.chain.feeds.values()):
        if feed.genesis.lane not in lanes or not feed.tips:
            continue
        found = source.ledger.chain.run_after(feed, feed.tips[0], 0, 1 << 20)
        run, _ = decode_run(
            found[0], 0, target.ledger.chain.genesis_of, target.ledger.chain.prev_of
        )
        target.ledger.take([run], WALL_MS)
    target.ledger.catch_up_all()


def test_a_session_that_is_named_and_not_here_yet_is_judged_when_it_comes():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    stage = synced(ann, ben)
    stage.cut(ann, ben)
    sitting = sit(ben)
    (first,) = write(ben, sitting, patient("Musa"))
    write(ben, sitting, note(first.patient))
    # Something else in the same control feed, later than the data: it comes with the attestation.
    audit.write(ben.ledger, [audit.Event(What.LOGOUT, WALL_MS)], WALL_MS, ben.chance.randbytes)
    deliver(ben, ann, (Lane.URGENT, Lane.ROUTINE))

    lines = {line.kind: line for line in chart(ann, first.patient).lines}
    assert lines["note.add"].standing == Standing.UNCHECKED
    assert (lines["note.add"].author, lines["note.add"].unknown) == ("ben", True)
    assert lines["patient.register"].standing == Standing.STANDS

    deliver(ben, ann, (Lane.CONTROL,))
    lines = {line.kind: line for line in chart(ann, first.patient).lines}
    assert lines["note.add"].standing == Standing.STANDS
    assert (lines["note.add"].author, lines["note.add"].unknown) == ("Amina Okoro", False)
    assert agree(ann, ben)


# What licences cover


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({}, KindNo.NOTE_ADD, ""),
        ({"practice": (24, 40)}, KindNo.NOTE_ADD, ""),
        ({"practice": (24,)}, KindNo.NOTE_ADD, "outside_practice"),
        ({"practice": (40,)}, KindNo.TRIAGE_RECORD, ""),
        ({"licence_until_ms": WALL_MS}, KindNo.NOTE_ADD, ""),
        ({"licence_until_ms": WALL_MS - 1}, KindNo.NOTE_ADD, "licence_ended"),
        ({"licence_until_ms": WALL_MS - 1}, KindNo.TRIAGE_RECORD, ""),
        ({"recognised_by": ""}, KindNo.OBSERVATION_RECORD, "not_recognised"),
        ({"recognised_by": "", "authority": "", "licence": ""}, KindNo.NOTE_ADD, ""),
        ({}, 64, ""),
        ({"recognised_by": ""}, 64, "not_recognised"),
    ],
)
def test_what_a_licence_covers(changes, kind, reason):
    assert practice.licence_refusal(profile(**changes), int(kind), WALL_MS) == reason


def test_a_licence_that_cannot_be_read_covers_only_what_needs_none():
    assert practice.licence_refusal(None, int(KindNo.NOTE_ADD), WALL_MS) == "licence_unknown"
    assert practice.licence_refusal(None, int(KindNo.PATIENT_REGISTER), WALL_MS) == ""


def test_a_licence_gates_what_is_saved_until_a_reason_overrides_it_for_all_to_see():
    ann, ben = camp("ben")
    who = profile("Jun Cho", practice=(int(KindNo.TRIAGE_RECORD),))
    persons.take_in(ben.ledger, enrol(ann, who), WALL_MS)
    persons.take_in(ben.ledger, enrol(ann, profile("Amina Okoro")), WALL_MS)
    sitting = sit(ben)
    (first,) = write(ben, sitting, patient("Musa"))
    (answer,) = write(ben, sitting, note(first.patient))
    assert (answer.ok, answer.error, answer.kind) == (False, "outside_practice", "note.add")
    assert "Amina Okoro" in answer.allowed and "Jun Cho" not in answer.allowed

    kind = int(KindNo.NOTE_ADD)
    gate = practice.gate(ben.ledger, sitting, kind, WALL_MS)
    assert (gate.reason, gate.overridable) == ("outside_practice", True)
    event = practice.override(sitting, kind, " nobody else is here ", WALL_MS, first.patient)
    audit.write(ben.ledger, [event], WALL_MS, ben.chance.randbytes)
    (answer,) = write(ben, sitting, note(first.patient), overridden=frozenset({kind}))
    synced(ann, ben)

    assert answer.ok and answer.warnings == ()
    (line,) = [one for one in audit.lines(ann.ledger) if one.what == What.OVERRIDE]
    assert (line.person_name, line.device_name) == ("Jun Cho", "ben")
    assert line.detail is not None
    assert line.detail.reason == "note.add: nobody else is here"
    (kept,) = [one for one in chart(ann, first.patient).lines if one.kind == "note.add"]
    assert kept.standing == Standing.STANDS


def test_a_reason_has_to_be_given_and_to_fit():
    ann = founder()
    enrol(ann)
    sitting, kind = sit(ann), int(KindNo.NOTE_ADD)

    assert refused(practice.override, sitting, kind, "  ", WALL_MS) == "reason_needed"
    assert refused(practice.override, sitting, kind, "x" * 140, WALL_MS) == "too_long"
    practice.override(sitting, kind, "x" * 130, WALL_MS)


def test_no_reason_overrides_what_a_role_may_not_write():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann, profile("Jun"), roles=(LOGISTICIAN,)), WALL_MS)
    sitting, kind = sit(ben), int(KindNo.NOTE_ADD)
    gate = practice.gate(ben.ledger, sitting, kind, WALL_MS)

    assert (gate.standing, gate.reason, gate.overridable) == (
        Standing.REFUSED, "role_refused", False,
    )  # fmt: skip
    assert gate.who[:2] == ("hq", "nurse")
    (first,) = write(ben, sitting, patient("Musa"), overridden=frozenset({kind}))
    (answer,) = write(ben, sitting, note(first.patient), overridden=frozenset({kind}))
    assert answer.warnings == ("role_refused",)


def test_nobody_identified_is_gated_by_no_licence():
    ann, ben = camp("ben")

    assert practice.gate(ben.ledger, None, int(KindNo.TRIAGE_RECORD), WALL_MS).reason == ""
    assert practice.gate(ben.ledger, None, int(KindNo.NOTE_ADD), WALL_MS).reason == "role_refused"


def test_a_device_without_a_scope_of_care_is_asked_nothing_and_falls_over_nothing():
    counts = founder("counts", Sensitivity.AGGREGATE)
    found = practice.stopped(counts.ledger, None, int(KindNo.NOTE_ADD), WALL_MS)

    assert found == (Standing.UNADMITTED, "")


# Later


def test_a_licence_found_ended_later_flags_acts_for_review_and_erases_nothing():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    persons.take_in(ben.ledger, enrol(ann, profile("Jun Cho")), WALL_MS)
    amina, jun = sit(ben, 1), sit(ben, 2)
    (first,) = write(ben, amina, patient("Musa"))
    write(ben, amina, note(first.patient, "mine"))
    write(ben, jun, note(first.patient, "not mine"))
    write(ben, None, triage(first.patient))
    synced(ann, ben)
    before = chart(ann, first.patient).lines

    order = SealOrder(SealReason.LICENCE_ENDED, since_ms=WALL_MS - DAY_MS)
    sealing.seal(ann.ledger, DeviceId(amina.person), order, ann.chance.randbytes(24), WALL_MS)
    acts = practice.for_review(ann.ledger)

    assert {act.person for act in acts} == {amina.person}
    assert len(acts) == 2 and all(act.reason == SealReason.LICENCE_ENDED for act in acts)
    assert {bytes(act.subject) for act in acts} == {bytes(PatientId.parse(first.patient))}
    assert chart(ann, first.patient).lines == before


def test_acts_before_the_licence_ended_are_not_for_review():
    ann = founder()
    enrol(ann)
    sitting = sit(ann)
    write(ann, sitting, patient("Musa"))
    order = SealOrder(SealReason.LICENCE_ENDED, since_ms=WALL_MS + DAY_MS)
    sealing.seal(ann.ledger, DeviceId(sitting.person), order, ann.chance.randbytes(24), WALL_MS)

    assert practice.for_review(ann.ledger) == []


def test_what_somebody_unknown_wrote_stays_visible_and_counts_as_the_devices():
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    nowhere = replace(sit(ben), session=(77, b"none"))
    (first,) = write(ben, nowhere, patient("Musa"))
    write(ben, nowhere, note(first.patient, "kept"))
    synced(ann, ben)

    lines = {line.kind: line for line in chart(ann, first.patient).lines}
    assert (lines["note.add"].standing, lines["note.add"].unknown) == (Standing.UNCHECKED, True)
    assert lines["patient.register"].standing == Standing.STANDS
    assert agree(ann, ben)


# Nothing in the clear


def test_no_name_pin_or_passphrase_lies_in_a_file_that_is_carried():
    ann = founder()
    raw = enrol(ann, profile("Zzyxwvanary", licence="LIC-CANARY"))

    for secret in (b"Zzyxwvanary", b"LIC-CANARY", b"Nursing Council", PASSPHRASE.encode()):
        assert secret not in raw
    bodies = ann.store.all("SELECT body FROM entry WHERE body IS NOT NULL")
    assert not any(b"Zzyxwvanary" in body for (body,) in bodies)


def test_errors_name_nobody():
    ann = founder()
    with pytest.raises(InputError) as error:
        persons.one(ann.ledger, "Zzyxwvanary")
    assert "Zzyxwvanary" not in str(error.value)
    bad = msgspec.structs.replace(profile(), name="Zzyxwvanary\n")
    with pytest.raises(InputError) as error:
        enrol(ann, bad)
    assert "Zzyxwvanary" not in str(error.value)


def test_nobody_whose_own_licence_has_ended_is_named_as_who_may():
    """On a node that never met an HQ its own clock is all that says what day it is."""
    ann, ben = camp("ben")
    dead = profile("Old Licence", licence_until_ms=WALL_MS - DAY_MS)
    only = profile("Jun Cho", practice=(int(KindNo.TRIAGE_RECORD),))
    for who in (only, dead, profile("Amina Okoro")):
        persons.take_in(ben.ledger, enrol(ann, who), WALL_MS)
    sitting, kind = sit(ben), int(KindNo.NOTE_ADD)
    assert ben.ledger.trusted_ms == 0

    assert practice.gate(ben.ledger, sitting, kind, WALL_MS).who == ("Amina Okoro",)
    (first,) = write(ben, sitting, patient("Musa"))
    (answer,) = write(ben, sitting, note(first.patient))
    assert answer.allowed == ("Amina Okoro",)
    before = practice.gate(ben.ledger, sitting, kind, WALL_MS - 2 * DAY_MS)
    assert before.who == ("Old Licence", "Amina Okoro")


def test_what_a_persons_seal_keeps_back_is_theirs_and_not_of_others_at_the_same_device():
    ann, ben = camp("ben")
    for name in ("Amina Okoro", "Jun Cho"):
        persons.take_in(ben.ledger, enrol(ann, profile(name)), WALL_MS)
    amina, _ = sit(ben, 1), sit(ben, 2)
    (first,) = write(ben, amina, patient("Musa"))
    stage = synced(ann, ben)
    sealing.seal(ann.ledger, DeviceId(amina.person), SealOrder(SealReason.LOST), bytes(24), WALL_MS)
    write(ben, amina, note(first.patient))
    # Who sits there next writes of it in the device's control feed, which is nobody's alone.
    jun = sit(ben, 2, WALL_MS + 2 * SHIFT_MS)
    write(ben, jun, note(first.patient), note(first.patient))
    write(ben, None, triage(first.patient))
    synced(ann, ben)

    standing = Standing.QUARANTINED
    for device in (ann, ben):
        device.ledger.catch_up_all()
        kept = [(one.device, one.entries) for one in sealing.kept_back(device.ledger)]
        assert kept == [(DeviceId(amina.person), 1)]
        found = device.store.all("SELECT standing FROM note ORDER BY standing")
        assert found == [(Standing.STANDS,), (Standing.STANDS,), (standing,)]
    assert stage
