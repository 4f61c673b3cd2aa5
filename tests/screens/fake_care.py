"""Care of the fake node's patients: what a test puts there, and what `record` adds to it."""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.guidelines.vocabulary import vocabulary
from protocols.live.bedside import (
    AllergyLine,
    Care,
    ConditionLine,
    DoseHelp,
    DoseLine,
    MedicineLine,
    Proposal,
    WeightLine,
)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class CareCalls:
    """The calls of `fieldnode/caring.py`."""

    patients: dict[str, Any]
    now_ms: int

    def _up(self) -> None:
        raise NotImplementedError

    def care_of(self, patient: str) -> Care:
        """Return what was put there; nothing else."""
        known = self.__dict__.setdefault("_care", {})
        head = self.patients[patient].head
        found = known.get(patient) or Care(head, True, (), (), (), (), ())
        return msgspec.structs.replace(found, head=head)

    def set_care(self, patient: str, **parts: Any) -> None:
        """Put something there."""
        known = self.__dict__.setdefault("_care", {})
        known[patient] = msgspec.structs.replace(self.care_of(patient), **parts)

    def set_help(self, told: DoseHelp) -> None:
        """Put there what is answered about every medicine."""
        self.__dict__["_help"] = told

    async def care(self, patient: str) -> Care:
        self._up()
        if patient not in self.patients:
            raise InputError("not_found", field="patient")
        foreign = self.__dict__.get("foreign", {})
        if patient in foreign and patient not in self.__dict__.get("opened", {}):
            raise InputError("other_team", field="patient", teams=foreign[patient])
        return self.care_of(patient)

    async def dose_help(self, patient: str, substance: str, weight: int = 0) -> DoseHelp:
        self._up()
        if (told := self.__dict__.get("_help")) is not None:
            return told
        care = self.care_of(patient)
        groups = vocabulary().allergens_of(substance)
        against = tuple(
            one.code or one.text
            for one in care.allergies
            if one.used and one.status == "active" and (one.code in groups or one.text == substance)
        )
        ordered = any(one.substance == substance for one in care.medicines)
        if substance != "examplin":
            reason = "row_incomplete" if substance == "azithromycin" else "no_row"
            lacks = ("route", "concentration") if reason == "row_incomplete" else ()
            return DoseHelp(against, ordered, (), reason, lacks)
        if len(care.weights) > 1 and not weight:
            return DoseHelp(against, ordered, (), "weights_differ")
        one = care.weights[max(weight - 1, 0)]
        mg = str(int(float(one.kg) * 20))
        found = Proposal(
            "formulary",
            "7",
            "child",
            {"en": "Examplin", "fr": "Exampline"},
            mg,
            f"20 × {one.kg} = {mg} mg",
            f"{mg} ÷ 40 = {int(mg) / 40:g} mL",
            "oral",
            3,
            one.kg,
            one.estimated,
            approved=False,
            memory=True,
        )
        return DoseHelp(against, ordered, (found,))


def allergy(code: str = "penicillins", **more: Any) -> AllergyLine:
    """Return one that is acted on."""
    line = AllergyLine(
        f"fct_all_{code}.0",
        "active",
        code,
        "",
        "anaphylaxis",
        "severe",
        "confirmed",
        "",
        0,
        "R. Amin",
        used=True,
        unsettled=False,
    )
    return msgspec.structs.replace(line, **more)


def problem(code: str = "burn", **more: Any) -> ConditionLine:
    """Return one that goes on."""
    line = ConditionLine(
        f"fct_con_{code}.0",
        "active",
        code,
        "",
        "2026-05",
        1,
        "",
        0,
        "J. Cho",
        used=True,
        unsettled=False,
    )
    return msgspec.structs.replace(line, **more)


def medicine(substance: str, now_ms: int, state: str = "due", **more: Any) -> MedicineLine:
    """Return an order of 250 mg by mouth three times a day."""
    last = DoseLine(
        "fct_dose.0", "given", substance, "250 mg", "oral", "", now_ms - 8 * HOUR_MS, "R. Amin"
    )
    line = MedicineLine(
        f"fct_ord_{substance}.0",
        substance,
        "tablet",
        "250 mg",
        "250",
        "mg",
        "oral",
        "times-a-day",
        3,
        0,
        "cough",
        now_ms - 24 * HOUR_MS,
        None,
        "M. Dupont",
        state,
        now_ms,
        last,
        last.at_ms,
        3,
        2,
        (),
    )
    return msgspec.structs.replace(line, **more)


def in_care(node: Any, patient: str = "pat_00001") -> None:
    """Give a patient of the ward everything there is to show."""
    now = node.now_ms
    known = node.patients[patient]
    known.head = msgspec.structs.replace(known.head, allergy=2, allergies="penicillins; mango")
    morphine = medicine(
        "morphine",
        now,
        "as-needed",
        form="ampoule",
        strength="10 mg",
        value="4",
        unit="mg",
        route="iv",
        way="as-needed",
        every=0,
        max_a_day=6,
        indication="pain",
        due_ms=None,
        controlled=True,
    )
    node.set_care(
        patient,
        allergies=(
            allergy(),
            allergy(
                "",
                text="mango",
                fact="fct_all_m.0",
                reaction="rash",
                severity="mild",
                certainty="stated",
                remark="as a child",
            ),
        ),
        conditions=(
            problem(),
            problem("malaria", status="suspected", onset="", unsettled=True),
            problem("pneumonia", status="resolved", used=True),
        ),
        medicines=(
            medicine(
                "amoxicillin",
                now,
                "late",
                due_ms=now - 95 * MINUTE_MS,
                warnings=("allergy", "double_dose"),
            ),
            medicine(
                "paracetamol",
                now,
                value="1",
                unit="{tablet}",
                last=None,
                last_given_ms=None,
                given_a_day=0,
            ),
            morphine,
            medicine(
                "ceftriaxone",
                now,
                "stopped",
                due_ms=None,
                stopped_ms=now - HOUR_MS,
                stop_reason="side-effect",
                warnings=("given_past_stop",),
            ),
        ),
        doses=(
            DoseLine(
                "fct_free.0", "given", "adrenaline", "0.5 mg", "im", "", now - 3 * HOUR_MS, "J. Cho"
            ),
        ),
        weights=(WeightLine("12.5", estimated=True, at_ms=now - 2 * HOUR_MS),),
        syndrome="watery-diarrhoea",
        event_relation=1,
    )
