"""Who may link, how a link begins and ends, and what a broken or hostile one costs."""

from __future__ import annotations

from itertools import count

import pytest

from protocols.errors import InputError, LedgerError, PeerError
from protocols.live.phrases import phrases
from protocols.live.sentences import sentence
from protocols.mesh.door import INVITATION_MS, INVITATIONS_MAX
from protocols.mesh.effects import Changed
from protocols.mesh.frames import LINKS_MAX, Bye, Links, decode_frame, encode_frame
from protocols.mesh.greeting import Manner
from protocols.mesh.refusals import REFUSALS_MAX, Refusals
from protocols.trust.enrolment import CODE_TRIES_MAX
from tests.unit.stage import WALL_MS, Device, Stage, admit, camp, patient, speak

CODE = b"0123456789"


def first_bytes(device: Device) -> list[int]:
    return [message[0] for message in device.sent[:1]]


def test_strangers_of_one_operation_greet_in_full_and_known_peers_in_short():
    ann, ben = camp()
    stage = Stage()

    stage.link(ann, ben)
    stage.run(100)
    assert ann.node.linked == [ben.id] and ben.node.linked == [ann.id]
    assert first_bytes(ann) == [Manner.FIRST_CONTACT]

    stage.cut(ann, ben)
    ann.sent.clear()
    stage.link(ann, ben)
    stage.run(100)
    assert ann.node.linked == [ben.id]
    assert first_bytes(ann) == [Manner.KNOWN_PEER]


def test_where_another_member_answers_than_expected_the_next_dial_greets_in_full():
    ann, ben, eve = camp(("ann", "ben", "eve"))
    stage = Stage()
    stage.link(ann, ben)
    stage.link(ann, eve)
    stage.run(200)
    stage.cut(ann, ben)
    stage.cut(ann, eve)

    link = stage.link(ann, eve, peer=ben.id)
    stage.run(200)
    assert ann.node.linked == [] and (link in ann.hangups or link not in ann.links)

    ann.sent.clear()
    stage.link(ann, eve, peer=ben.id)
    stage.run(200)
    assert first_bytes(ann) == [Manner.FIRST_CONTACT]
    assert ann.node.linked == [eve.id]


def test_a_member_of_another_operation_is_refused_and_both_know_why():
    ann, eve = Device.found("ann"), Device.found("eve")
    stage = Stage()

    link = stage.link(ann, eve)
    stage.run(200)

    assert ann.hangups[link] == "other_operation"
    assert ann.node.linked == eve.node.linked == []


def test_a_device_without_a_certificate_is_refused():
    ann, eve = Device.found("ann"), Device.found("eve")
    for name in ("operation", "charter"):
        eve.store.execute(
            "UPDATE meta SET value = ? WHERE name = ?", (ann.ledger.authority.secret(name), name)
        )
    eve.restarted()
    stage = Stage()

    stage.link(ann, eve)
    stage.link(eve, ann)
    stage.run(200)

    assert ann.node.linked == []
    assert "unknown_device" in ann.hangups.values()


def test_a_node_never_links_with_itself():
    ann, ben = camp()
    twin = ann.copy("twin")
    stage = Stage()

    stage.link(ann, twin)
    stage.run(200)

    assert ann.node.linked == []
    assert ben.node.linked == []


def test_a_link_that_ends_is_told_to_whoever_shows_links():
    ann, _ben = members = camp()
    stage = Stage()
    link = stage.link(*members)
    stage.run(200)

    assert Changed(frozenset(("peer",))) in ann.node.closed(link, stage.now(ann))


def test_of_two_links_dialled_at_once_exactly_one_stays():
    ann, ben = camp()
    stage = Stage(one_way_ms=20)

    stage.link(ann, ben)
    stage.link(ben, ann)
    stage.run(2_000)

    assert ann.node.linked == [ben.id] and ben.node.linked == [ann.id]
    assert len(ann.links) == len(ben.links) == 1
    stage.write(ann, patient())
    stage.run(1_000)
    assert ann.care == ben.care


def test_dialling_again_over_a_dead_link_takes_its_place():
    ann, ben = camp()
    stage = Stage()
    stage.link(ann, ben)
    stage.run(200)

    new = stage.link(ann, ben)
    stage.run(200)

    assert list(ann.links) == [new]
    stage.write(ben, patient())
    stage.run(1_000)
    assert ann.care == ben.care


