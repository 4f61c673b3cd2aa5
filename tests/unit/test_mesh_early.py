"""A newcomer of a large operation shows urgent care before it has read who belongs to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from protocols.errors import PeerError
from protocols.feeds.advance import Advance, Lone, open_lone
from protocols.feeds.entry import EntryKind, make_entry, sign_entry
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, Epoch, KeyId, ScopeId
from protocols.ledger import advancing, gathering, persons
from protocols.ledger.chain import FeedState
from protocols.ledger.sealing import SealOrder
from protocols.mesh import frames
from protocols.mesh.early import CONTROL_FIRST_BYTES
from protocols.mesh.frames import Data, Vouch, decode_frame, encode_frame
from protocols.mesh.outbox import EARLY, Outbox
from protocols.trust.certificates import Rank, sign_certificate
from protocols.trust.control import Attestation, Audit, AuditItem, SealReason, encode_control
from protocols.trust.standing import Standing
from tests.unit.camps import CARE, RELAY_ROLE, Camp, know, new_key, overheard
from tests.unit.forge import Author
from tests.unit.people import LOGISTICIAN, NURSE, enrol, profile, sit, synced, write
from tests.unit.people import camp as people_camp
from tests.unit.stage import (
    WALL_MS,
    Device,
    Stage,
    admit,
    camp,
    line,
    patient,
    speak,
    triage,
)
from tests.unit.test_erase import crew, erase, order
from tests.unit.test_ledger_sealing import give

GOAL_BYTES = 30_000


def swell(device: Device, records: int = 60) -> None:
    """Make an operation large: some 3 kB of control a record."""
    items = tuple(AuditItem(1, WALL_MS, 0, bytes(1_000)) for _ in range(3))
    with device.ledger.atomic():
        for _ in range(records):
            device.ledger.write_control(Audit(items), WALL_MS)


def busy(*names: str) -> tuple[Stage, list[Device]]:
    """A large camp where the second of all wrote what is urgent, and the first holds it."""
    devices = camp(names or ("ann", "ben"))
    ann, ben = devices[:2]
    stage = Stage()
    stage.link(ann, ben)
    stage.run(3_000)
    written(stage, ben)
    swell(ann)
    stage.run(3_000)
    stage.cut(ann, ben)
    return stage, devices


def written(stage: Stage, device: Device, name: str = "Amina") -> str:
    code = stage.write(device, patient(name))[0].code or ""
    stage.write(device, triage(code))
    stage.run(3_000)
    return code


def triages(device: Device) -> list[int]:
    """The standing of every triage that is shown, lowest first."""
    return sorted(row[0] for row in device.store.all("SELECT standing FROM triage"))


def control_bytes(device: Device) -> int:
    row = device.store.one("SELECT coalesce(sum(length(body)), 0) FROM entry WHERE kind = 1")
    assert row is not None
    return int(row[0])


def said_first(said: list[tuple[DeviceId, bytes]], peer: Device) -> list[object]:
    """What was said to a peer: VOUCH, and the lane of each data frame."""
    found: list[object] = []
    for whom, raw in said:
        frame = decode_frame(raw)
        if whom != peer.id:
            continue
        if isinstance(frame, Vouch):
            found.append("vouch")
        if isinstance(frame, Data) and frame.runs[:1] == b"\1":
            found.append(Lane(frame.runs[2 + 57]))
    return found


def newcomer(admitter: Device, name: str = "new") -> Device:
    """Somebody let in by hand, who met nobody yet."""
    found = Device.found(name)
    admit(admitter, found)
    return found


def even(*devices: Device) -> bool:
    """Whether all hold and show the same, and nobody believes what is in no feed."""
    first, *others = devices
    return all(
        each.care == first.care and not each.ledger.authority.advanced for each in others
    ) and not any(
        each.store.one("SELECT 1 FROM meta WHERE name LIKE 'advance%'") for each in devices
    )


def test_a_newcomer_shows_its_first_urgent_entry_before_the_control_feeds():
    stage, (ann, ben) = busy()
    new = newcomer(ann)
    said, before = overheard(ann), stage.carried_bytes

    stage.link(new, ann)
    stage.run(5_000, until=lambda: bool(triages(new)))

    assert triages(new) == [Standing.STANDS]
    assert stage.carried_bytes - before <= GOAL_BYTES < control_bytes(ann) / 5
    assert control_bytes(new) < CONTROL_FIRST_BYTES
    assert new.ledger.authority.advanced
    stage.run(5_000)
    assert even(ann, new) and triages(new) == [Standing.STANDS]
    assert said_first(said, new)[:3] == ["vouch", Lane.URGENT, Lane.CONTROL]


def test_an_older_peer_passes_the_new_frame_over_and_ends_the_same(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delitem(frames._READERS, 12)
    stage, (ann, ben) = busy()
    new = newcomer(ann)

    stage.link(new, ann)
    stage.run(10_000)

    assert even(ann, new) and triages(new) == [Standing.STANDS]


def test_where_there_is_little_control_it_goes_first_as_ever():
    stage, (ann, ben, new) = Stage(), camp(("ann", "ben", "new"))
    stage.link(ann, ben)
    stage.run(3_000)
    written(stage, ben)
    said = overheard(ann)

    stage.link(new, ann)
    stage.run(3_000)

    told = said_first(said, new)
    assert "vouch" not in told and told.index(Lane.CONTROL) < told.index(Lane.URGENT)
    assert even(ann, new)


def test_somebody_who_is_up_to_date_but_for_much_control_is_sent_it_first():
    stage, (ann, ben) = busy()
    written(stage, ann, "Bahir")
    said = overheard(ann)

    stage.link(ben, ann)
    stage.run(5_000)

    assert "vouch" not in said_first(said, ben)
    assert even(ann, ben)


def seal(stage: Stage, by: Device, subject: DeviceId) -> None:
    order = SealOrder(SealReason.LOST)
    stage.carry(by, by.node.seal(subject, order, stage.now(by)))


def test_whom_a_seal_concerns_waits_for_the_control_feeds():
    stage, (ann, ben, eve) = busy("ann", "ben", "eve")
    stage.link(ann, eve)
    stage.run(3_000)
    stage.cut(ann, eve)
    seal(stage, ann, eve.id)
    written(stage, eve, "by the thief")
    give(eve, ann)
    stage.run(1_000)
    new = newcomer(ann)
    seen: list[tuple[int, ...]] = []

    stage.link(new, ann)
    stage.run(8_000, until=lambda: seen.append(tuple(triages(new))) or False)

    # Ben's goes early; of Eve's nothing is shown before her seal is here.
    assert set(seen) == {(), (Standing.STANDS,), (Standing.STANDS, Standing.HELD)}
    assert triages(ann) == list(seen[-1]) and even(ann, new)


def test_a_seal_that_comes_while_it_is_under_way_ends_it_for_its_author():
    stage, (ann, ben) = busy()
    for number in range(40):
        stage.write(ann, patient(f"P{number}"))
    feed = urgent_of(ann, ben)
    new = newcomer(ann)
    assert gathering.gather(ann.ledger, feed, new.id) is not None

    seal(stage, ann, ben.id)

    assert gathering.gather(ann.ledger, feed, new.id) is None


def urgent_of(device: Device, author: Device) -> FeedState:
    """The urgent feed of an author in the operation's scope, as a device holds it."""
    charter = device.ledger.authority.roster.charter
    assert charter is not None
    (found,) = (
        each
        for each in device.ledger.chain.feeds.values()
        if each.genesis.lane == Lane.URGENT
        and each.genesis.device == author.id
        and charter.scope(each.genesis.scope)
    )
    return found


