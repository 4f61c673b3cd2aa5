"""Up to when a peer is known: a link alone does not say so, and a quiet one is no silent one."""

from __future__ import annotations

from hq.depots import Depots
from hq.hints import Hints
from hq.picture import read_picture
from protocols.ledger.sealing import SealOrder
from protocols.mesh.effects import Changed
from protocols.mesh.keeping import SHOWN_FLUSH_MS, STILL_MS
from protocols.trust.control import SealReason
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook
from tests.unit.hq_stores import DAY, ORS, Shelves, used_daily
from tests.unit.stage import Device, Stage, camp, fill, linked, patient


def written(hq: Device, peer: Device) -> tuple[int, int]:
    """When the peer was linked last, and when all that it had was here, as pages read it."""
    asked = "SELECT last_contact_ms, whole_ms FROM peer WHERE device = ?"
    ((contact, whole),) = hq.store.all(asked, (bytes(peer.id),))
    return contact, whole


def test_a_link_that_ends_before_anything_came_does_not_say_that_all_is_here():
    stage, (hq, ann) = Stage(one_way_ms=400), camp(("hq", "ann"), hq=True)
    fill(ann, 30)
    stage.link(ann, hq)
    stage.run(60_000, until=lambda: hq.ledger.peers.all[ann.id].last_contact_ms > 0)
    stage.cut(ann, hq)
    stage.run(SHOWN_FLUSH_MS)

    contact, whole = written(hq, ann)
    assert contact > 0 and whole == 0
    assert not ann.entries <= hq.entries

    stage.link(ann, hq)
    stage.run(SHOWN_FLUSH_MS + 10_000)
    contact, whole = written(hq, ann)
    assert ann.entries <= hq.entries and whole >= contact > 0


def test_what_comes_later_over_the_same_link_moves_it_on():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    stage.run(STILL_MS // 2)
    before = hq.ledger.peers.all[ann.id].whole_ms
    stage.write(ann, patient("Amina"))
    stage.run(1_000)

    assert before < stage.now(hq).wall_ms - 1_000 <= hq.ledger.peers.all[ann.id].whole_ms


def test_a_quiet_link_is_no_silent_one_and_pages_are_told():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    told: list[Changed] = []
    carry = stage.carry

    def listening(device, effects):
        told.extend(one for one in effects if device is hq and isinstance(one, Changed))
        carry(device, effects)

    stage.carry = listening  # type: ignore[method-assign]
    stage.run(3 * HOUR)
    now_ms = stage.now(hq).wall_ms

    assert all(now_ms - at_ms <= STILL_MS + 1_000 for at_ms in written(hq, ann))
    assert sum("peer" in one.tables for one in told) >= 3 * HOUR // STILL_MS - 1

    stage.cut(hq, ann)
    stage.run(2 * HOUR)
    assert all(stage.now(hq).wall_ms - at_ms >= 2 * HOUR for at_ms in written(hq, ann))


def test_a_node_that_is_no_hq_is_not_woken_for_it():
    stage, (ann, ben) = linked("ann", "ben")
    stage.run(3 * HOUR)

    assert ann.ledger.peers.all[ben.id].last_contact_ms < stage.now(ann).wall_ms - 2 * HOUR


async def test_a_site_and_a_store_are_known_up_to_when_all_was_here_not_up_to_the_last_link():
    book = TestBook()
    book.device(1, "Tent A", NOW_MS - MINUTE, whole_ms=NOW_MS - 4 * DAY)
    nord = book.site(1, "Nord")
    book.patient(2, site=nord, at_ms=NOW_MS - 5 * DAY)
    book.record("encounter", 2, NOW_MS - 5 * DAY)
    shelves = Shelves(book)
    used_daily(shelves, nord, ORS, 10)
    shelves.holds(nord, ORS, 100, NOW_MS - 5 * DAY)

    (site,) = (await read_picture(book, NOW_MS)).stated
    stock = await Depots(book, Hints(book, "run")).now(NOW_MS)

    assert (site.heard_ms, site.known_ms) == (NOW_MS - MINUTE, NOW_MS - 4 * DAY)
    assert (stock.known[nord], stock.lines[0].silent_days) == (NOW_MS - 4 * DAY, 4)


def test_a_site_is_not_known_by_a_sealed_device_of_which_nothing_counts_any_more():
    stage, (hq, ann) = linked("hq", "ann", hq=True)
    stage.run(SHOWN_FLUSH_MS)
    stage.carry(hq, hq.node.seal(ann.id, SealOrder(SealReason.LOST), stage.now(hq)))
    stage.run(1_000)
    sealed_ms = stage.now(hq).wall_ms
    stage.run(HOUR)
    stage.link(ann, hq)
    stage.write(ann, patient("Amina"))
    stage.run(HOUR)

    contact, whole = written(hq, ann)
    assert contact > sealed_ms > whole > 0
