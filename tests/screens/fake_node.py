"""A node in memory, for screens: the calls of `protocols/live/api.py`, no book behind them.

`FakeNode` answers in process; `serve` puts it on a real Unix socket. Run as a program it serves a
small ward until it is ended: `python -m tests.screens.fake_node SOCKET`.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import sys
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from protocols.errors import FieldmeshError, InputError
from protocols.live.api import (
    Asserted,
    Attribute,
    BoardLine,
    BoardPage,
    Chart,
    ChartLine,
    Draft,
    Greeting,
    Me,
    PeerLine,
    Permission,
    PersonLine,
    Recorded,
    Reply,
    SharedTag,
    SyncState,
    Unassigned,
    Unconfirmed,
    UnconfirmedLine,
)
from protocols.live.bed import BedLine, BedsPage
from protocols.live.lines import LINE_BYTES_MAX, decode_request, encode, failure
from protocols.live.observed import FluidLine, Observed, Point, Series, Sums
from protocols.live.relation import RelationLine, Relations
from protocols.live.tally import Tally
from protocols.records.planning import read_time
from protocols.records.summary import Summary
from tests.screens.fake_between import BetweenFake
from tests.screens.fake_care import CareCalls
from tests.screens.fake_consigned import ConsignedFake
from tests.screens.fake_crossing import CrossingCalls
from tests.screens.fake_guidance import GuidanceCalls
from tests.screens.fake_stock import StockCalls
from tests.screens.fake_trust import LONG, LONG_SPOKEN, PRINT, SPOKEN, TrustCalls
from tests.screens.fake_vaccines import VaccineFake

NOW_MS = 1_779_287_520_000
"""2026-05-20 14:32 UTC."""

TRIAGE = {"dead": 0, "red": 1, "yellow": 2, "green": 3, "expectant": 4}
SEX = {"male": 1, "female": 2, "female-pregnant": 3, "unknown": 9}
URGENCY = {1: 0, 2: 1, 3: 2, None: 3, 4: 4, 0: 5}
SORTS: dict[str, Any] = {
    "wait": lambda head: head.waiting_since_ms or 0,
    "score": lambda head: -1 if head.score is None else -head.score - 1,
    "due": lambda head: head.due_ms or 2**60,
}
PASSPHRASE = "correct horse"
PINS = {1: "4817", 3: "907314"}
"""PINs of the staff, by number."""


@dataclass
class Patient:
    head: BoardLine
    lines: list[ChartLine] = field(default_factory=list)
    attributes: tuple[Attribute, ...] = ()
    tags: tuple[str, ...] = ()
    """Older ones that are still worn."""


class FakeNode(
    BetweenFake,
    CareCalls,
    CrossingCalls,
    GuidanceCalls,
    TrustCalls,
    VaccineFake,
    ConsignedFake,
    StockCalls,
):
    """Holds a ward in memory."""

    def __init__(self, now_ms: int = NOW_MS, **greeting: Any) -> None:
        self.now_ms = now_ms
        self.greeting = Greeting(
            device="dev_0FAKE", name="nord-b", site="Tent B", tag_prefix="TG-", **greeting
        )
        self.patients: dict[str, Patient] = {}
        self.begin_guidance()
        self.drafts: dict[tuple[str, str], Draft] = {}
        self.written: list[dict[str, Any]] = []
        """Every line of `record` that was taken, in order."""
        self.related: dict[str, list[RelationLine]] = {}
        """What is said of each patient and others."""
        self.answers: dict[str, Recorded] = {}
        self.chosen: dict[str, str] = {}
        self.refuse: dict[str, Recorded] = {}
        """Answers to give instead, by kind."""
        self.down: FieldmeshError | None = None
        """Raised by every call while the node is away."""
        self.peers: tuple[PeerLine, ...] = ()
        self.unlocked = True
        self.panicked = False
        self.sealed = False
        """The device itself: it shows nobody."""
        self.staff: list[PersonLine] = []
        self.stopped: dict[str, Any] = {}
        """What whoever signs in may not write, by kind; why a lot is stopped, by vial or lot."""
        self.overridden: set[str] = set()
        self.trail: list[tuple[tuple[str, ...], str, str]] = []
        self.foreign: dict[str, tuple[str, ...]] = {}
        """Patients of other organisations, with their names."""
        self.opened: dict[str, str] = {}
        """Those of them that were opened, with the reason; until the terminal is locked."""
        self.waiting: list[ChartLine] = []
        """Values of results without a patient."""
        self.unsigned: list[UnconfirmedLine] = []
        """Triage that nobody identified wrote."""
        self.begin_between()
        self.begin_stock(now_ms)
        self.begin_consigned()
        self.clock, self.ahead_ms, self.apart_ms = "ok", 0, 0
        self.signed = False
        """Whether clinical leads stand by the packs in use."""
        self.measured: dict[str, Observed] = {}
        self.printed: list[tuple[str, str]] = []
        """What the audit trail says was printed, and of whom."""
        self.empty_beds: tuple[tuple[str, str], ...] = ()
        self.restored_ms: int | None = None
        self.newest_ms: int | None = None

    async def hello(self) -> Greeting:
        self._up()
        return self.greeting

    async def call(self, name: str, **args: Any) -> Any:
        """What a terminal prints from: the trail is `printed`."""
        self._up()
        if name == "print_ward":
            page = await self.board(args["offset"], 200)
            self.printed.append((name, ""))
            return msgspec.to_builtins({"node": "nord-b", "at_ms": self.now_ms, "page": page})
        chart = await self.chart(args["patient"], 0, 500)
        self.printed.append((args.get("sheet", name), args["patient"]))
        if name == "print_chart":
            return msgspec.to_builtins({"node": "nord-b", "at_ms": self.now_ms, "chart": chart})
        said = Summary(code=chart.head.code, name=chart.head.name)
        return msgspec.to_builtins({"text": "FM1PAPER0123456789", "said": said})

    async def beds(self) -> BedsPage:
        self._up()
        lie: dict[tuple[str, str], list[BoardLine]] = {(w, b): [] for w, b in self.empty_beds}
        for line in map(self._line, self.patients.values()):
            lie.setdefault((line.ward, line.bed), []).append(line)
        places = sorted(lie, key=lambda at: (not at[0], at[0], not at[1], at[1]))
        lines = tuple(BedLine(*place, tuple(lie[place])) for place in places)
        real = [line for line in lines if line.bed]
        taken = sum(bool(line.patients) for line in real)
        return BedsPage(lines, len(real) - taken, taken)

    async def observed(self, patient: str) -> Observed:
        self._up()
        if patient not in self.patients:
            raise InputError("not_found", field="patient")
        if patient in self.foreign and patient not in self.opened:
            raise InputError("other_team", field="patient", teams=self.foreign[patient])
        head = self._line(self.patients[patient])
        told = self.measured.get(patient, Observed(head))
        return msgspec.structs.replace(told, head=head)

    async def board(
        self, offset: int, limit: int, text: str = "", sort: str = "", ward: str = ""
    ) -> BoardPage:
        self._up()
        if self.sealed:
            return BoardPage(0, offset, (), sealed=True)
        known = [self._line(patient) for patient in self.patients.values()]
        lines = sorted(
            (line for line in known if line.in_care),
            key=lambda head: (URGENCY[head.triage], head.waiting_since_ms or 0),
        )
        lines.sort(key=SORTS.get(sort, lambda head: 0))
        others = [line for line in known if not line.in_care] if text and not ward else []
        found = [
            line
            for line in (*lines, *others)
            if text.casefold() in f"{line.name} {line.code} {line.tag}".casefold()
            and ward in ("", line.ward)
        ]
        counts: dict[str, int] = {}
        for line in lines:
            key = "none" if line.triage is None else str(line.triage)
            counts[key] = counts.get(key, 0) + 1
        page = tuple(found[offset : offset + limit])
        shared, waits = self._shared(), self._waits()
        wards = tuple(sorted({line.ward for line in lines if line.ward}))
        return BoardPage(
            len(found), offset, page, counts, shared, waits, restored_ms=self.restored_ms,
            wards=wards, signed=self.signed,
        )  # fmt: skip

    async def search(self, text: str, limit: int) -> BoardPage:
        self._up()
        wanted = text.casefold()
        found = [
            patient.head
            for patient in self.patients.values()
            if wanted in f"{patient.head.name} {patient.head.code} {patient.head.tag}".casefold()
        ]
        return BoardPage(len(found), 0, tuple(found[:limit]))

    async def tagged(self, tag: str) -> BoardPage:
        self._up()
        found = tuple(
            self._line(patient)
            for patient in self.patients.values()
            if tag.casefold() in map(str.casefold, self._tags(patient))
        )
        return BoardPage(len(found), 0, found)

    async def relations(self, patient: str) -> Relations:
        self._up()
        return Relations(tuple(self.related.get(patient, [])))

    async def tally(self) -> Tally:
        self._up()
        heads = [patient.head for patient in self.patients.values()]
        counts = Counter(str(head.triage) for head in heads if head.triage is not None)
        recent = sum(line["kind"] == "triage.record" for line in self.written)
        return Tally(self.now_ms - 27 * 60_000, dict(counts), recent)

    async def chart(self, patient: str, offset: int, limit: int) -> Chart:
        self._up()
        known = self.patients.get(patient)
        if known is None:
            raise InputError("not_found", field="patient")
        if patient in self.foreign and patient not in self.opened:
            raise InputError("other_team", field="patient", teams=self.foreign[patient])
        lines = known.lines[::-1]
        page = tuple(lines[offset : offset + limit])
        shared = tuple(
            one for one in self._shared() if patient in (carrier for carrier, _ in one.carriers)
        )
        head = self._line(known)
        return Chart(head, "enc_1", known.attributes, page, len(lines), shared)

    async def break_glass(self, patient: str, reason: str) -> None:
        self._up()
        self.opened[patient] = reason

    async def unassigned(self, limit: int) -> Unassigned:
        self._up()
        return Unassigned(self._waits(), tuple(self.waiting[:limit]))

    async def unconfirmed(self, limit: int) -> Unconfirmed:
        self._up()
        shown = self.unsigned[:limit] if self.unlocked else []
        return Unconfirmed(len(self.unsigned), tuple(shown))

    async def record(
        self, lines: Sequence[dict[str, Any]], *, together: bool = False, person: str | None = None
    ) -> list[Recorded]:
        self._up()
        if person not in (None, self.greeting.person_id):
            raise InputError("session_ended")
        refusals = [self.refuse.get(line["kind"]) or self.lot_refused(line) for line in lines]
        if together and any(refusals):
            first = next(at for at, one in enumerate(refusals) if one is not None)
            other = Recorded(0, False, error="not_together")
            return [refusals[at] or other if at == first else other for at in range(len(lines))]
        answers: list[Recorded] = []
        for number, line in enumerate(lines):
            named = line.get("patient")
            if isinstance(named, dict) and "line" in named:
                line = {**line, "patient": answers[named["line"] - 1].patient}
            answers.append(self._record(number, line))
        return answers

    async def sync(self) -> SyncState:
        self._up()
        return SyncState(
            device="dev_0FAKE",
            name="nord-b",
            own_entries=len(self.written),
            on_peers=sum(peer.they_need == 0 for peer in self.peers),
            at_hq_until_ms=self.now_ms - 30 * 60_000 if self.peers else None,
            unsent=0 if self.peers else len(self.written),
            oldest_unsent_ms=None if self.peers or not self.written else self.now_ms - 7 * 60_000,
            peers=self.peers,
            clock=self.clock,
            ahead_ms=self.ahead_ms,
            newest_ms=None if self.clock == "ok" else self.newest_ms,
            apart_ms=self.apart_ms,
        )

    async def clock_set(self, wall_ms: int) -> None:
        self._up()
        self.clock, self.ahead_ms = "stated", wall_ms - self.now_ms

    async def settings(self, **chosen: str) -> None:
        self._up()
        self.chosen |= chosen

    async def draft_put(self, draft: Draft) -> None:
        self._up()
        self.drafts[draft.form, draft.subject] = draft

    async def draft_list(self) -> list[Draft]:
        self._up()
        return sorted(self.drafts.values(), key=lambda draft: -draft.at_ms)

    async def draft_drop(self, form: str, subject: str) -> None:
        self._up()
        self.drafts.pop((form, subject), None)

    async def panic(self) -> None:
        self._up()
        self.panicked = True

    async def lock(self) -> None:
        self._up()
        self.unlocked = False
        self.greeting = msgspec.structs.replace(self.greeting, person="", person_id="")
        self.opened.clear()

    async def unlock(self, passphrase: str) -> bool:
        self._up()
        self.unlocked = passphrase == PASSPHRASE
        return self.unlocked

    async def people(self) -> list[PersonLine]:
        self._up()
        return self.staff

    async def login(self, person: str, *, pin: str = "", passphrase: str = "") -> Me:
        self._up()
        found = next(one for one in self.staff if one.id == person)
        if (pin and pin != PINS.get(found.number)) or (passphrase and passphrase != PASSPHRASE):
            raise InputError("wrong_pin" if pin else "wrong_person_passphrase")
        self.unlocked, self.overridden = True, set()
        self.greeting = msgspec.structs.replace(
            self.greeting, person=found.name, person_id=found.id, gated=bool(self.stopped)
        )
        return await self.whoami()

    async def whoami(self) -> Me:
        self._up()
        here = self.greeting.person_id
        found = next((one for one in self.staff if one.id == here), None)
        if found is None:
            return Me("", "", "dev_0FAKE0000000000000000", "nord-b", "Red Cross", roles=("care",))
        return Me(
            found.id, found.name, "dev_0FAKE0000000000000000", "nord-b", "Red Cross",
            found.profession, "Nursing Council of Kenya", "KE-12345", "adult wards, no surgery",
            1_900_000_000_000, "Ministry of Health", 0, ("nurse",), tuple(await self.may([])),
        )  # fmt: skip

    async def may(self, kinds: Sequence[str]) -> list[Permission]:
        self._up()
        every = kinds or ["note.add", "observation.record", "patient.register", "triage.record"]
        free = Permission("")
        return [
            msgspec.structs.replace(free, kind=kind)
            if kind in self.overridden
            else self.stopped.get(kind, msgspec.structs.replace(free, kind=kind))
            for kind in every
        ]

    async def override(self, kinds: Sequence[str], reason: str, patient: str = "") -> None:
        self._up()
        self.overridden |= set(kinds)
        self.trail.append((tuple(kinds), reason, patient))

    async def person_pin(self, person: str, passphrase: str, pin: str) -> None:
        self._up()
        if passphrase != PASSPHRASE:
            raise InputError("wrong_person_passphrase")
        if pin == "1234":
            raise InputError("pin_pattern")
        self.chosen["pin"] = pin

    def add(self, name: str, **head: Any) -> str:
        """Put somebody on the board; return the id."""
        number = len(self.patients) + 1
        patient = f"pat_{number:05d}"
        code = f"ACD EFH {number:03d}"
        line = BoardLine(patient=patient, code=code, name=name, **head)
        self.patients[patient] = Patient(line)
        return patient

    def _tags(self, patient: Patient) -> list[str]:
        return [tag for tag in (*patient.tags, patient.head.tag) if tag]

    def _shared(self) -> tuple[SharedTag, ...]:
        carriers: dict[str, list[tuple[str, str]]] = {}
        for patient in self.patients.values():
            for tag in self._tags(patient):
                carriers.setdefault(tag, []).append((patient.head.patient, patient.head.code))
        return tuple(
            SharedTag(tag, tuple(who)) for tag, who in sorted(carriers.items()) if len(who) > 1
        )

    def _line(self, patient: Patient) -> BoardLine:
        doubted = {who for shared in self._shared() for who, _ in shared.carriers}
        shares = patient.head.patient in doubted
        return msgspec.structs.replace(patient.head, tag_shared=shares)

    def _up(self) -> None:
        if self.down is not None:
            raise self.down

    def _record(self, number: int, line: dict[str, Any]) -> Recorded:
        key = line["key"]
        if key in self.answers:
            return msgspec.structs.replace(self.answers[key], repeated=True)
        refused = self.refuse.get(line["kind"]) or self.lot_refused(line)
        if refused is not None:
            return refused
        self.written.append(line)
        self.answered(line)
        patient = line.get("patient")
        if line["kind"] == "patient.register" or (line["kind"] == "triage.record" and not patient):
            patient = self._found(line["data"])
        fact = f"fct_{len(self.written):04d}.0"
        self._write(patient, line, fact)
        head = self.patients[patient].head if patient in self.patients else None
        code = head.code if head else None
        answer = Recorded(number, True, key, fact, patient, code=code, facts=(fact,))
        self.answers[key] = answer
        return answer

    def _found(self, data: dict[str, Any]) -> str:
        name = " ".join(part for part in (data.get("family_name"), data.get("given_name")) if part)
        age = data.get("age")
        mark = "~" if age and age.get("estimated") else ""
        tags = data.get("tags") or [data.get("tag") or ""]
        return self.add(
            name,
            sex=SEX[data.get("sex", "unknown")],
            age=f"{mark}{age['value']} {age['unit']}" if age else "",
            tag=tags[0],
            waiting_since_ms=self.now_ms,
        )

    def _relate(self, patient: str, data: dict[str, Any], *, linked: bool) -> None:
        other, relation = data["other"], data["relation"]
        for here, there, forward in ((patient, other, True), (other, patient, False)):
            said = RelationLine(
                self.patients[there].head, relation, linked, forward=forward or relation == "same"
            )
            kept = [
                one
                for one in self.related.get(here, [])
                if (one.other.patient, one.relation) != (there, relation)
            ]
            self.related[here] = [*kept, said]

    def _waits(self) -> int:
        return len({one.fact.rpartition(".")[0] for one in self.waiting})

    def _write(self, patient: str | None, line: dict[str, Any], fact: str) -> None:
        kind, data = line["kind"], line["data"]
        if kind == "result.assign":
            entry = data["result"].rpartition(".")[0]
            self.waiting = [one for one in self.waiting if not one.fact.startswith(entry)]
        if kind == "triage.confirm":
            self.unsigned = [one for one in self.unsigned if one.fact != data["triage"]]
        if kind in ("patient.link", "patient.unlink"):
            self._relate(patient or "", data, linked=kind == "patient.link")
        self.take_step(patient or "", line, fact)
        if kind == "entry.retract":
            self.drop_step(data["fact"])
            for known in self.patients.values():
                known.lines = [
                    msgspec.structs.replace(old, replaced=2) if old.fact == data["fact"] else old
                    for old in known.lines
                ]
            return
        if patient is None or patient not in self.patients:
            return
        known = self.patients[patient]
        if kind == "triage.record":
            known.head = msgspec.structs.replace(known.head, triage=TRIAGE[data["category"]])
        if kind in ("encounter.open", "encounter.move"):
            kept = {name: data[name] or "" for name in ("bed", "ward") if name in data}
            known.head = msgspec.structs.replace(known.head, **kept)
        if kind == "patient.identify" and "drop_tags" in data:
            dropped = data["drop_tags"]
            known.tags = tuple(tag for tag in known.tags if tag not in dropped)
            if known.head.tag in dropped:
                known.head = msgspec.structs.replace(known.head, tag="")
        if kind == "conflict.settle":
            left = [one for one in known.attributes if one.name != data["attribute"]]
            known.attributes = tuple(left)
        said = (
            ("precision", line.get("at_precision") or ("day" if len(_at(line)) == 10 else "")),
            ("by", line.get("by", "")),
            ("source", line.get("source", "")),
        )
        pairs = (*_summary(kind, data), *(pair for pair in said if pair[1]))
        at_ms = read_time(line["at"])[0] if "at" in line else self.now_ms
        known.lines.append(ChartLine(fact, at_ms, self.now_ms, kind, pairs, "R. Amin"))


def _at(line: dict[str, Any]) -> str:
    return str(line.get("at", ""))


def _summary(kind: str, data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    if kind == "observation.record":
        return tuple(
            (one["code"], one.get("absent") or f"{one['value']} {one.get('unit', '')}".strip())
            for one in data.get("set", ())
        )
    if kind == "triage.record":
        return (("triage", data["category"]),)
    return tuple((key, str(value)) for key, value in data.items())


def at_once(call: Awaitable[Any]) -> Any:
    """Return what a call answers, on one loop for all of them: its making costs more than most."""
    return _loop().run_until_complete(call)


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return loop


def ward(now_ms: int = NOW_MS) -> FakeNode:
    """Return a node with a few patients, one of them unsettled, and peers."""
    node = FakeNode(now_ms)
    minute = 60_000
    haddad = node.add(
        "Haddad Nour", triage=1, sex=2, age="34 y", tag="TG-000412", bed="B-02",
        waiting_since_ms=now_ms - 4 * minute, problem="chest injury", unsettled=1,
    )  # fmt: skip
    node.add("", triage=1, sex=1, age="7 y", bed="B-05", waiting_since_ms=now_ms - 9 * minute)
    node.add(
        "Osei Kwame", triage=1, sex=1, age="~60 y", waiting_since_ms=now_ms - 11 * minute,
        ward="W1", bed="B-07", isolation=1, problem="crush leg", score=12, score_before=9, trend=1,
        last_set_ms=now_ms - 20 * minute, due_ms=now_ms - 5 * minute, late_ms=now_ms + 10 * minute,
    )  # fmt: skip
    node.add("Li Wei", triage=2, sex=3, age="28 y", waiting_since_ms=now_ms - 125 * minute)
    node.add("Okoro Blessing", triage=2, sex=2, age="22 mo", waiting_since_ms=now_ms - 25 * minute)
    node.add("Nguyễn Thị Ánh", triage=3, sex=2, age="5 d", waiting_since_ms=now_ms - 55 * minute)
    node.add("علی رضا", triage=0, sex=1, age="", waiting_since_ms=now_ms - 1500 * minute)
    node.add("Silva Pedro", sex=1, age="19 y", waiting_since_ms=now_ms - 2 * minute)
    node.measured[haddad] = measured(now_ms)
    known = node.patients[haddad]
    said = (
        Asserted("fct_a.0", "female", "R. Amin", now_ms - 70 * minute, now_ms - 70 * minute),
        Asserted("fct_b.0", "male", "J. Cho", now_ms - 60 * minute, now_ms - 60 * minute),
    )
    known.attributes = (
        Attribute("village", (Asserted("fct_a.0", "Gatumba", "R. Amin", now_ms, now_ms),)),
        Attribute("sex", said),
        Attribute("phone", (Asserted("fct_a.0", "+257 61 23 45 67", "R. Amin", now_ms, now_ms),)),
    )
    vitals = (
        ("respiratory-rate", "26 /min"), ("spo2", "93 %"), ("systolic", "98 mm[Hg]"),
        ("heart-rate", "118 /min"), ("temperature", "38.6 Cel"),
    )  # fmt: skip
    known.lines = [
        ChartLine("fct_a.0", now_ms - 72 * minute, now_ms - 72 * minute, "patient.register",
                  (("family_name", "Haddad"), ("sex", "female")), "R. Amin", saved="hq"),
        ChartLine("fct_c.0", now_ms - 71 * minute, now_ms - 71 * minute, "triage.record",
                  (("triage", "yellow"),), "J. Cho", saved="hq", replaced=1),
        ChartLine("fct_d.0", now_ms - 30 * minute, now_ms - 30 * minute, "triage.record",
                  (("triage", "red"),), "J. Cho", saved="peers"),
        ChartLine("fct_e.0", now_ms - 20 * minute, now_ms - 20 * minute, "note.add",
                  (("note", "reduced air entry left, sats falling"),), "M. Dupont", standing=1),
        ChartLine("fct_f.0", now_ms - 3 * minute, now_ms - 3 * minute, "observation.record",
                  vitals, "R. Amin"),
    ]  # fmt: skip
    node.peers = (
        PeerLine("dev_1", "nord-a", "node", True, now_ms, 0, True, "Red Cross", PRINT, SPOKEN),
        PeerLine("dev_2", "hq-geneva", "hq", False, now_ms - 30 * minute, 12, True,
                 "Ministry of Health", LONG, LONG_SPOKEN),
        PeerLine("dev_3", "tent-jp", "node", False, now_ms - 2000 * minute, 0, trusted=False,
                 fingerprint=PRINT, spoken=SPOKEN),
    )  # fmt: skip
    return node


def staff() -> list[PersonLine]:
    """Return the people of a device: by PIN, by passphrase, waiting, not certified."""
    return [
        PersonLine(1, "per_1AMINA000000", "Amina Okoro", "nurse", pin=True),
        PersonLine(2, "per_2JUNCHO00000", "Jun Cho", "MD"),
        PersonLine(3, "per_3LUIS0000000", "Luis Mbeki", "logistics", pin=True, wait_s=30),
        PersonLine(
            4, "per_4NEWPERSON00", "Zoë Ångström-Fernández y Gutiérrez", "", certified=False
        ),
    ]


def refusing(kind: str, reason: str, **more: Any) -> Permission:
    """Return why a kind may not be written."""
    return Permission(kind, reason, who=("nurse", "Amina Okoro"), **more)


def waiting_results(now_ms: int = NOW_MS) -> list[ChartLine]:
    """Return two results without a patient: one of two values, one claimed by a tag."""
    device = ("device", "Acme Ox-2 1234")
    said = (("source", "device"), device)
    at = now_ms - 40 * 60_000
    return [
        ChartLine("fct_w1.0", at, at, "observation.record", (("spo2", "88 %"), *said), "nord-a"),
        ChartLine(
            "fct_w1.1", at, at, "observation.record", (("heart-rate", "124 /min"), *said), "nord-a"
        ),
        ChartLine(
            "fct_w2.0",
            now_ms - 60_000,
            now_ms,
            "observation.record",
            (("glucose", "2.9 mmol/L"), ("claimed", "TG-000999"), *said),
            "nord-b",
        ),
    ]


def measured(now_ms: int = NOW_MS) -> Observed:
    """Return what was measured of somebody over four hours, and a balance."""
    hour = 3_600_000

    def series(code: str, unit: str, *values: str) -> Series:
        return Series(
            code, tuple(Point(now_ms - at * hour, each, unit) for at, each in enumerate(values))
        )

    fluids = (
        FluidLine(now_ms - hour, "ors", "in", "200"),
        FluidLine(now_ms - 2 * hour, "stool", "out", "300", 2, estimated=True),
        FluidLine(now_ms - 26 * hour, "iv-fluid", "in", "1000", text="left arm"),
    )
    lost = Point(now_ms, absent="unrecordable")
    return Observed(
        BoardLine("pat_x", "x", "x"),
        (
            series("heart-rate", "/min", "118", "110", "98", "90"),
            Series("systolic", (lost, *series("systolic", "mm[Hg]", "98", "112", "120").points)),
            series("consciousness", "", "voice", "alert"),
            Series("spo2", (Point(now_ms - hour, "88", "%", unaccepted=True),)),
            series("malaria-rdt", "", "positive"),
        ),
        {"en": "score high: stay, write every 15 minutes", "fr": "score élevé : rester"},
        ("spo2",),
        fluids,
        Sums(2000, 3000, (("ors", 2000), ("stool", 3000)), (("stool", 2),), estimated=True),
        Sums(
            12_000, 3000, (("iv-fluid", 10_000), ("ors", 2000), ("stool", 3000)), (("stool", 2),),
            estimated=True, unmeasured=1,
        ),
    )  # fmt: skip


def unsigned_triage(many: int = 3, now_ms: int = NOW_MS) -> list[UnconfirmedLine]:
    """Return triage that nobody identified wrote, the oldest first."""
    categories = (1, 2, 3, 4, 0)
    return [
        UnconfirmedLine(
            f"fct_t{at}.0", f"ACD EFH {at:03d}", f"TG-0007{at:02d}" if at % 3 else "",
            categories[at % 5], now_ms - (60 - at) * 60_000, "nord-b",
        )
        for at in range(1, many + 1)
    ]  # fmt: skip


class Served:
    """A fake node on a Unix socket."""

    def __init__(self, node: FakeNode, path: Path) -> None:
        self.node = node
        self.path = path
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._talk, str(self.path), limit=LINE_BYTES_MAX
        )

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        self.path.unlink(missing_ok=True)

    async def change(self, *tables: str) -> None:
        for writer in self._writers:
            writer.write(encode(Reply(0, result=list(tables), event="changed")))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                writer.write(encode(await self._answer(line)))
                await writer.drain()
        self._writers.discard(writer)
        writer.close()

    async def _answer(self, line: bytes) -> Reply:
        request = decode_request(line)
        args = dict(request.args)
        try:
            match request.call:
                case "subscribe":
                    return Reply(request.id, result=[])
                case "board":
                    asked = (args["filter"], args["sort"], args["ward"])
                    result = await self.node.board(args["offset"], args["limit"], *asked)
                case "draft_put":
                    result = await self.node.draft_put(msgspec.convert(args, Draft))
                case _:
                    result = await getattr(self.node, request.call)(**args)
        except FieldmeshError as error:
            return Reply(request.id, error=failure(error))
        return Reply(request.id, result=result)


async def serve(path: Path) -> None:
    import time

    served = Served(ward(time.time_ns() // 1_000_000), path)
    await served.start()
    while True:
        await asyncio.sleep(5)
        served.node.now_ms = time.time_ns() // 1_000_000


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
