"""What a node tells screens and pages about who belongs, and what it keeps apart."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import InputError
from protocols.ids import ScopeId
from protocols.ledger import audit
from protocols.ledger.sealing import SealOrder
from protocols.live import membercommands, members, rosters
from protocols.live.belonging import Apart, Belonging, RosterPage, SealLook
from protocols.trust.audit import What
from protocols.trust.control import SealReason
from protocols.trust.fingerprint import fingerprint, same_fingerprint
from tests.unit import people
from tests.unit.camps import AT_HOME, CARE, CARE_ROLE, RELAY_ROLE, Camp, know
from tests.unit.stage import WALL_MS, Device, Stage, linked, note, patient
from tests.unit.test_ledger_sealing import give, standings

NOTHING: dict[str, Any] = {}


def ask(stage: Stage, device: Device, call: str, **args: Any) -> Any:
    return rosters.READS[call](device.node, stage.now(device), args)


def page(stage: Stage, device: Device, **args: Any) -> RosterPage:
    return ask(stage, device, "roster", **args)


def seal(stage: Stage, by: Device, **args: Any) -> Any:
    said, effects = members.seal(by.node, stage.now(by), args, session=0, account="lead")
    stage.carry(by, effects)
    return said


def test_the_roster_names_everybody_with_organisation_fingerprint_and_who_may_seal():
    stage, (ann, ben) = linked("ann", "ben")

    mine, other = page(stage, ann).lines
    assert (mine.here, mine.name, mine.why_not) == (True, "ann", "seal_rank")
    assert (other.name, other.org, other.why_not, other.ask) == ("ben", "Test", "", ())
    assert other.linked and other.last_ms and other.known_ms >= WALL_MS
    assert same_fingerprint(other.fingerprint, ben.id)
    assert other.spoken.count(",") == 3

    seen = {line.name: line for line in page(stage, ben).lines}
    assert seen["ann"].why_not == "seal_rank"
    assert seen["ben"].why_not == "seal_rank" and seen["ben"].ask == ("ann",)


def test_more_members_than_fit_one_answer_are_all_listed_once():
    stage, (ann, *_) = linked("ann", "ben", "eve")
    calls = []

    class Socket:
        """Answers the call as a node does, through the very page size that is asked for."""

        def call(self, name: str, **args: Any) -> Any:
            calls.append(args)
            found = members.READS[name](ann.node, stage.now(ann), args)
            return [{"id": each.id, "name": each.name} for each in found]  # type: ignore[attr-defined]

    whole = [each["name"] for each in Socket().call("members")]
    calls.clear()
    listed = membercommands._listed(Socket(), "", None, size=2)  # type: ignore[arg-type]
    assert [each["name"] for each in listed] == whole == ["ann", "ben", "eve"]
    assert [each["limit"] for each in calls] == [2, 2]


def test_the_roster_comes_by_pages_and_by_part_of_a_name_an_organisation_or_a_role():
    stage, (ann, *_) = linked("ann", "ben", "eve")
    assert [line.name for line in page(stage, ann, offset=1, limit=1).lines] == ["ben"]
    assert page(stage, ann, offset=1, limit=1).total == 3
    assert [line.name for line in page(stage, ann, text="EVE").lines] == ["eve"]
    assert page(stage, ann, text="test").total == 3
    assert page(stage, ann, text="nobody at all").total == 0
    for wrong in ({"offset": -1}, {"limit": "x"}, {"offset": True}):
        with pytest.raises(InputError, match="bad_line"):
            page(stage, ann, **wrong)


def test_a_person_is_shown_with_profession_and_a_seal_on_one_names_no_devices_entries():
    ann = people.founder()
    people.enrol(ann, people.profile("Amina Okoro"))
    people.write(ann, people.sit(ann), patient("Li"))
    stage = Stage()
    line = next(each for each in page(stage, ann).lines if each.rank == "person")
    assert (line.name, line.profession, line.why_not) == ("Amina Okoro", "nurse", "")

    (org,) = ask(stage, ann, "belonging").orgs
    assert (org.devices, org.persons) == (1, 1)
    look: SealLook = ask(stage, ann, "seal_look", member=line.id, since_ms=0)
    assert (look.entries, look.later) == (-1, -1)
    assert look.member == line and look.roles == ("nurse",)


def test_what_a_seal_would_do_is_counted_before_anybody_decides():
    stage, (ann, ben) = linked("ann", "ben")
    stage.write(ben, patient("Amina"))
    stage.run(60_000)
    stage.write(ben, patient("Bahir"))
    stage.run(3_000)

    since = ask(stage, ann, "seal_look", member="ben", since_ms=WALL_MS + 30_000)
    always = ask(stage, ann, "seal_look", member="ben")

    assert 0 < since.later < since.entries == always.entries
    after = (int(ben.id == each[1]) for each in ann.store.all(
        "SELECT e.clock, f.device FROM entry e JOIN feed f ON f.no = e.feed WHERE e.clock >= ?",
        ((WALL_MS + 30_000) << 16,),
    ))  # fmt: skip
    assert since.later == sum(after)
    assert always.later == 0
    with pytest.raises(InputError, match="unknown_member"):
        ask(stage, ann, "seal_look", member="nobody")


def test_a_whole_id_names_that_member_whatever_another_device_is_called():
    stage, (ann, ben, eve) = linked("ann", "ben", "eve")
    ann.ledger.authority._names[eve.id] = str(ben.id)

    assert members.member_named(ann.node, str(ben.id)) == ben.id


def test_the_trail_says_who_sealed_right_behind_the_seal():
    stage, (ann, ben) = linked("ann", "ben")
    seal(stage, ann, member=str(ben.id), reason="lost")
    stage.write(ben, patient("Above"))
    give(ben, ann)
    (kept,) = ask(stage, ann, "apart").kept
    done, effects = members.unseal(
        ann.node, stage.now(ann), {"seal": kept.seal, "entries": kept.entries}, account="lead"
    )
    stage.carry(ann, effects)
    stage.run(3_000)

    seals = [line for line in audit.lines(ann.ledger) if line.what == What.SEAL]
    assert [line.detail and line.detail.account for line in seals] == ["lead", "lead"]


def test_what_came_after_somebody_looked_is_not_let_through_unseen():
    stage, (ann, ben) = linked("ann", "ben")
    seal(stage, ann, member="ben", reason="lost")
    stage.write(ben, patient("One"))
    give(ben, ann)
    (kept,) = ask(stage, ann, "apart").kept
    stage.write(ben, patient("Two"))
    give(ben, ann)

    with pytest.raises(InputError, match="kept_more"):
        members.unseal(ann.node, stage.now(ann), {"seal": kept.seal, "entries": kept.entries})
    assert all(standing for _, standing in standings(ann, "patient"))


def test_everything_apart_is_listed_by_author_and_reason():
    ann, ben = people.camp("ben")
    people.enrol(ann, people.profile("Logistician"), roles=(people.LOGISTICIAN,))
    code = people.write(ann, None, patient("Amina"))[0].code or ""
    people.write(ann, people.sit(ann), note(code, "not in the role"))
    stage = people.synced(ann, ben)
    stage.write(ben, note(code, "a device may not write notes"))
    stage.run(3_000)
    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))
    stage.write(ben, note(code, "above the seal"))
    give(ben, ann)

    found: Apart = ask(stage, ann, "apart")

    authors = {(each.device_name, each.person_name): each for each in found.authors}
    assert authors["ann", "Logistician"].standing == 2
    assert authors["ben", ""].standing == 2
    assert authors["ben", ""].org == "Test" and authors["ben", ""].newest_ms >= WALL_MS
    (kept,) = found.kept
    assert (kept.name, kept.reason, kept.entries, kept.why_not) == ("ben", "lost", 1, "")
    assert not found.more
    (told,) = ask(stage, ben, "apart").kept or (None,)
    assert told is None or told.why_not


def test_scopes_say_where_data_may_go_and_what_each_peer_gets():
    camp = Camp(CARE, AT_HOME)
    kenya = camp.device("kenya", "ministry", roles=(CARE_ROLE,))
    japan = camp.device("japan", "japan", roles=(CARE_ROLE,))
    mule = camp.device("mule", "mules", roles=(RELAY_ROLE,))
    know(kenya, japan, mule)
    for other in (japan, mule):
        kenya.ledger.peers.meet(other.id, other.ledger.authority.epoch, WALL_MS)

    known: Belonging = ask(Stage(), kenya, "belonging")

    home = next(each for each in known.scopes if each.id == str(ScopeId(AT_HOME.id)))
    care = next(each for each in known.scopes if each.id == str(ScopeId(CARE.id)))
    assert (home.sensitivity, home.jurisdictions, home.may_leave) == ("identified", ("KE",), False)
    assert {each.name or each.org: each.gets for each in home.peers} == {
        "japan": "nothing",
        "mules": "nothing",
    }
    assert {each.org: each.gets for each in care.peers} == {"japan": "reads", "mules": "carries"}
    assert home.readers == ("care", "hq")
    assert home.writes and not home.reads, "no key has come"


def test_the_age_of_the_roster_is_that_of_what_coordinators_were_heard_to_say():
    stage, (ann, ben) = linked("ann", "ben")
    known: Belonging = ask(stage, ben, "belonging")

    (org,) = known.orgs
    assert (org.ours, org.devices, org.persons, org.sealed) == (True, 2, 0, 0)
    ann_line = next(each for each in known.coordinators if each.name == "ann")
    assert ann_line.linked and ann_line.control_ms >= WALL_MS
    assert (known.control_ms, known.control_from) == (ann_line.control_ms, "ann")
    assert not known.may_seal
    assert ask(stage, ann, "belonging").may_seal
    assert known.operation and known.fingerprint == fingerprint(ann.ledger.authority.operation)

    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.RETIRED), stage.now(ann)))
    stage.link(ben, ann)
    stage.run(3_000)
    assert ask(stage, ann, "belonging").orgs[0].sealed == 1
    assert ask(stage, ben, "belonging").sealed == "retired"


def test_what_does_not_stand_is_found_without_reading_what_does():
    stage, (ann, ben) = linked("ann", "ben")
    from protocols.ledger.apart import _NEWEST

    names = {"unadmitted": 1, "refused": 2, "unchecked": 5, "limit": 10}
    plan = [row[3] for row in ann.store.all("EXPLAIN QUERY PLAN " + _NEWEST, names)]
    for step in plan:
        assert not step.startswith(("SCAN", "SEARCH")) or "_apart" in step or "(subquery" in step, (
            plan
        )


@pytest.mark.parametrize("call", rosters.READS)
def test_whoever_has_no_charter_yet_is_answered_too(call):
    ann = Device.found("ann")
    args = {"member": "ann"} if call == "seal_look" else {}
    assert ask(Stage(), ann, call, **args) is not None