def test_who_hides_a_seal_is_believed_no_longer_than_a_partition_would_let_him():
    stage, (ann, ben, eve) = busy("ann", "ben", "eve")
    stage.link(ann, eve)
    stage.run(5_000)
    stage.cut(ann, eve)
    # Eve never hears of the seal; what the thief writes with Ben's card above it she passes on.
    seal(stage, ann, ben.id)
    stage.link(ben, eve)
    stage.run(3_000)
    written(stage, ben, "made up")
    new = newcomer(ann)

    stage.link(new, eve)
    stage.run(6_000)
    assert triages(new) == [Standing.STANDS] * 2

    stage.link(new, ann)
    stage.run(6_000)
    assert triages(new) == [Standing.STANDS, Standing.QUARANTINED]
    assert new.ledger.authority.roster.cut(ben.id)


def test_a_person_who_may_not_write_it_never_counts_on_the_way():
    ann, ben = people_camp("ben")
    people = (profile("Jun Cho"), (LOGISTICIAN,)), (profile("Amina Okoro"), (NURSE,))
    for who, roles in people:
        persons.take_in(ben.ledger, enrol(ann, who, roles=roles), WALL_MS)
    red = {"category": "red", "problem": "bleeding"}
    write(ben, sit(ben, 1), line("triage.record", red))
    write(ben, sit(ben, 2), line("triage.record", red))
    swell(ann)
    stage = synced(ann, ben)
    new = newcomer(ann)
    seen: list[list[int]] = []

    stage.link(new, ann)
    stage.run(6_000, until=lambda: seen.append(triages(new)) or control_bytes(new) > 60_000)

    # Who sat there is known as soon as the entry is.
    assert [each for each in seen if each][-1] == [Standing.STANDS, Standing.REFUSED]
    assert all(shown.count(Standing.STANDS) <= 1 for shown in seen)
    stage.run(6_000)
    assert even(ann, new) and triages(ann) == [Standing.STANDS, Standing.REFUSED]


