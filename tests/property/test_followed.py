"""What follows from a dose stays with the dose, though any part of any book arrives at any time."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.feeds.run import decode_run
from protocols.records.kinds import KindNo
from tests.unit.stage import WALL_MS, Device, Stage, camp, line, patient

ITEMS = ("amoxicillin-250-tab", "paracetamol-500-tab")
SUBSTANCES = ("amoxicillin", "paracetamol")


class Tents:
    """Three devices that get each other's feeds entry by entry."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.stage = Stage()
        self.devices = camp(("ann", "ben", "eve"), seed=seed)
        ann = self.devices[0]
        for one in self.devices[1:]:
            self.stage.link(ann, one)
        self.code = self.one(ann, patient("Amina")).code
        self.store = self.one(ann, line("site.register", {"name": "Store", "type": "store"})).id
        for item in ITEMS:
            came = {"item": item, "units": 100, "lot": "A1"}
            self.one(ann, line("stock.receive", came, store=self.store))
        self.stage.run(2_000)
        for one in self.devices[1:]:
            self.stage.cut(ann, one)

    def one(self, device: Device, said: dict[str, Any]) -> Any:
        self.stage.at_ms += 1_000
        (answer,) = self.stage.write(device, said)
        assert answer.ok, (answer.error, answer.field, answer.confirm)
        return answer

    def give(self, device: Device, **more: Any) -> None:
        which = self.chance.randrange(2)
        dose = {
            "substance": SUBSTANCES[which],
            "dose": {"value": "500", "unit": "mg"},
            "route": "oral",
            "item": ITEMS[which],
            "units": self.chance.randrange(2, 5),
            "lot": "A1",
        }
        sure = ["given_recently", "beyond_stock"]
        said = line("administration.record", dose, patient=self.code, store=self.store, **more)
        self.one(device, said | {"confirm": sure})

    def known(self, device: Device, kinds: tuple[int, ...]) -> list[str]:
        """Facts of the patient, by their ids."""
        device.ledger.catch_up_all()
        subject = device.store.one("SELECT subject FROM patient")
        facts = device.ledger.merger.facts_of(subject[0]) if subject else []
        return [str(fact.ref) for fact in facts if fact.kind in kinds]

    def take_back(self, device: Device) -> None:
        known = self.known(device, KINDS)
        if known:
            fact = {"fact": self.chance.choice(known)}
            self.stage.at_ms += 1_000
            # What was taken back already may be refused.
            self.stage.write(device, line("entry.retract", fact, reason="wrong"))

    def correct(self, device: Device) -> None:
        known = self.known(device, KINDS[:1])
        if known:
            self.give(device, supersedes=[self.chance.choice(known)])

    def pass_on(self, here: Device, there: Device, most: int) -> bool:
        """Bring some of the next entries of one's feeds to another; whether there were any."""
        came = False
        source, target = here.ledger.chain, there.ledger.chain
        for feed in list(source.feeds.values()):
            for tip in list(feed.tips):
                held = target.feeds.get(feed.feed_id)
                after = max((each.seq for each in held.tips), default=0) if held else 0
                found = source.run_after(feed, tip, after, most) if after < tip.seq else None
                if found is not None:
                    run, _ = decode_run(found[0], 0, target.genesis_of, target.prev_of)
                    there.ledger.take([run], WALL_MS)
                    came = True
        return came

    def play(self, steps: int) -> None:
        for _ in range(steps):
            device = self.chance.choice(self.devices)
            match self.chance.choice(("give", "back", "back", "correct", "pass", "pass", "pass")):
                case "give":
                    self.give(device)
                case "back":
                    self.take_back(device)
                case "correct":
                    self.correct(device)
                case _:
                    self.pass_on(device, self.chance.choice(self.devices), 1)
        came = True
        while came:
            came = False
            for here in self.devices:
                for there in self.devices:
                    came = self.pass_on(here, there, 10_000) or came


KINDS = (int(KindNo.ADMINISTRATION_RECORD), int(KindNo.ENTRY_RETRACT))


def counting(device: Device) -> set[bytes]:
    """Doses that count, as movements name them."""
    device.ledger.catch_up_all()
    return _refs(device, "administration", "store IS NOT NULL AND ")


def _refs(device: Device, table: str, where: str = "") -> set[bytes]:
    return {
        entry[:16] + idx.to_bytes(2)
        for entry, idx in device.store.all(
            f"SELECT e.hash, t.idx FROM {table} t JOIN entry e ON e.arrival = t.entry"
            f" WHERE {where}t.standing = 0 AND t.replaced = 0"
        )
    }


def moved(device: Device) -> list[bytes]:
    """Causes of the movements that count."""
    device.ledger.catch_up_all()
    return [
        cause
        for (cause,) in device.store.all(
            "SELECT cause FROM movement WHERE cause IS NOT NULL AND standing = 0 AND replaced = 0"
        )
    ]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_dose_that_counts_took_its_units_once_and_no_other_did(seed: int) -> None:
    tents = Tents(seed)

    tents.play(40)

    first, *others = tents.devices
    causes = moved(first)
    assert sorted(causes) == sorted(counting(first))
    for other in others:
        assert other.care == first.care
        assert sorted(moved(other)) == sorted(causes)
    first.ledger.rebuild_rows()
    assert sorted(moved(first)) == sorted(causes)


def test_a_dose_taken_back_where_its_movement_is_not_known_takes_nothing_when_that_comes() -> None:
    tents = Tents(0)
    ann, ben = tents.devices[:2]
    tents.give(ann)
    while not tents.known(ben, KINDS[:1]):
        assert tents.pass_on(ann, ben, 1)
    assert not moved(ben), "the movement is an entry of its own and comes later"

    tents.one(ben, line("entry.retract", {"fact": tents.known(ben, KINDS)[0]}, reason="wrong"))
    assert tents.pass_on(ann, ben, 10_000)
    ben.ledger.catch_up_all()

    assert not moved(ben)
    assert [row[0] for row in ben.store.all("SELECT low FROM stock")] == [100, 100]
    gone = tents.known(ben, KINDS[1:])[0]
    tents.one(ben, line("entry.retract", {"fact": gone}, reason="it was given"))
    assert len(moved(ben)) == 1
