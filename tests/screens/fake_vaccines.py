"""Vaccination of the fake node: one session whose state follows what was written into it."""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.live.api import Recorded
from protocols.live.drive import (
    BesideLine,
    BesideSum,
    Box,
    Cell,
    Child,
    Choice,
    Coverage,
    CoverLine,
    DoubledDoses,
    DoubledLine,
    Drive,
    GiveLine,
    GivenLine,
    LastLine,
    MedicineLine,
    RuleLine,
    SeriesLine,
    SeriesSum,
    SessionChoices,
    SessionLine,
    Sessions,
    VaccineLine,
    VialLine,
)

MINUTE_MS = 60_000
WORDS = {
    "mr": {"en": "Measles-rubella", "fr": "Rougeole-rubéole"},
    "bopv": {"en": "Oral polio, bivalent", "fr": "Polio oral, bivalent"},
    "bcg": {"en": "BCG", "fr": "BCG"},
}
ITEMS = {"mr": "vaccine-mr-10", "bopv": "vaccine-bopv-20", "bcg": "vaccine-bcg-20"}
ASK = {"en": "Severe allergic reaction to an earlier dose",
       "fr": "Réaction allergique grave à une dose précédente"}  # fmt: skip
BESIDE = {
    "vitamin-a": ({"en": "Vitamin A", "fr": "Vitamine A"}, {"en": "VitA", "fr": "VitA"},
                  ("vitamin-a-100k-cap", "vitamin-a-200k-cap")),
    "deworming": ({"en": "Deworming", "fr": "Déparasitage"}, {"en": "Deworm", "fr": "Déparas."},
                  ("albendazole-400-tab",)),
    "muac": ({"en": "Upper arm (MUAC)", "fr": "Périmètre brachial"}, {"en": "MUAC", "fr": "PB"},
             ()),
}  # fmt: skip
PACK = "interventions 1"
RULE = RuleLine("min-age", "9 mo", "schedule-routine", "1", "WHO")
SOON = RuleLine("interval", "4 w", "schedule-routine", "1", "WHO")
BARRED = RuleLine("contraindication", "pregnant", "vaccines", "1", "label",
                   {"en": "Pregnant", "fr": "Grossesse"})  # fmt: skip
BOXES = {
    "]d2MR": Box("09506000134352", ("vaccine-mr-10",), "MR-0200", "2028-03-31", "mr"),
    "]d2OLD": Box("09506000134352", ("vaccine-mr-10",), "MR-0001", "2026-01-31", "mr"),
    "]d2STOP": Box("09506000134352", ("vaccine-mr-10",), "MR-0666", "2028-03-30", "mr"),
    "]d2VITA": Box("09506000134376", ("vitamin-a-200k-cap",), "VA-9", "2029-03-31"),
    "]d2TCV": Box("09506000134369", ("vaccine-tcv-5",), "T-1", "2028-03-31", "tcv"),
}


STOPPED = {"2028-03-30": "lot_recalled"}
"""By last day, which no hostile word replaces: lots that are stopped for everybody."""


def _order(vial: VialLine) -> tuple[bool, int]:
    return bool(vial.stop), vial.opened_ms