def test_an_author_of_whom_something_was_erased_waits_for_the_order():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0]
    stage.write(cleo, triage(whom.code or ""), patient("Bahir"))
    stage.run(3_000)
    erase(stage, ann, order(ann, ben, whom.id or ""))
    stage.write(ann, triage(stage.write(ann, patient("Amina"))[0].code or ""))
    swell(ann)
    stage.run(3_000)
    new = newcomer(ann)

    assert gathering.gather(ann.ledger, urgent_of(ann, cleo), new.id) is None
    stage.link(new, ann)
    stage.run(8_000)

    assert even(ann, new) and new.hangups == {}


def test_who_holds_data_and_lacks_an_order_is_sent_control_first():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id or ""
    stage.run(3_000)
    dan = newcomer(ann, "dan")
    stage.cut(ann, cleo)
    stage.link(dan, cleo)
    stage.run(3_000)
    erase(stage, ann, order(ann, ben, whom))
    stage.write(ann, triage(stage.write(ann, patient("Amina"))[0].code or ""))
    swell(ann)
    said = overheard(ann)

    stage.link(dan, ann)
    stage.run(8_000)

    assert "vouch" not in said_first(said, dan) and even(ann, dan)


def test_a_relay_that_reads_nothing_is_sent_control_first():
    camp = Camp(CARE)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
    ben = camp.device("ben", "ministry")
    mule = camp.device("mule", "mules", roles=(RELAY_ROLE,))
    know(ann, ben, mule)
    new_key(ann, ann.ledger.authority.care_scope)
    stage = Stage()
    stage.write(ann, triage(stage.write(ann, patient("Amina"))[0].code or ""))
    swell(ann)
    said = overheard(ann)

    stage.link(mule, ann)
    stage.link(ben, ann)
    stage.run(5_000)

    assert "vouch" not in said_first(said, mule)
    told = said_first(said, ben)
    assert told.index("vouch") < told.index(Lane.URGENT)
    assert triages(ben) == [Standing.STANDS] and even(ann, ben)


def test_a_newcomer_that_restarts_on_the_way_goes_on_where_it_was():
    stage, ann, _, new = cut_early()

    for _ in range(2):
        new.restarted()
        new.ledger.catch_up_all()
    rows = new.care
    new.ledger.rebuild_rows()

    assert triages(new) == [Standing.STANDS] and new.care == rows
    stage.link(new, ann)
    stage.run(6_000)
    assert even(ann, new) and triages(new) == [Standing.STANDS]


def test_nothing_is_written_under_a_key_that_only_came_ahead_and_care_goes_on():
    stage, ann, _, new = cut_early()
    authority = new.ledger.authority
    scope = authority.care_scope
    assert authority.keyring.keys and authority.scope_keys.write_key(scope) is None

    code = written(stage, new, "Bahir")

    assert authority.writable_scope()[0] != scope
    stage.link(new, ann)
    stage.run(8_000)
    assert code and even(ann, new) and triages(ann) == [Standing.STANDS] * 2


def test_joining_another_operation_lets_go_what_came_ahead_in_the_old_one():
    _, _, _, new = cut_early()
    other = Device.found("other")

    admit(other, new)

    assert not new.ledger.authority.advanced
    assert new.store.one("SELECT 1 FROM meta WHERE name LIKE 'advance%'") is None


def cut_early() -> tuple[Stage, Device, Device, Device]:
    """A newcomer that got what went early from the first, and nothing more."""
    stage, (ann, ben) = busy()
    new = newcomer(ann)
    stage.link(new, ann)
    stage.run(5_000, until=lambda: bool(triages(new)))
    stage.cut(new, ann)
    return stage, ann, ben, new


@pytest.mark.parametrize("again", [1, 5])
def test_what_was_cut_off_goes_on_at_the_next_contact(again: int):
    stage, ann, _, new = cut_early()
    assert triages(new) == [Standing.STANDS]
    for _ in range(again):
        stage.link(new, ann)
        stage.run(40)
        stage.cut(new, ann)
        assert triages(new) == [Standing.STANDS]

    stage.link(new, ann)
    stage.run(6_000)

    assert even(ann, new) and triages(new) == [Standing.STANDS]


def forged(device: Device, seq: int = 900) -> Lone:
    """An entry that a device signs and that no feed of it holds: who sat at it, it says."""
    author = Author(device.ledger.authority.keys, ScopeId.zero(), KeyId.zero(), b"")
    author.epoch = Epoch(bytes(device.ledger.authority.epoch))
    spot = (author.genesis(Lane.CONTROL).feed_id, seq, b"p" * 32, WALL_MS << 16)
    body = encode_control(Attestation(b"n" * 32, WALL_MS, bytes(64)))
    entry = make_entry(EntryKind.CONTROL, 0, spot, KeyId.zero(), body)
    genesis = author.genesis(Lane.CONTROL).encode()
    return Lone(genesis, seq, b"p" * 32, spot[3], body, sign_entry(author.keys, entry))