@pytest.mark.parametrize("what", ["cut", "flip", "twice", "late", "long"])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 5, 7])
def test_a_damaged_replayed_or_reordered_message_ends_that_link_only(what: str, at: int):
    ann, ben = camp()
    stage, passing, held = Stage(), count(), list[bytes]()

    def spoil(_here: Device, _there: Device, message: bytes) -> list[bytes]:
        number = next(passing)
        if number != at:
            return [message, *[held.pop() for _ in held[:1]]]
        match what:
            case "cut":
                return [message[: len(message) // 2]]
            case "flip":
                return [message[:-1] + bytes((message[-1] ^ 1,))]
            case "twice":
                return [message, message]
            case "long":
                return [message + bytes(65_520)]
        held.append(message)
        return []

    stage.spoil = spoil
    stage.link(ann, ben)
    stage.write(ann, patient())
    stage.run(15_000)
    stage.spoil = None

    stage.cut(ann, ben)
    stage.link(ann, ben)
    stage.run(2_000)
    stage.cut(ann, ben)
    stage.link(ann, ben)
    stage.run(2_000)
    assert ann.node.linked == [ben.id]
    assert ann.care == ben.care


def test_a_greeting_that_goes_nowhere_is_given_up_after_ten_seconds():
    ann, ben = camp()
    stage = Stage(spoil=lambda *_: ())

    link = stage.link(ann, ben)
    stage.run(12_000)

    assert ann.hangups[link] == "greeting_timeout"
    assert "greeting_timeout" in ben.hangups.values()


def test_a_code_lets_one_device_in_once_and_care_written_before_comes_along():
    ann, ben, eve = Device.found("ann"), Device.found("ben"), Device.found("eve")
    stage = Stage()
    stage.write(ben, patient("Early"))
    ann.node.invite(CODE, stage.now(ann))

    stage.link(ben, ann, code=CODE)
    stage.run(500)
    ben.restarted()
    stage.link(ben, ann)
    stage.run(2_000)
    link = stage.link(eve, ann, code=CODE)
    stage.run(500)

    assert ben.node.linked == [ann.id]
    assert ann.care == ben.care
    assert ann.store.one("SELECT name FROM patient")[0]
    assert eve.ledger.authority.operation != ann.ledger.authority.operation
    assert link not in eve.links


def test_five_wrong_codes_end_an_invitation_and_a_broken_link_tries_none():
    ann, ben, eve = Device.found("ann"), Device.found("ben"), Device.found("eve")
    stage = Stage()
    ann.node.invite(CODE, stage.now(ann))
    for _ in range(CODE_TRIES_MAX + 2):
        stage.link(eve, ann, code=CODE)
        stage.cut(eve, ann)
        stage.run(20)
    for _ in range(CODE_TRIES_MAX - 1):
        stage.link(eve, ann, code=b"wrongwrong")
        stage.run(200)
    assert ann.node._door.live_invitations(stage.now(ann))

    stage.link(eve, ann, code=b"wrongwrong")
    stage.run(200)
    stage.link(ben, ann, code=CODE)
    stage.run(500)

    assert not ann.node._door.live_invitations(stage.now(ann))
    assert ben.ledger.authority.operation != ann.ledger.authority.operation


def test_invitations_are_few_end_after_a_day_and_need_the_right_to_admit():
    ann, ben = camp()
    stage = Stage()
    for number in range(INVITATIONS_MAX):
        ann.node.invite(bytes((number,)) * 10, stage.now(ann))
    with pytest.raises(InputError, match="too_many_invitations"):
        ann.node.invite(CODE, stage.now(ann))
    with pytest.raises(InputError, match="may_not_admit"):
        ben.node.invite(CODE, stage.now(ben))
    stage.at_ms += INVITATION_MS
    ann.node.invite(CODE, stage.now(ann))


def test_joining_closes_the_other_links_of_the_old_life():
    ann, ben, eve = Device.found("ann"), Device.found("ben"), Device.found("eve")
    admit(ben, eve)
    stage = Stage()
    old = stage.link(ben, eve)
    stage.run(200)
    ann.node.invite(CODE, stage.now(ann))

    stage.link(ben, ann, code=CODE)
    stage.run(500)

    assert old in ben.hangups and ben.node.linked == []


def test_unknown_frames_are_passed_over_and_a_bye_ends_the_link_without_its_words():
    ann, ben = camp()
    stage = Stage()
    link = stage.link(ann, ben)
    stage.run(200)

    for raw in (b"\xff" * 40, b"\x7f", b"\x09grant", b"\x08" + bytes(200)):
        speak(stage, ann, link, raw)
    assert ben.node.linked == ([] if ben.hangups else [ann.id])

    stage.cut(ann, ben)
    link = stage.link(ann, ben)
    stage.run(200)
    speak(stage, ann, link, encode_frame(Bye("tired_\x1b[2J")))
    assert ben.node.linked == []
    noticed = [each.values.get("code", "") for each in ben.notices]
    assert not any("\x1b" in str(code) for code in noticed)


def test_with_more_links_than_a_frame_names_the_rest_is_left_out():
    ann, ben = camp()
    stage = Stage()
    stage.link(ann, ben)
    stage.run(200)
    session = next(iter(ann.node._links.values())).session
    many = [type(ben.id)(bytes((number // 256, number % 256)) * 16) for number in range(400)]
    board = ann.node._board
    board.__class__ = type("Busy", (type(board),), {"linked": property(lambda _: many)})

    board.tell()

    frames = [frame for frame in session.out if isinstance(frame, Links)]
    assert len(frames[-1].devices) == LINKS_MAX
    assert decode_frame(encode_frame(frames[-1])) == frames[-1]


def test_what_a_link_was_refused_for_is_kept_with_who_or_where_and_how_often():
    ann, ben = camp()
    stranger = Device.found("stranger")
    stage = Stage()
    for _ in range(3):
        stage.link(ann, stranger)
        stage.run(1_000)
    link = stage.link(ben, ann)
    stage.run(1_000)
    speak(stage, ben, link, b"\x02" + b"\xff" * 9)
    stage.link(ben, ann)
    stage.run(1_000)

    latest, first = ann.node.refusals.all()
    assert (latest.code, latest.peer, latest.times) == ("malformed", ben.id, 1)
    assert (first.code, first.peer, first.times) == ("other_operation", None, 3)
    assert latest.last_ms > WALL_MS
    assert sentence(PeerError(latest.code)) in phrases("en")["error"].values()


def test_who_calls_in_many_ways_costs_a_bounded_list():
    refusals = Refusals()
    for number in range(REFUSALS_MAX * 3):
        refusals.note(PeerError("malformed"), None, f"192.0.2.{number}:99", number)
    kept = refusals.all()
    assert len(kept) == REFUSALS_MAX
    assert kept[0].address == f"192.0.2.{REFUSALS_MAX * 3 - 1}"
    refusals.note(LedgerError("disk_full"), None, "192.0.2.1:5", 1)
    refusals.note(PeerError("duplicate"), None, "192.0.2.1:5", 1)
    assert refusals.all() == kept
