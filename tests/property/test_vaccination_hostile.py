"""A drive among members who sign whatever they like: no book stops, and all come to one count."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protocols.feeds.lane import Lane
from protocols.ids import DocId, PatientId, SessionId
from protocols.ledger import coverage, immunization, writing
from protocols.live import vaccinated, vaccinating
from protocols.records.aefi import AefiReport
from protocols.records.attributes import AGE, BIRTH_DATE, SEX, Age
from protocols.records.catalogue import decode_fact, encode_fact
from protocols.records.closing import Left, SessionClose
from protocols.records.correction import EntryRetract
from protocols.records.decision import DoseDecide
from protocols.records.dose import DoseRecord
from protocols.records.kinds import KindNo
from protocols.records.patient import PatientIdentify
from protocols.records.session import Cell, SessionOpen, Target
from protocols.records.shape import Circumstances, Draft, NewFact, Plan, Statement, SubjectKind
from protocols.records.tally import TallyAdd
from protocols.records.vaccination import LAST_DAY, Lot
from protocols.records.vial import VialDiscard, VialOpen
from tests.property.test_vaccination_apart import BASE, CELLS, TARGETS, deliver, told
from tests.unit.stage import WALL_MS, Device, copied, line

HUGE = 2**31 - 1
TEXTS = ("mr", "bopv", "\u202ex\x1b[2J", "mr'); DROP TABLE dose;--", "0", "measles")
DAY = WALL_MS // 86_400_000
DAYS = (None, 0, DAY - 60, DAY - 1, DAY, LAST_DAY)
NUMBERS = (0, 1, 2, 9, HUGE)
AGES = (Age(HUGE, HUGE, 0, 1), Age(HUGE, 0, 1), Age(9, HUGE, 3), Age(3, 0, HUGE), Age(0, 9, 2))


class Forger:
    """One member who signs what no software of ours would write."""

    def __init__(self, device: Device, chance: Random) -> None:
        self.device, self.chance = device, chance
        made = " UNION ".join(
            f"SELECT entry, idx FROM {table}" for table in ("dose", "vial", "tally", "session")
        )
        rows = device.store.all(
            f"SELECT e.hash, f.idx FROM entry e JOIN ({made}) f ON e.arrival = f.entry"
            " ORDER BY e.hash, f.idx"
        )
        self.known = [(bytes(digest[:16]), index) for digest, index in rows]
        self.sessions = self._ids("session")
        self.children = self._ids("patient")

    def _ids(self, table: str) -> list[bytes]:
        found = self.device.store.all(f"SELECT id FROM {table} ORDER BY id")
        return [bytes(one) for (one,) in found]

    def ref(self) -> tuple[bytes, int]:
        strange = (self.chance.randbytes(16), self.chance.randrange(9))
        return self.chance.choice([*self.known, (bytes(16), 0), (bytes(16), 5), strange])

    def refs(self) -> tuple[tuple[bytes, int], ...]:
        return tuple(self.ref() for _ in range(self.chance.randrange(4)))

    def said(self) -> Circumstances | None:
        at_s = self.chance.choice((None, -(2**36), 0, WALL_MS // 1000, 2**36))
        precision = self.chance.choice(("", "month", "year", "about", "fortnight"))
        source = self.chance.choice((0, 3, HUGE))
        return self.chance.choice((None, Circumstances(at_s, precision, source=source)))

    def value(self) -> Statement:
        pick, number = self.chance.choice, lambda: self.chance.choice(NUMBERS)
        text, ref, refs = lambda: pick(TEXTS), self.ref, self.refs
        site = pick((None, b"s" * 16))
        offsets = pick(((), ((0, 60), (-5, -60), (0, 0)), ((2**36, 1440),), ((5, 1), (5, -1))))
        cells = tuple(Cell(number(), text(), number(), number(), number()) for _ in range(3))
        made: tuple[Callable[[], Statement], ...] = (
            lambda: SessionOpen(self.said(), refs(), site, text(), (text(),) * 3, text(), offsets,
                        (text(), text()), (Target(text(), number(), number()),),
                        (Lot(text(), text(), text(), pick(DAYS)),), site, cells, text(), (text(),),
                        pick(DAYS)),
            lambda: SessionClose(self.said(), refs(), (Left(text(), text(), number()),), text()),
            lambda: VialOpen(self.said(), refs(), text(), text(), text(), pick(DAYS),
                     pick((1, 10, 100)), text(), text(), number(), site, number(),
                     number(), text()),
            lambda: VialDiscard(self.said(), refs(), ref(), number(), number(), number()),
            lambda: TallyAdd(self.said(), refs(), number(), pick((-10_000, -1, 1, 10_000)),
                     pick((None, ref()))),
            lambda: DoseRecord(self.said(), refs(), text(), text(), pick((None, *NUMBERS)),
                       pick(DAYS), pick((None, *self.sessions)), pick((None, ref())), text(),
                       pick(DAYS),
                       refs(), pick((None, *NUMBERS)), pick((None, *NUMBERS)), text(), number(),
                       text(), number(), text()),
            lambda: DoseDecide(self.said(), refs(), number(), (ref(), ref(), *refs())),
            lambda: AefiReport(self.said(), refs(), number(), (number(), number()), text(),
                       pick((None, -(2**36), 2**36)), refs(), number()),
            lambda: PatientIdentify(self.said(), refs(), {AGE: pick(AGES)}),
            lambda: PatientIdentify(self.said(), refs(), {BIRTH_DATE: pick((0, -HUGE, HUGE, -26))}),
            lambda: PatientIdentify(self.said(), refs(), {SEX: number()}),
            lambda: EntryRetract(self.said(), refs(), pick((None, ref()))),
        )  # fmt: skip
        while True:
            # What does not even read as its kind is no value; it is made by damage below.
            with suppress(ValueError):
                return pick(made)()

    def write(self) -> None:
        """Sign one fact; its bytes may be damaged before they are signed."""
        value = self.value()
        number = next(
            no for no in KindNo if (known := _KINDS.get(no)) is not None and type(value) is known
        )
        raw = encode_fact(number, value)
        if self.chance.random() < 0.3:
            raw = self._damaged(raw)
        home, kind = self.chance.choice(
            [(self.sessions, SubjectKind.SESSION), (self.children, SubjectKind.PATIENT)]
        )
        subject = DocId(self.chance.choice(home))
        draft = Draft(self.chance.choice((Lane.ROUTINE, Lane.URGENT)), kind, subject, None,
                      (NewFact(number, value),))  # fmt: skip
        ledger, wall = self.device.ledger, WALL_MS + self.chance.choice((-(10**12), 0, 10**11))

        def signed(no: int, each: Statement, document: DocId | None = None) -> bytes:
            return raw if each is value else encode_fact(no, each, document)

        with patch.object(writing, "encode_fact", signed), ledger.atomic():
            written, _ = ledger.writer.record(Plan((draft,)), wall, [self.chance.randbytes(8)])
        self.known.append((bytes(written[0].entry.hash.prefix), written[0].ref.index))

    def _damaged(self, raw: bytes) -> bytes:
        made = bytearray(raw)
        for _ in range(self.chance.randrange(1, 4)):
            at = self.chance.randrange(len(made))
            made[at] = self.chance.randrange(256)
        return bytes(made[: self.chance.randrange(1, len(made) + 1)])


_KINDS: dict[int, type] = {
    KindNo.SESSION_OPEN: SessionOpen, KindNo.SESSION_CLOSE: SessionClose,
    KindNo.VIAL_OPEN: VialOpen, KindNo.VIAL_DISCARD: VialDiscard, KindNo.TALLY_ADD: TallyAdd,
    KindNo.DOSE_RECORD: DoseRecord, KindNo.DOSE_DECIDE: DoseDecide,
    KindNo.AEFI_REPORT: AefiReport, KindNo.PATIENT_IDENTIFY: PatientIdentify,
    KindNo.ENTRY_RETRACT: EntryRetract,
}  # fmt: skip


def camped(seed: int, number: int) -> list[Device]:
    """Devices of one camp that know of each other."""
    devices = [Device(each.name, copied(each.store), seed) for each in BASE[:number]]
    all_meet(devices, Random(seed))
    return devices


def all_meet(devices: list[Device], chance: Random) -> None:
    """Bring everything to everybody, by way of the first."""
    for other in devices[1:]:
        deliver(other, devices[0], chance)
    for other in devices[1:]:
        deliver(devices[0], other, chance)


def honest(device: Device) -> None:
    """A session with a vial, three children and five doses of a crowd."""

    def write(kind: str, data: Any, **more: Any) -> Any:
        record = device.node._recorder.record
        ((answer,), _, _) = record([line(kind, data, **more)], WALL_MS, device.chance.randbytes)
        assert answer.ok, answer
        return answer

    data = {"vaccines": ["mr"], "cells": CELLS, "targets": TARGETS, "zone": "+02:00"}
    session = write("session.open", data).id
    vial = write("vial.open", {"session": session, "item": "vaccine-mr-10", "lot": "MR-1"}).id
    for month in (1, 2, 3):
        born = {"birth_date": f"2025-0{month}-10", "sex": "female"}
        child = write("patient.register", born).patient
        write("dose.record", {"vaccine": "mr", "vial": vial}, patient=child)
    write("tally.add", {"session": session, "cell": 1, "n": 5, "vial": vial})


def answers(device: Device) -> tuple[Any, ...]:
    """Everything that screens and pages ask, and everything they list."""
    node = SimpleNamespace(ledger=device.ledger)
    now: Any = SimpleNamespace(wall_ms=WALL_MS + 86_400_000)
    ids = device.store.all("SELECT id FROM session WHERE replaced < 2 ORDER BY id")
    sessions = [str(SessionId(bytes(one))) for (one,) in ids]
    children = device.store.all("SELECT id FROM patient ORDER BY id")
    asked: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (vaccinating.sessions, {"closed": True}),
        (vaccinated.covered, {}),
        (vaccinated.doubled, {}),
    ]
    for session in sessions:
        asked += [(vaccinating.drive, {"session": session}),
                  (vaccinating.vials_of, {"session": session}),
                  (vaccinated.covered, {"session": session})]  # fmt: skip
    found = [msgspec.to_builtins(ask(node, now, args)) for ask, args in asked]
    for (child,) in children:
        for session in ("", *sessions):
            told_of = vaccinating.child(
                node, now, {"patient": str(PatientId(bytes(child))), "session": session},  # type: ignore[arg-type]
                opened=lambda _: True,
            )  # fmt: skip
            found.append(msgspec.to_builtins(told_of))
    return (*told(device), _alike(found))


def _alike(told: Any) -> Any:
    """Return what is told without what is of the asking device alone.

    Children of one millisecond stand in the order in which they came here.
    """
    if isinstance(told, dict):
        kept = {name: _alike(each) for name, each in told.items()
                if name not in ("mine", "seconds_a_child")}  # fmt: skip
        return kept | ({"last": sorted(kept["last"], key=repr)} if "last" in kept else {})
    return [_alike(each) for each in told] if isinstance(told, list | tuple) else told


@settings(max_examples=max(settings.default.max_examples // 10, 8), deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_is_signed_no_book_stops_and_all_come_to_the_same(seed: int) -> None:
    chance = Random(seed)
    ann, mallory, cleo, dan = devices = camped(seed, 4)
    honest(ann)
    deliver(ann, mallory, chance)
    forger = Forger(mallory, chance)
    for _ in range(14):
        forger.write()
    deliver(mallory, cleo, chance)
    for _ in range(3):
        deliver(mallory, dan, chance, part=True)
        deliver(ann, dan, chance, part=True)
    all_meet(devices, chance)

    one, *others = [answers(device) for device in (mallory, cleo, dan, ann)]
    for other in others:
        for at, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            assert mine == theirs, (seed, at)

    # And people go on: a child is registered, a dose given, and everybody counts one more.
    whole = sum(each.doses for each in coverage.counts(cleo.ledger))
    honest(cleo)
    assert sum(each.doses for each in coverage.counts(cleo.ledger)) == whole + 8


def test_a_ring_of_corrections_leaves_every_dose_to_be_read() -> None:
    """Each says to replace the next; nothing hangs, and the same is left on every node."""
    chance = Random(7)
    ann, ben = camped(7, 2)
    honest(ann)
    deliver(ann, ben, chance)
    forger = Forger(ben, chance)
    child = DocId(forger.children[0])
    names: list[tuple[bytes, int]] = [(bytes(16), 0)]
    for _ in range(3):
        value = DoseRecord(None, (names[-1],), "mr", "measles", 1, DAY, seen=(names[-1],))
        value = replace(value, supersedes=tuple(names))
        draft = Draft(Lane.ROUTINE, SubjectKind.PATIENT, child, None,
                      (NewFact(KindNo.DOSE_RECORD, value),))  # fmt: skip
        with ben.ledger.atomic():
            (made,), _ = ben.ledger.writer.record(Plan((draft,)), WALL_MS, [chance.randbytes(8)])
        names.append((bytes(made.entry.hash.prefix), made.ref.index))
    deliver(ben, ann, chance)

    assert told(ann) == told(ben)
    known = immunization.child(ann.ledger, PatientId(child), DAY + 1)
    assert len(known.doses) == 4
    assert all(0 <= each.row.replaced <= 2 for each in known.doses)


@given(st.binary(max_size=60), st.sampled_from(sorted(_KINDS)))
def test_no_bytes_stop_the_reading_of_a_value(raw: bytes, kind: int) -> None:
    found = decode_fact(kind, raw)

    assert found is None or type(found) is _KINDS[kind]