class VaccineFake:
    """The calls of `fieldnode/vaccinating.py`."""

    patients: dict[str, Any]
    written: list[dict[str, Any]]
    now_ms: int
    boxes: dict[str, Box]
    """Scanned codes beside those that are always known."""

    def _up(self) -> None:
        raise NotImplementedError

    def lot_refused(self, line: dict[str, Any]) -> Recorded | None:
        """Refuse what is drawn from a vial whose lot was stopped, until somebody had it already."""
        stops = STOPPED | self.__dict__.get("stopped", {})
        data = line.get("data", {})
        named = stops.get(data.get("lot")) or stops.get(data.get("expiry"))
        why = named if line["kind"] == "vial.open" else None
        if why is not None and "lot_opened_already" not in line.get("confirm", ()):
            return Recorded(0, False, error=why, field="data.lot", allowed=("contaminated",))
        why = {vial.id: vial.stop for vial in self._vials()}.get(data.get("vial"))
        why = named if line["kind"] == "administration.record" and data.get("item") else why
        if not why or "lot_given_already" in line.get("confirm", ()):
            return None
        return Recorded(0, False, error=why, field="data.vial", allowed=("contaminated",))

    def _session(self, **more: Any) -> SessionLine:
        line = SessionLine(
            "ses_1", "Kome school", "Kome", "R. Amin, J. Cho", ("mr", "bopv", "bcg"),
            self.now_ms - 300 * MINUTE_MS, None, mine=True, store="Pharmacy",
            lots=(("vaccine-mr-10", "MR-0172B"),), crowd=True,
        )  # fmt: skip
        return msgspec.structs.replace(line, **more)

    async def sessions(self, *, closed: bool = False) -> Sessions:
        self._up()
        other = self._session(id="ses_2", place="Market", team="L. Mbeki", mine=False, crowd=False,
                              interventions=tuple(BESIDE))  # fmt: skip
        return Sessions((self._session(), other))

    def _of(self, kind: str) -> list[dict[str, Any]]:
        back = {one["data"]["fact"] for one in self.written if one["kind"] == "entry.retract"}
        return [
            one
            for at, one in enumerate(self.written, 1)
            if one["kind"] == kind and f"fct_{at:04d}.0" not in back
        ]

    def _given(self, patient: str | None = None, *, carded: bool = False) -> list[dict[str, Any]]:
        """Doses given here, or those that a card says."""
        return [
            one
            for one in self._of("dose.record")
            if one["data"].get("status", "given") == "given"
            and patient in (None, one["patient"])
            and (one.get("source") == "paper") == carded
        ]

    def _of_card(self, one: dict[str, Any]) -> GivenLine:
        code, day = one["data"]["vaccine"], one["at"]
        had = [each for each in self._given(one["patient"], carded=True)
               if each["data"]["vaccine"] == code]  # fmt: skip
        number = one["data"].get("dose", had.index(one) + 1)
        known = "valid" if len(day) == 10 else "unsure"
        fact = f"fct_{self.written.index(one) + 1:04d}.0"
        return GivenLine(fact, code, WORDS[code], number, day, "given",
                         one["data"].get("lot", ""), ((code, known),),
                         None if known == "valid" else RULE)  # fmt: skip

    def _vials(self) -> list[VialLine]:
        opened = [
            VialLine("fct_vial1.0", "vaccine-mr-10", "mr", WORDS["mr"], "MR-0172B", "2027-03-31",
                     self.now_ms - 290 * MINUTE_MS, 10, 4, 6, self.now_ms + 70 * MINUTE_MS,
                     past=False, closed=False),
            VialLine("fct_vial2.0", "vaccine-bopv-20", "bopv", WORDS["bopv"], "P-77", "2027-01-31",
                     self.now_ms - 400 * MINUTE_MS, 20, 18, 2, self.now_ms + 20 * MINUTE_MS,
                     past=False, closed=False),
        ]  # fmt: skip
        for at, one in enumerate(self._of("vial.open")):
            code = next(code for code, item in ITEMS.items() if item == one["data"]["item"])
            opened.append(
                VialLine(f"fct_new{at}.0", one["data"]["item"], code, WORDS[code],
                         one["data"]["lot"], one["data"].get("expiry", ""), self.now_ms, 10, 0, 10,
                         self.now_ms + 360 * MINUTE_MS, past=False, closed=False)
            )  # fmt: skip
        drawn = [one["data"].get("vial") for one in (*self._given(), *self._of("tally.add"))]
        gone = {one["data"]["vial"] for one in self._of("vial.discard")}
        stops = STOPPED | self.__dict__.get("stopped", {})
        return [
            msgspec.structs.replace(
                vial,
                drawn=vial.drawn + drawn.count(vial.id),
                left=0 if vial.id in gone else vial.left - drawn.count(vial.id),
                closed=vial.id in gone,
                why="time-limit" if vial.id in gone else "",
                stop=next(
                    (stops[one] for one in (vial.id, vial.lot, vial.expiry) if one in stops), ""
                ),
            )
            for vial in opened
        ]

    async def drive(self, session: str) -> Drive:
        self._up()
        if session not in ("ses_1", "ses_2"):
            raise InputError("not_found", field="args.session")
        given = self._given()
        tallied = [one["data"] for one in self._of("tally.add")]
        last: dict[str, LastLine] = {}
        for one in reversed(given):
            head = self.patients[one["patient"]].head
            before = last.get(one["patient"])
            doses = ((one["data"]["vaccine"], 1), *(before.given if before else ()))
            last[one["patient"]] = LastLine(head.patient, head.tag, head.code, self.now_ms, doses)
        older = LastLine("pat_x", "KM-20930", "ACD XYZ 001", self.now_ms - MINUTE_MS, (("mr", 1),))
        line = self._session()
        beside: tuple[BesideSum, ...] = ()
        extra: tuple[Cell, ...] = ()
        if session == "ses_2":
            line = self._session(id="ses_2", place="Market", interventions=tuple(BESIDE))
            beside = self._beside_sums()
            extra = (Cell(4, "", BESIDE["vitamin-a"][0], 0, 2, 9, sum(
                one.get("n", 1) for one in tallied if one["cell"] == 4), "vitamin-a"),)  # fmt: skip
            last = self._with_beside(last)
        return Drive(
            line,
            tuple(
                VaccineLine(code, words, (ITEMS[code],), 198 + sum(
                    one["data"]["vaccine"] == code for one in given))
                for code, words in WORDS.items()
            ),
            (
                Cell(1, "mr", WORDS["mr"], 1, 2, 2, 40 + sum(
                    one.get("n", 1) for one in tallied if one["cell"] == 1)),
                Cell(2, "mr", WORDS["mr"], 1, 2, 1, 38 + sum(
                    one.get("n", 1) for one in tallied if one["cell"] == 2)),
                Cell(3, "bcg", WORDS["bcg"], 1, 1, 9, sum(
                    one.get("n", 1) for one in tallied if one["cell"] == 3)),
                *extra,
            ),
            tuple(vial for vial in self._vials() if not vial.closed),
            children=212 + len(last),
            not_given=3,
            wasted=4,
            seconds_a_child=20,
            last_hour=150,
            last=(*last.values(), older),
            schedule="schedule-routine 1",
            beside=beside,
        )  # fmt: skip

    def _beside_of(self, patient: str | None = None) -> list[str]:
        """Codes of what was given or measured, of somebody or of anybody."""
        return [
            one["data"]["intervention"]
            for kind in ("administration.record", "observation.record")
            for one in self._of(kind)
            if "intervention" in one["data"]
            and patient in (None, one["patient"])
            and one["data"].get("status", "given") == "given"
        ]

    def _beside_sums(self) -> tuple[BesideSum, ...]:
        had = self._beside_of()
        tallied = sum(one["data"].get("n", 1) for one in self._of("tally.add")
                      if one["data"]["cell"] == 4)  # fmt: skip
        before = {"vitamin-a": 187 + tallied, "deworming": 90, "muac": 12}
        stops = self.__dict__.get("stopped", {}).items()
        return tuple(
            BesideSum(code, words, short, before[code] + had.count(code),
                      2 if code == "vitamin-a" else 0, items,
                      tuple((item, lot, why) for lot, why in stops for item in items))
            for code, (words, short, items) in BESIDE.items()
        )  # fmt: skip

    def _with_beside(self, last: dict[str, LastLine]) -> dict[str, LastLine]:
        found = {}
        for patient, one in last.items():
            beside = tuple((code, None) for code in self._beside_of(patient))
            found[patient] = msgspec.structs.replace(one, given=(*one.given, *beside))
        return found

    def _beside(self, patient: str, age: int = 22) -> tuple[BesideLine, ...]:
        had = self._beside_of(patient)
        vitamin = MedicineLine("vitamin A", "200000", "[iU]", "oral", "vitamin-a-200k-cap", "VA-1",
                               "sit_1")  # fmt: skip
        if "VA-1" in self.__dict__.get("stopped", {}):
            vitamin = MedicineLine("vitamin A", "200000", "[iU]", "oral")
        stop = self.__dict__.get("stopped", {}).get("VA-1", "")
        worms = MedicineLine("albendazole", "400", "mg", "oral")
        words = {code: told[0] for code, told in BESIDE.items()}
        given, worm = "vitamin-a" in had, "deworming" in had
        if age == 11:
            return (
                BesideLine("vitamin-a", words["vitamin-a"], "unsure",
                           maybe=("100000 [iU]", "200000 [iU]")),
                BesideLine("deworming", words["deworming"], "too-young", interval="6 mo"),
                BesideLine("muac", words["muac"], "due", measure="muac"),
            )  # fmt: skip
        return (
            BesideLine("vitamin-a", words["vitamin-a"], "too-soon" if given else "due",
                       "2026-05-28" if given else "", "2026-09-28" if given else "", "4 mo",
                       vitamin, stop=stop),
            BesideLine("deworming", words["deworming"], "too-soon" if worm else "due",
                       "2026-05-28" if worm else "", "2026-11-28" if worm else "", "6 mo", worms),
            BesideLine("muac", words["muac"], "due", measure="muac",
                       last="2026-05-28" if "muac" in had else ""),
        )  # fmt: skip

    async def session_vials(self, session: str) -> list[VialLine]:
        self._up()
        return sorted(self._vials(), key=lambda vial: vial.closed)

    async def vial_code(self, code: str) -> list[Box]:
        self._up()
        if code == "]d2BAD":
            raise InputError("bad_check_digit", field="args.code")
        known = BOXES | self.__dict__.get("boxes", {})
        return [known[code]] if code in known else []

    def _child(self, had: set[str], **more: Any) -> Child:
        usable = [vial for vial in self._vials() if not vial.closed and vial.left > 0]
        held = {vial.vaccine: vial for vial in sorted(usable, key=_order, reverse=True)}
        give = []
        for code in ("mr", "bopv", "bcg"):
            state = "not-yet" if code in had else "overdue" if code == "mr" else "due"
            state = "complete" if code == "bcg" and code in had else state
            rule = SOON if code in had else RULE
            give.append(
                GiveLine(code, WORDS[code], state, code, 2 if code in had else 1, 2,
                         "2026-06-17" if code in had else "2025-10-12",
                         held[code].id if code in held else "", rule,
                         (ASK,) if code == "mr" else (), held[code].stop if code in held else "")
            )  # fmt: skip
        doses = tuple(
            GivenLine(f"fct_{code}.0", code, WORDS[code], 1, "2026-05-20", "given", "MR-0172B",
                      ((code, "valid"),),
                      recalled=("contaminated",) * self._recalled(code))
            for code in sorted(had)
        )  # fmt: skip
        series = (
            SeriesLine("measles", WORDS["mr"], "not-yet" if "mr" in had else "overdue", 1, 2,
                       "2026-06-17", "", ("mr",), RULE),
            SeriesLine("rabies", {"en": "Rabies", "fr": "Rage"}, "contraindicated", 1, 3,
                       rule=BARRED, sure=False),
        )  # fmt: skip
        still = tuple(one.words for one in give if one.wanted)
        return Child(None, tuple(give), series, doses, "2026-06-17", (WORDS["mr"],), True, still,
                     "schedule-routine 1", **more)  # fmt: skip

    def _recalled(self, code: str) -> bool:
        stops = self.__dict__.get("stopped", {})
        return code == "mr" and stops.get("fct_vial1.0") == "lot_recalled"

    async def child(self, patient: str, session: str) -> Child:
        self._up()
        if patient not in self.patients:
            raise InputError("not_found", field="patient")
        foreign = self.__dict__.get("foreign", {})
        if patient in foreign and patient not in self.__dict__.get("opened", {}):
            raise InputError("other_team", field="patient", teams=foreign[patient])
        carded = [self._of_card(one) for one in self._given(patient, carded=True)]
        here = {one["data"]["vaccine"] for one in self._given(patient)}
        found = self._child(here | {one.vaccine for one in carded})
        doses = sorted(
            (*(one for one in found.doses if one.vaccine in here), *carded),
            key=lambda one: one.day,
        )
        head = self.patients[patient].head
        beside = self._beside(patient) if session == "ses_2" else ()
        return msgspec.structs.replace(
            found, head=head, doses=tuple(doses), beside=beside, beside_pack=PACK if beside else ""
        )

    async def child_of_age(
        self, age: int, unit: str, session: str, *, estimated: bool = False
    ) -> Child:
        self._up()
        beside = self._beside("", age) if session == "ses_2" else ()
        return self._child(set(), beside=beside, beside_pack=PACK if beside else "")

    async def session_choices(self) -> SessionChoices:
        self._up()
        return SessionChoices(
            tuple(Choice(code, words) for code, words in WORDS.items()),
            tuple((ITEMS[code], code, words, 10, ()) for code, words in WORDS.items()),
            (Choice("sit_1", {"en": "Pharmacy"}), Choice("sit_2", {"en": "Ward B"})),
            ("schedule-routine", "schedule-outbreak"),
            ("measles", "polio", "rubella"),
            tuple(Choice(code, told[0]) for code, told in BESIDE.items()),
        )

    async def vaccination_coverage(self, session: str) -> Coverage:
        self._up()
        return Coverage(
            (
                CoverLine("Kome", "measles", 0, 198, 300),
                CoverLine("Kome", "measles", 2, 180, 150),
                CoverLine("Kome", "polio", 0, 190, None),
                CoverLine("", "measles", 0, 12, None),
            ),
            (
                SeriesSum("measles", WORDS["mr"], 240, 31, 209, 60),
                SeriesSum("bcg", WORDS["bcg"], 240, 12),
            ),
            last_hour=150,
            wasted=(("mr", 210, 4),),
            beside=self._beside_sums() if session == "ses_2" else (),
        )

    async def doubled_doses(self) -> DoubledDoses:
        self._up()
        if self._of("dose.decide"):
            return DoubledDoses(())
        doses = tuple(
            GivenLine(f"fct_twice{at}.0", "mr", WORDS["mr"], 1, "2026-05-20", "given", lot)
            for at, lot in enumerate(("MR-0172B", "MR-0900"))
        )
        head = next(iter(self.patients.values())).head
        two = doses[:1] * 2
        other = DoubledLine(head, "opv", "close", two, ("R. Amin", "T. Owen"))
        line = DoubledLine(head, "measles", "one-number", doses, ("R. Amin", "T. Owen"))
        return DoubledDoses((line, msgspec.structs.replace(other, doses=(doses[1], doses[0]))))
