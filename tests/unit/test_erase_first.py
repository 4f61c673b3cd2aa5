"""Whoever was away during an erase applies it before anything else that a peer brings."""

from __future__ import annotations

from protocols.feeds.lane import Lane
from protocols.ids import Epoch
from protocols.ledger.book import OPEN_BATCH
from protocols.ledger.chain import FeedState
from protocols.mesh.frames import Data, Have, Want
from protocols.mesh.places import place_of
from protocols.mesh.runs import RecentRuns
from protocols.mesh.session import Session
from tests.unit.stage import WALL_MS, Device, Stage, admit, agree, note, patient, triage
from tests.unit.test_erase import crew, erase, order, sound, text_of


def shows(device: Device, text: str) -> bool:
    """Whether a text can be read here, as a screen would."""
    return bool(device.store.one("SELECT 1 FROM strand WHERE instr(plain, ?)", (text.encode(),)))


def away() -> tuple[Stage, Device, Device, Device, str]:
    """Cleo is away while Ann and Ben erase Zebulon and go on writing about him and others."""
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id or ""
    other = stage.write(cleo, patient("Amina"))[0].id or ""
    stage.run(3_000)
    stage.cut(ann, cleo)
    before = stage.write(ben, note(whom, "written late"))[0]
    assert before.ok
    entry = order(ann, ben, whom)
    erase(stage, ann, entry)
    stage.write(ann, note(other, "walks again"), triage(other))
    stage.run(3_000)
    return stage, ann, ben, cleo, other


def watched(stage: Stage, device: Device, for_ms: int = 6_000) -> list[tuple[bool, bool]]:
    """Let time pass; return what could be read at each step: the erased, and what is new."""
    seen: list[tuple[bool, bool]] = []

    def look() -> bool:
        seen.append((shows(device, "Zebulon"), shows(device, "walks again")))
        return False

    stage.run(for_ms, until=look)
    return seen


def test_whoever_was_away_drops_it_before_anything_new_can_be_read():
    stage, ann, _, cleo, _ = away()
    assert shows(cleo, "Zebulon")
    stage.link(cleo, ann)
    seen = watched(stage, cleo)
    assert (True, True) not in seen and seen[-1] == (False, True)
    assert not shows(cleo, "written late")
    assert agree(ann, cleo) and sound(cleo)


def test_it_is_the_same_at_one_who_never_held_the_text():
    stage, ann, _, cleo, _ = away()
    dan = Device.found("dan")
    admit(ann, dan)
    stage.link(ann, dan)
    stage.run(5_000)
    stage.cut(ann, dan)
    assert not shows(dan, "Zebulon")
    stage.link(dan, cleo)
    seen = watched(stage, cleo)
    assert (True, True) not in seen and seen[-1] == (False, True)
    assert b"Zebulon" not in text_of(dan) and agree(dan, cleo)


def run_of(device: Device, feed: FeedState, after: int = 0) -> bytes:
    found = device.ledger.chain.run_after(feed, feed.tips[0], after, 30_000)
    assert found is not None
    return found[0]


def feed_of(device: Device, lane: Lane) -> FeedState:
    """The feed that a device writes in a lane."""
    epoch = bytes(device.ledger.authority.epoch)
    (found,) = (
        feed
        for feed in device.ledger.chain.feeds.values()
        if feed.genesis.device == device.id
        and feed.genesis.epoch == epoch
        and feed.genesis.lane == lane
        and feed.genesis.scope in (bytes(16), device.ledger.authority.care_scope)
    )
    return found


def greeted(here: Device, there: Device) -> Session:
    """A session in which the peer has just listed all that it holds."""
    epoch = Epoch(bytes(there.ledger.authority.epoch))
    session = Session(here.ledger, RecentRuns(here.ledger), there.id, epoch, 0)
    session.wall_ms = WALL_MS
    chain = there.ledger.chain
    places = tuple(place_of(feed, tip) for feed, tip in chain.heads())
    session.take(Have(True, chain.last_arrival, places), 100, 0)
    session.out.clear()
    return session


def say(session: Session, run: bytes) -> None:
    session.take(Data(run, 0), len(run), 0)


def test_a_peer_that_sends_its_notes_before_its_orders_is_asked_for_the_orders_first():
    _, ann, _, cleo, _ = away()
    session = greeted(cleo, ann)
    control, routine = feed_of(ann, Lane.CONTROL), feed_of(ann, Lane.ROUTINE)

    say(session, run_of(ann, routine))

    assert not shows(cleo, "walks again")
    (want,) = (frame for frame in session.out if isinstance(frame, Want))
    *first, last = (place.feed for place in want.places)
    assert control.feed_id in first and last == routine.feed_id
    for feed_id in first:
        held = cleo.ledger.chain.feeds[feed_id]
        assert held.genesis.lane == Lane.CONTROL
        say(session, run_of(ann, ann.ledger.chain.feeds[feed_id], held.seq))
    say(session, run_of(ann, routine))
    cleo.ledger.catch_up_all()
    assert shows(cleo, "walks again") and not shows(cleo, "Zebulon")


def test_what_is_urgent_waits_for_nobodys_list():
    _, ann, _, cleo, other = away()
    session = greeted(cleo, ann)
    say(session, run_of(ann, feed_of(ann, Lane.URGENT)))
    assert cleo.store.one("SELECT 1 FROM triage")


def test_who_never_sends_what_it_listed_keeps_nothing_from_anybody():
    _, ann, _, cleo, _ = away()
    session = greeted(cleo, ann)
    for _ in range(2):
        say(session, run_of(ann, feed_of(ann, Lane.ROUTINE)))
    cleo.ledger.catch_up_all()
    assert shows(cleo, "walks again")


def test_a_large_erase_is_carried_out_before_a_long_delivery_is_opened():
    stage, (ann, ben, cleo) = crew()
    named = [stage.write(cleo, patient(f"Zebulon {no}"))[0].id or "" for no in range(300)]
    stage.run(3_000)
    stage.cut(ann, cleo)
    orders = [order(ann, ben, whom) for whom in named]
    with ann.ledger.atomic():
        for record in orders:
            ann.ledger.write_control(record, WALL_MS)
    stage.write(ann, *(patient(f"walks again {no}") for no in range(OPEN_BATCH // 2)))
    stage.link(cleo, ann)
    seen = watched(stage, cleo)
    assert (True, True) not in seen and seen[-1] == (False, True)


def test_nothing_routine_leaves_before_the_peer_has_said_what_it_lacks():
    _, ann, _, cleo, _ = away()
    session = Session(
        ann.ledger, RecentRuns(ann.ledger), cleo.id,
        Epoch(bytes(cleo.ledger.authority.epoch)), 0,
    )  # fmt: skip
    session.grew(feed_of(ann, Lane.ROUTINE))
    session.pump(0)
    assert not [frame for frame in session.out if isinstance(frame, Data)]
    session.take(Have(True, 1, ()), 10, 0)
    session.pump(0)
    sent = b"".join(frame.runs for frame in session.out if isinstance(frame, Data))
    control, routine = (
        sent.find(feed_of(ann, lane).genesis.encode()) for lane in (Lane.CONTROL, Lane.ROUTINE)
    )
    assert control >= 0 and (routine == -1 or control < routine)
