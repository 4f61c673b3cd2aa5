"""An older backup comes back: what was erased since is known from files, or from the first peer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import InputError
from protocols.ids import EntryHash
from protocols.ledger import releasing, remembered
from protocols.ledger.backup import Restored, backup, restore, source_of
from protocols.ledger.place import DATABASE_NAME, ORDERS_NAME
from protocols.ledger.store import open_file
from tests.unit.folders import PASSPHRASE, cheap_key, opened
from tests.unit.stage import WALL_MS, Device, Stage, admit, patient
from tests.unit.test_erase import coordinator, erase, order, sound, text_of
from tests.unit.test_erase_disk import KEY, on_file, pages
from tests.unit.test_erase_first import shows

DAY_MS = 86_400_000


class Camp:
    """Ann, whose book is a real file, and Ben, who signs with her; Zebulon is still here."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.stage, self.ann, self.ben = Stage(), on_file(place / "ann"), Device.found("ben")
        cheap_key(place / "ann", KEY)
        admit(self.ann, self.ben)
        coordinator(self.ann, self.ben)
        self.stage.link(self.ann, self.ben)
        self.stage.run(3_000)
        self.whom = self.stage.write(self.ann, patient("Zebulon"))[0].id or ""
        self.stage.write(self.ann, patient("Amina"))
        self.stage.run(3_000)

    def backup(self, name: str) -> Path:
        """Write a backup to a medium of its own."""
        medium = self.place / f"of {name}"
        medium.mkdir(exist_ok=True)
        backup(source_of(self.ann.ledger), medium / name, WALL_MS)
        return medium / name

    def erase(self) -> EntryHash:
        entry = erase(self.stage, self.ann, order(self.ann, self.ben, self.whom))
        self.stage.run(6_000)
        return entry


@pytest.fixture
def camp(tmp_path) -> Iterator[Camp]:
    camp = Camp(tmp_path)
    yield camp
    if camp.ann.store.connection is not None:
        camp.ann.store.close()


def made(archive: Path, folder: Path, *orders: Path) -> tuple[Restored, Device]:
    found = restore(archive, folder, PASSPHRASE, WALL_MS + DAY_MS, orders)
    return found, Device("ann", opened(folder).store, 2)


def test_orders_left_in_the_folder_are_carried_out_before_anybody_reads(camp: Camp):
    old = camp.backup("old")
    camp.erase()
    left = camp.place / "ann" / ORDERS_NAME
    folder = camp.place / "restored"
    folder.mkdir()
    left.replace(folder / ORDERS_NAME)

    found = restore(old, folder, PASSPHRASE, WALL_MS + DAY_MS)

    assert (found.made_ms, found.erases, found.alone) == (WALL_MS, 1, False)
    text = pages(folder / DATABASE_NAME)
    assert b"Zebulon" not in text and b"zebulon" not in text and b"Amina" in text
    restored = Device("ann", opened(folder).store, 2)
    assert b"Zebulon" not in text_of(restored) and sound(restored)
    restored.store.close()


def test_a_later_backup_on_the_medium_brings_its_orders_to_an_earlier_one(camp: Camp):
    old = camp.backup("old")
    camp.erase()
    backup(source_of(camp.ann.ledger), old.with_name("later"), WALL_MS + DAY_MS)
    found, restored = made(old, camp.place / "restored")
    assert found.erases == 1 and b"Zebulon" not in text_of(restored)
    restored.store.close()


def test_any_node_s_card_serves_and_the_restored_node_confirms_and_goes_on(camp: Camp):
    old = camp.backup("old")
    entry = camp.erase()
    card = camp.place / "card"
    card.write_bytes(releasing.card(camp.ben.ledger))
    found, restored = made(old, camp.place / "restored", card)
    assert found.erases == 1 and b"Zebulon" not in text_of(restored)
    stage = Stage()
    stage.carry(restored, restored.node.start(stage.now(restored)))
    stage.run(6_000)
    said = restored.ledger.authority.erasures.confirmed(entry)
    assert bytes(restored.ledger.authority.epoch) in {one.epoch for one in said}
    assert stage.write(restored, patient("Bo"))[0].ok
    restored.store.close()


