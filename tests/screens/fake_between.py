"""What a node in memory says of offers, differing values, records alike and papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.live.alike import Alike, AlikeLine
from protocols.live.api import Attribute, BoardLine
from protocols.live.dispute import Dispute, Disputes, DisputeSide
from protocols.live.handing import Handing, OfferLine, Offers, PartyLine
from protocols.live.paper import PaperRead
from protocols.live.proof import PaperDose, PaperDoses
from protocols.records.contested import RANK, risk_of
from protocols.records.keeping import FAMILIES
from protocols.records.proof import Proof, ProofDose
from protocols.records.summary import Summary

PAPER = "FM" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 8
"""What a scanner types of a paper."""
PROOF = PAPER + "0"
"""What it types of a proof of vaccination, where both are at hand."""
STRANGER = PROOF + "0"
"""The same proof where nobody here is the one it names."""


class BetweenFake:
    """Calls of `fieldnode/between.py`, answered from what a test puts here."""

    patients: dict[str, Any]
    now_ms: int
    foreign: dict[str, tuple[str, ...]]
    opened: dict[str, str]

    def begin_between(self) -> None:
        self.disputed: dict[str, list[Dispute]] = {}
        """Beside the attributes that several values stand of."""
        self.offered: list[OfferLine] = []
        self.parties: tuple[PartyLine, ...] = ()
        self.suggested: dict[str, str] = {}
        self.doubles: list[AlikeLine] = []
        self.paper: PaperRead | None = None
        self.proof: PaperRead | None = None
        self.paper_new: PaperDoses | None = None
        """What a scanned proof of vaccination would add to whomever it is asked for."""

    def _up(self) -> None:
        raise NotImplementedError

    async def unsettled(self, limit: int) -> Disputes:
        self._up()
        found = [one for patient in self.patients for one in self._disputes(patient)]
        found.sort(key=lambda one: RANK.get(one.risk, 99))
        brief = [msgspec.structs.replace(one, sides=()) for one in found]
        return Disputes(len(found), tuple(brief[:limit]))

    async def disputes(self, patient: str) -> Disputes:
        self._up()
        if patient in self.foreign and patient not in self.opened:
            raise InputError("other_team", field="patient", teams=self.foreign[patient])
        found = self._disputes(patient)
        return Disputes(len(found), tuple(found))

    async def offers(self, limit: int) -> Offers:
        self._up()
        to_us = sum(one.to_us for one in self.offered)
        return Offers(len(self.offered), to_us, tuple(self.offered[:limit]))

    async def handing(self, patient: str) -> Handing:
        self._up()
        mine = tuple(one for one in self.offered if one.head.patient == patient)
        return Handing(self.patients[patient].head, self.parties, self.suggested, mine)

    async def alike(self, names: Sequence[str], sex: int = 9, **known: str) -> Alike:
        self._up()
        wanted = [name.casefold() for name in names if name]
        found = [
            AlikeLine(one.head, 60, ("name", "time"))
            for one in self.patients.values()
            if any(name in one.head.name.casefold() for name in wanted)
        ]
        return Alike(tuple(found[:20]))

    async def lookalikes(self, limit: int) -> Alike:
        self._up()
        return Alike(tuple(self.doubles[:limit]), len(self.patients), len(self.patients))

    async def paper_read(self, text: str) -> PaperRead:
        self._up()
        found = {PAPER: self.paper, PROOF: self.proof, STRANGER: self.proof}.get(text)
        if found is None:
            raise InputError("paper_cut", field="paper")
        return msgspec.structs.replace(found, patient="") if text == STRANGER else found

    async def paper_doses(self, text: str, patient: str) -> PaperDoses:
        self._up()
        if patient in self.foreign and patient not in self.opened:
            raise InputError("other_team", field="patient", teams=self.foreign[patient])
        if self.paper_new is None or text not in (PAPER, PROOF, STRANGER):
            raise InputError("paper_not_taken", field="paper")
        return msgspec.structs.replace(
            self.paper_new, patient=patient, name=self.patients[patient].head.name
        )

    def answered(self, line: dict[str, Any]) -> None:
        """Forget what a record has settled or answered."""
        kind, data = line["kind"], line["data"]
        patient = line.get("patient") or ""
        if kind == "conflict.settle":
            kept = [one for one in self.disputed.get(patient, []) if one.what != data["attribute"]]
            self.disputed[patient] = kept
        if kind == "administration.record":
            self.disputed[patient] = []
        if kind in ("transfer.accept", "transfer.decline"):
            answered = data.get("offer") or data.get("answers")
            self.offered = [one for one in self.offered if one.offer != answered]
        if kind in ("patient.link", "patient.unlink"):
            pair = {patient, data["other"]}
            self.doubles = [
                one
                for one in self.doubles
                if {one.head.patient, one.other.patient if one.other else ""} != pair
            ]

    def _disputes(self, patient: str) -> list[Dispute]:
        known = self.patients[patient]
        several = [one for one in known.attributes if len(one.values) > 1]
        of_attributes = [_of_attribute(known.head, one) for one in several]
        return [*self.disputed.get(patient, []), *of_attributes]


def _of_attribute(head: BoardLine, one: Attribute) -> Dispute:
    sides = tuple(
        DisputeSide(
            value.fact,
            (value.text,),
            at == len(one.values) - 1,
            value.author,
            ("nurse",),
            value.device or "nord-a",
            value.at_ms,
            value.recorded_ms,
            (),
        )
        for at, value in enumerate(one.values)
    )
    latest = max(value.at_ms for value in one.values)
    return Dispute(head, risk_of(one.name), one.name, "", latest, "", sides)


def differ(head: BoardLine, what: str, of_what: str, now_ms: int, *values: str) -> Dispute:
    """Return a family of records that two people differ about, the first value used."""
    minute = 60_000
    sides = tuple(
        DisputeSide(
            f"fct_{what}.{at}",
            tuple(value.split("|")),
            at == 0 or what == "dose",
            ("Amina Okoro", "Jun Cho")[at % 2],
            (("nurse",), ("MD", "surgeon"))[at % 2],
            ("nord-a", "nord-b")[at % 2],
            now_ms - (90 - 20 * at) * minute,
            now_ms - (80 - 20 * at) * minute,
            (0,) if at == 2 else (),
        )
        for at, value in enumerate(values)
    )
    assert what in FAMILIES or what == "triage"
    return Dispute(head, what, what, of_what, now_ms - 70 * minute, "", sides)


def an_offer(head: BoardLine, now_ms: int, **more: Any) -> OfferLine:
    """Return an offer to us with MIST."""
    said = (
        ("mechanism", "fell from a roof, 11:40"),
        ("injuries", "left femur closed; graze of the head"),
        ("signs", "pale, cool hands, alert"),
        ("treatment", "splint 12:05; ketamine; two litres of fluid"),
        ("transport", "own car, 40 min"),
    )
    whole = {
        "to": "nord-b",
        "sender": "Red Cross",
        "to_us": True,
        "from_here": False,
        "at_ms": now_ms - 12 * 60_000,
        "author": "Jun Cho",
        "device": "nord-a",
        "said": said,
        **more,
    }
    return OfferLine(f"fct_off{head.patient}.1", head, **whole)


PARTIES = (
    PartyLine("organisation", "Red Cross", "Red Cross"),
    PartyLine("organisation", "Ministry of Health", "Ministry of Health"),
    PartyLine("site", "sit_1", "Camp hospital"),
    PartyLine("device", "dev_1", "nord-a", "Red Cross"),
)


def a_paper(now_ms: int, worth: str = "holds", patient: str = "", **said: Any) -> PaperRead:
    """Return what a paper says of somebody."""
    whole = {
        "code": "ACD EFH 377",
        "name": "Diallo Awa",
        "tag": "TG-000377",
        "sex": 2,
        "age": "34 y",
        "triage": 2,
        "allergy": 2,
        "allergies": ("penicillins", "mango"),
        "problems": ("femur fracture",),
        "medicines": ("amoxicillin 500 mg oral",),
        "findings": (),
        "written_by": "nord-a",
        **said,
    }
    shown = worth not in ("forged", "unknown")
    summary = Summary(**whole) if shown else None
    at_ms = now_ms - 3 * 3_600_000
    org = "Red Cross" if shown else ""
    return PaperRead(worth, at_ms, "nord-a" if shown else "", org, "ab" * 16, 1, summary, patient)


NAMES = {"penta": {"en": "DTP-HepB-Hib", "fr": "DTC-HepB-Hib"}, "mr": {"en": "Measles-rubella"}}
DOSES = (
    ProofDose("penta", "198", 1, 20_270, "PE-1", place="Tala clinic", told=True),
    ProofDose("mr", "04", 1, 20_575, "MR-0172B", "Amina Okoro", "Red Cross", counts=1),
)


def a_proof(now_ms: int, worth: str = "holds", patient: str = "") -> PaperRead:
    """Return what a proof of vaccination says of a child."""
    shown = worth not in ("forged", "unknown")
    said = Proof(
        code="ACD EFH 377",
        name="Diallo Awa",
        tag="TG-000377",
        sex=2,
        born="2025-05-10",
        schedule="schedule-routine 1",
        written_by="Amina Okoro",
        doses=DOSES,
        left_out=1,
    )
    org, device = ("Red Cross", "nord-a") if shown else ("", "")
    at_ms, code = now_ms - 3 * 3_600_000, "ab" * 16
    proof = said if shown else None
    return PaperRead(worth, at_ms, device, org, code, 2, None, patient, proof, NAMES)


def new_doses(*states: str) -> PaperDoses:
    """Return what a proof would add: of each dose, its state."""
    doses = tuple(PaperDose(dose, state) for dose, state in zip(DOSES, states, strict=True))
    lines = tuple(
        {
            "v": 1,
            "kind": "dose.record",
            "key": f"paper-{at}",
            "patient": "pat_00004",
            "at": "2025-07-01",
            "source": "paper",
            "data": {"vaccine": one.dose.vaccine, "lot": one.dose.lot},
        }
        for at, one in enumerate(doses)
        if one.state == "new"
    )
    return PaperDoses("", "", "2025-05-10", ("sex",), doses, NAMES, lines, 1)