def test_what_comes_ahead_and_is_in_no_feed_is_let_go_once_control_is_whole():
    stage, ann, ben, new = cut_early()
    stray = ann.ledger.authority.roster.certificates(ben.id)[0][1]
    paper = sign_certificate(
        structs.replace(stray, subject=b"s" * 32, agree=b"a" * 32, serial=77),
        ann.ledger.authority.keys,
    )
    link = stage.link(ann, new)
    stage.run(60, until=lambda: bool(new.node.linked))
    hostile = Advance(certificates=(paper,), entries=(forged(ann),))
    speak(stage, ann, link, encode_frame(Vouch(hostile)), 1)
    assert DeviceId(b"s" * 32) in new.ledger.authority.roster.members()

    stage.run(8_000)

    assert DeviceId(b"s" * 32) not in new.ledger.authority.roster.members()
    assert even(ann, new) and triages(new) == [Standing.STANDS]
    members = [each.ledger.authority.roster.members() for each in (ann, new)]
    assert members[0] == members[1]


def test_replayed_and_late_ones_change_nothing():
    stage, (ann, ben) = busy()
    new = newcomer(ann)
    said = overheard(ann)
    link = stage.link(ann, new)
    stage.run(8_000)
    assert even(ann, new)
    vouched = [raw for _, raw in said if raw[:1] == b"\x0c"]
    before, version = new.care, new.ledger.authority.version

    for raw in vouched * 3:
        speak(stage, ann, link, raw)
    speak(stage, ann, link, encode_frame(Vouch(Advance(entries=(forged(ann),)))))

    assert new.ledger.authority.version == version and even(ann, new)
    assert new.care == before and link in ann.links


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lone: structs.replace(lone, signature=bytes(64)),
        lambda lone: structs.replace(lone, seq=lone.seq + 1),
        lambda lone: structs.replace(lone, body=lone.body + b"x"),
        lambda lone: structs.replace(lone, genesis=lone.genesis[:-1] + b"\1"),
        lambda lone: structs.replace(lone, seq=1),
    ],
    ids=["signature", "seq", "body", "genesis", "first"],
)
def test_an_entry_by_itself_that_its_author_did_not_sign_so_is_refused(
    spoil: Callable[[Lone], Lone],
):
    (ann,) = camp(("ann",))
    assert open_lone(forged(ann)).place.seq == 900

    with pytest.raises(PeerError):
        open_lone(spoil(forged(ann)))


def test_a_forged_one_costs_its_sender_the_link_and_leaves_nothing():
    stage, (ann, ben) = busy()
    new = newcomer(ann)
    link = stage.link(ann, new)
    stage.run(3)
    bad = structs.replace(forged(ann), signature=bytes(64))

    speak(stage, ann, link, encode_frame(Vouch(Advance(entries=(bad,)))), 300)

    assert link not in ann.links
    assert "bad_signature" in {each.values.get("code") for each in new.notices}


def test_what_came_ahead_is_not_handed_on_before_a_feed_has_it_and_hinders_no_other():
    stage, ann, ben, new = cut_early()
    late = newcomer(ann, "late")
    assert gathering.gather(new.ledger, urgent_of(new, ben), late.id) is None

    # Somebody sends ahead what never comes, and stays: others are served all the same.
    paper = ann.ledger.authority.roster.certificates(ben.id)[0][1]
    stray = structs.replace(paper, subject=b"s" * 32, agree=b"a" * 32, serial=77)
    signed = sign_certificate(stray, ann.ledger.authority.keys)
    advancing.take(ann.ledger, Advance((signed,), (forged(ben),)), new.id)
    assert ann.ledger.authority.advanced
    assert gathering.gather(ann.ledger, urgent_of(ann, ben), late.id) is None
    stage.write(ann, triage(stage.write(ann, patient("Bahir"))[0].code or ""))
    assert gathering.gather(ann.ledger, urgent_of(ann, ann), late.id) is not None


def test_what_vouches_counts_as_under_way_until_what_it_goes_before_has_arrived():
    outbox = Outbox(listed=True)
    assert outbox.room(EARLY) and outbox.room(Lane.URGENT)

    outbox.leave(200, 0, (), beside=40_000)
    assert not outbox.room(EARLY) and not outbox.room(Lane.URGENT)
    outbox.arrive(199, 50)
    assert not outbox.room(EARLY)

    outbox.arrive(200, 100)
    assert outbox.room(EARLY) and outbox.settled