def test_without_any_file_it_says_how_old_it_is_until_it_has_met_somebody(camp: Camp):
    old = camp.backup("old")
    camp.erase()
    found, restored = made(old, camp.place / "restored")
    assert found == Restored(
        found.entries, found.feeds, found.bytes, made_ms=WALL_MS, erases=0, alone=False
    )
    assert shows(restored, "Zebulon") and remembered.unmet_ms(restored.ledger) == WALL_MS
    restored.restarted()
    assert remembered.unmet_ms(restored.ledger) == WALL_MS
    stage = Stage()
    stage.link(restored, camp.ben)
    stage.run(6_000)
    assert not shows(restored, "Zebulon") and remembered.unmet_ms(restored.ledger) is None
    restored.store.close()


def test_a_peer_with_nothing_new_is_a_meeting_too(camp: Camp):
    camp.ann.node.stop()
    old = camp.backup("old")
    _, restored = made(old, camp.place / "restored")
    stage = Stage()
    stage.link(restored, camp.ben)
    stage.run(6_000)
    assert remembered.unmet_ms(restored.ledger) is None
    restored.store.close()


def test_a_backup_of_what_was_restored_and_met_nobody_is_as_old(camp: Camp):
    _, restored = made(camp.backup("old"), camp.place / "restored")
    backup(source_of(restored.ledger), camp.place / "again", WALL_MS + 2 * DAY_MS)
    found, other = made(camp.place / "again", camp.place / "third")
    assert found.made_ms == WALL_MS
    for device in (restored, other):
        device.store.close()


def test_what_lies_beside_the_book_tells_nothing_without_its_key(camp: Camp):
    camp.erase()
    raw = (camp.place / "ann" / ORDERS_NAME).read_bytes()
    for known in (b"Test", bytes(camp.ann.id), bytes(camp.ben.id)):
        assert known in releasing.card(camp.ann.ledger) and known not in raw


def test_it_is_written_once_for_each_erase(camp: Camp):
    camp.erase()
    path = camp.place / "ann" / ORDERS_NAME
    before = path.stat().st_ino
    remembered.keep(camp.ann.ledger)
    assert path.stat().st_ino == before
    whom = camp.stage.write(camp.ann, patient("Yolanda"))[0].id or ""
    camp.stage.run(3_000)
    erase(camp.stage, camp.ann, order(camp.ann, camp.ben, whom))
    camp.stage.run(6_000)
    assert path.stat().st_ino != before


def test_files_that_do_not_fit_are_refused_when_named_and_passed_over_when_not(camp: Camp):
    old = camp.backup("old")
    camp.erase()
    stranger = Device.found("stranger")
    other = open_file(_folder(camp.place / "other"), b"o" * 32, create=True)
    locked = remembered._sealed(b"o" * 32, bytes(32), releasing.card(camp.ann.ledger))
    other.close()
    wrong = {
        "not_orders": b"noise",
        "order_elsewhere": releasing.card(stranger.ledger),
        "orders_locked": remembered.MAGIC + bytes(32) + locked,
    }
    for code, raw in wrong.items():
        path = old.with_name(f"{code}.{ORDERS_NAME}")
        path.write_bytes(raw)
        with pytest.raises(InputError) as caught:
            restore(old, camp.place / code, PASSPHRASE, WALL_MS, [path])
        assert caught.value.code == code and not (camp.place / code).exists()
    found = restore(old, camp.place / "restored", PASSPHRASE, WALL_MS)
    assert found.erases == 0


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_damaged_file_of_orders_keeps_nobody_from_restoring(camp: Camp):
    old = camp.backup("old")
    camp.erase()
    raw = bytearray((camp.place / "ann" / ORDERS_NAME).read_bytes())
    for at in (len(remembered.MAGIC), len(raw) // 2, len(raw) - 1):
        bad = raw[:at] + os.urandom(1) + raw[at + 1 :]
        bad[at] = raw[at] ^ 1
        old.with_name(f"bad{at}.{ORDERS_NAME}").write_bytes(bytes(bad))
    assert restore(old, camp.place / "restored", PASSPHRASE, WALL_MS).erases == 0
