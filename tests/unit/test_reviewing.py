"""An act that came into doubt is looked at again: by whom, with what outcome, seen by everybody."""

import pytest

from protocols.errors import InputError
from protocols.ids import DeviceId
from protocols.ledger import audit, persons, practice, reviewing, sealing
from protocols.ledger.reviewing import Verdict
from protocols.ledger.sealing import SealOrder
from protocols.live import audited
from protocols.live import reviewing as calls
from protocols.records.kinds import KindNo
from protocols.trust.audit import Detail, What
from protocols.trust.control import SealReason
from tests.unit.people import camp, enrol, profile, sit, synced, write
from tests.unit.stage import WALL_MS, line, note, patient

DAY_MS = 86_400_000


def doubted():
    """A camp: Amina wrote on ben before her licence was found ended; Jun sits at ann."""
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    enrol(ann, profile("Jun Cho"))
    amina, jun = sit(ben, 1), sit(ann, 2)
    (first,) = write(ben, amina, patient("Musa"))
    write(ben, amina, note(first.patient, "mine"))
    write(ben, amina, line("site.register", {"name": "Nord", "type": "other"}))
    stage = synced(ann, ben)
    order = SealOrder(SealReason.LICENCE_ENDED, since_ms=WALL_MS - DAY_MS)
    stage.carry(ann, ann.node.seal(DeviceId(amina.person), order, stage.now(ann)))
    stage.run(4_000)
    for each in (ann, ben):
        each.ledger.catch_up_all()
    return stage, ann, ben, amina, jun


def review(stage, device, fact, outcome="stands", note="", **who):
    said = {"fact": fact, "outcome": outcome, "note": note}
    _, effects = calls.review(device.node, stage.now(device), said, **who)
    stage.carry(device, effects)
    stage.run(4_000)


def refused(*args, **more):
    with pytest.raises(InputError) as error:
        review(*args, **more)
    return error.value.code


def acts(device):
    return {act.kinds: act for act in reviewing.acts(device.ledger)}


NOTE, REGISTERED = (KindNo.NOTE_ADD,), (KindNo.PATIENT_REGISTER,)


def test_acts_say_what_they_recorded_about_whom_and_wait():
    _, ann, ben, _, _ = doubted()

    for device in (ann, ben):
        found = acts(device)
        assert {(), NOTE, REGISTERED} <= {*found, ()} and len(found) == 3
        assert found[NOTE].code == found[REGISTERED].code != ""
        assert all(act.reviews == () for act in found.values())


def test_a_review_is_seen_on_both_sides_with_who_when_and_what_came_of_it():
    stage, ann, ben, _, jun = doubted()
    fact = str(acts(ann)[NOTE].flagged.entry)
    review(stage, ann, fact, "corrected", "by weight", session=jun.session[0])

    for device in (ann, ben):
        (done,) = acts(device)[NOTE].reviews
        assert (done.outcome, done.note) == ("corrected", "by weight")
        assert (done.person, done.person_name) == (jun.person, "Jun Cho")
        page = calls.page(device.node, stage.now(device), {})
        assert (page.total, page.waiting) == (3, 2)
        assert page.lines[-1].reviews[0].by == "Jun Cho"
        (told,) = audited.listed(device.node, stage.now(device), {"what": ["review"]}).lines
        assert (told.person_name, told.reason) == ("Jun Cho", "corrected: by weight")


def test_a_review_from_a_page_names_the_account():
    stage, ann, ben, _, _ = doubted()
    review(stage, ann, str(acts(ann)[NOTE].flagged.entry), "follow_up", account="lead")

    (done,) = acts(ben)[NOTE].reviews
    assert (done.account, done.person, done.outcome) == ("lead", None, "follow_up")


def test_two_reviews_of_one_act_are_both_listed_the_oldest_first():
    stage, ann, _, _, jun = doubted()
    fact = str(acts(ann)[NOTE].flagged.entry)
    review(stage, ann, fact, "follow_up", session=jun.session[0])
    review(stage, ann, fact, "stands", session=jun.session[0])

    assert [each.outcome for each in acts(ann)[NOTE].reviews] == ["follow_up", "stands"]


def test_a_review_erases_nothing_and_the_act_goes_on_counting():
    stage, ann, ben, _, jun = doubted()
    before = [ben.care.rows, len(practice.for_review(ben.ledger))]
    review(stage, ann, str(acts(ann)[NOTE].flagged.entry), session=jun.session[0])

    assert [ben.care.rows, len(practice.for_review(ben.ledger))] == before


def test_nobody_identified_and_nobody_about_themselves_reviews():
    stage, ann, _, amina, jun = doubted()
    found = acts(ann)
    fact, now = str(found[NOTE].flagged.entry), jun.session[0]

    assert refused(stage, ann, fact) == "person_needed"
    assert refused(stage, ann, fact, session=99) == "person_needed"
    assert refused(stage, ann, fact, "never", session=now) == "bad_value"
    assert refused(stage, ann, fact, note="x" * 101, session=now) == "too_long"
    assert refused(stage, ann, "fct_00000000000000000000000000.0", session=now) == "not_for_review"
    assert acts(ann)[NOTE].reviews == ()
    # Her licence ended; her key may still sit here, as for writing what is held.
    enrol(ann, profile("Zoe"))
    zoe = sit(ann, 3)
    (own,) = write(ann, zoe, patient("Bo"))
    order = SealOrder(SealReason.LICENCE_ENDED, since_ms=WALL_MS - DAY_MS, roles=(4,))
    sealing.seal(ann.ledger, DeviceId(zoe.person), order, ann.chance.randbytes(24), WALL_MS)
    assert refused(stage, ann, own.facts[0], session=zoe.session[0]) == "own_act"
    assert amina.person != zoe.person


def test_a_device_that_coordinates_nothing_may_not_and_is_told_who_may():
    stage, ann, ben, _, _ = doubted()
    persons.take_in(ben.ledger, enrol(ann, profile("Li Wei")), WALL_MS)
    li = sit(ben, 2)
    fact = str(acts(ben)[NOTE].flagged.entry)

    assert refused(stage, ben, fact, session=li.session[0]) == "may_not_review"
    page = calls.page(ben.node, stage.now(ben), {})
    assert (page.why_not, page.ask) == ("review_rank", ("ann",))


def test_what_another_device_writes_past_its_own_rules_counts_nowhere():
    stage, ann, ben, _, _ = doubted()
    fact = acts(ben)[NOTE].flagged.entry
    ref = fact.entry + fact.index.to_bytes(2)
    event = audit.Event(What.REVIEW, WALL_MS, Detail(document=ref, reason="stands"))
    stage.carry(ben, ben.node.audit([event], stage.now(ben)))
    stage.run(4_000)

    assert audited.listed(ann.node, stage.now(ann), {"what": ["review"]}).total == 1
    assert acts(ann)[NOTE].reviews == acts(ben)[NOTE].reviews == ()


def test_a_review_survives_a_restart():
    stage, ann, _, _, jun = doubted()
    fact = str(acts(ann)[NOTE].flagged.entry)
    review(stage, ann, fact, session=jun.session[0])
    ann.restarted()

    assert len(acts(ann)[NOTE].reviews) == 1
    assert Verdict(fact, "stands").note == ""
