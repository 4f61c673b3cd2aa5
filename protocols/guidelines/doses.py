"""Doses: proposed from a whole row or not at all, and the arithmetic of what somebody typed.

All numbers are exact; what is shown is what was computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.ages import AgeSpan, row_days
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.words import lacking
from protocols.guidelines.working import number_text

KG_MAX = Fraction(500)
"""A heavier patient is a typing error; nothing is computed."""
UNITS_MAX = 1000
"""Tablets or ampoules for one dose; more is a typing error."""

# the pack


class Concentration(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much of the substance is in what is drawn up or counted."""

    mg: str
    per: Literal["mL", "{tbl}", "{amp}", "{sachet}", "{drop}"]


class DoseRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """A dose by weight, for some ages and weights."""

    id: str
    substance: str
    words: dict[str, str]
    mg_per_kg: str = ""
    max_single_mg: str = ""
    max_daily_mg: str = ""
    times_a_day: int = 0
    route: str = ""
    concentration: Concentration | None = None
    source: str = ""
    status: Status | None = None
    since: str = "0 d"
    below: str | None = None
    from_kg: str = "0"
    below_kg: str = ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it would need to propose a dose (SAFETY 9)."""
        return tuple(name for name in _NEEDED if not getattr(self, name))

    def covers(self, kg: Fraction) -> bool:
        """Whether it is for this weight."""
        return Fraction(self.from_kg) <= kg and (not self.below_kg or kg < Fraction(self.below_kg))


_NEEDED = (
    "mg_per_kg",
    "max_single_mg",
    "max_daily_mg",
    "times_a_day",
    "route",
    "concentration",
    "source",
)


class Weights(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """When weights are in conflict."""

    differ_percent: int


class Formulary(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All rows."""

    pack: PackHead
    weights: Weights
    dose: tuple[DoseRow, ...]
    languages: dict[str, str] = {}

    def of_substance(self, substance: str) -> tuple[DoseRow, ...]:
        """Return the rows of a substance, by its name in the pack."""
        return tuple(row for row in self.dose if row.substance == substance)


# proposing


class Weighed(NamedTuple):
    """A weight that stands."""

    kg: Fraction
    estimated: bool = False


class NoDose(NamedTuple):
    """Nothing is proposed, and why: the prescriber types the dose."""

    reason: Literal[
        "no_row",
        "row_incomplete",
        "no_weight",
        "weights_differ",
        "weight_out_of_bounds",
        "age_unsure",
        "over_daily",
    ]
    lacks: tuple[str, ...] = ()
    """Of an incomplete row: which fields."""


class Proposed(NamedTuple):
    """A dose with its arithmetic; it is proposed, never given by itself."""

    row: DoseRow
    mg: Fraction
    """One dose."""
    capped: bool
    """By weight it would be above the most for one dose."""
    text: str
    """`20 × 13.2 = 264 mg`."""
    amount: Fraction
    """In the unit of the concentration, exactly; `units` rounds what cannot be divided."""
    amount_text: str
    """`264 ÷ 40 = 6.6 mL`."""
    daily_mg: Fraction
    estimated: bool
    """The weight was: say est. beside the dose."""
    status: Status
    approved: bool
    version: str


def differ(weights: Sequence[Fraction], percent: int) -> bool:
    """Whether weights are in conflict: the largest is more than so much above the smallest."""
    return len(weights) > 1 and max(weights) * 100 > min(weights) * (100 + percent)


def propose(
    pack: Formulary,
    row_id: str,
    age: AgeSpan,
    weights: Sequence[Weighed],
    chosen: Weighed | None = None,
) -> Proposed | NoDose:
    """Return a dose from one row, or why there is none.

    Args:
        pack: As it is in use.
        row_id: Which row.
        age: As far as it is known; a row for some ages needs an age that lies inside.
        weights: All that stand, the newest first.
        chosen: The one that was chosen for this order, where they are in conflict.
    """
    row = next((each for each in pack.dose if each.id == row_id), None)
    if row is None:
        return NoDose("no_row")
    if row.lacks:
        return NoDose("row_incomplete", row.lacks)
    weight = chosen or (weights[0] if weights else None)
    if weight is None:
        return NoDose("no_weight")
    if chosen is None and differ([each.kg for each in weights], pack.weights.differ_percent):
        return NoDose("weights_differ")
    if not 0 < weight.kg <= KG_MAX:
        return NoDose("weight_out_of_bounds")
    since, below = row_days(row.since, row.below)
    if not (since <= age.since and age.below <= below):
        return NoDose("age_unsure" if age.meets([(since, below)]) else "no_row")
    return _proposed(pack, row, weight) if row.covers(weight.kg) else NoDose("no_row")


def _proposed(pack: Formulary, row: DoseRow, weight: Weighed) -> Proposed | NoDose:
    assert row.concentration is not None
    by_weight, most = Fraction(row.mg_per_kg) * weight.kg, Fraction(row.max_single_mg)
    mg = min(by_weight, most)
    daily = mg * row.times_a_day
    if daily > Fraction(row.max_daily_mg):
        return NoDose("over_daily")
    strength = Fraction(row.concentration.mg)
    text = f"{row.mg_per_kg} × {number_text(weight.kg)} = {number_text(by_weight)} mg"
    if by_weight > most:
        text += f" → {number_text(most)} mg"
    unit = row.concentration.per.strip("{}")
    return Proposed(
        row=row,
        mg=mg,
        capped=by_weight > most,
        text=text,
        amount=mg / strength,
        amount_text=f"{number_text(mg)} ÷ {number_text(strength)} = "
        f"{number_text(mg / strength)} {unit}",
        daily_mg=daily,
        estimated=weight.estimated,
        status=row.status or pack.pack.status,
        approved=pack.pack.approved,
        version=pack.pack.version,
    )


# what is typed, and what is taken from the shelf


def per_kg_text(mg: Fraction, kg: Fraction) -> str:
    """Return what a typed dose is by weight: `264 ÷ 13.2 = 20 mg/kg`; '' without a weight."""
    if not 0 < kg <= KG_MAX or mg < 0:
        return ""
    return f"{number_text(mg)} ÷ {number_text(kg)} = {number_text(mg / kg)} mg/kg"


class Taken(NamedTuple):
    """Whole units for one dose (SAFETY 23)."""

    units: int
    discarded: Fraction
    """In the unit of the dose: taken and not given."""
    text: str
    """`264 ÷ 100 = 2.64 → 3; 36 discarded`."""


def units(dose: Fraction, strength: Fraction) -> Taken | None:
    """Return how many whole units a dose takes, rounded up, and what is discarded.

    Args:
        dose: In the unit of the strength, such as mg.
        strength: In one unit: a tablet, an ampoule.

    Returns:
        None where there is nothing to take, or more than `UNITS_MAX`.
    """
    if dose <= 0 or strength <= 0 or dose > strength * UNITS_MAX:
        return None
    count = -(-dose // strength)
    left = count * strength - dose
    text = f"{number_text(dose)} ÷ {number_text(strength)} = {number_text(dose / strength)}"
    if left:
        text += f" → {count}"
    return Taken(int(count), left, text)


# reading the pack


def check(pack: Formulary) -> list[str]:
    """Return what is wrong with a formulary, one sentence each; empty when nothing is."""
    wrong = []
    ids = [row.id for row in pack.dose]
    wrong += [f"{each}: two rows share this id" for each in set(ids) if ids.count(each) > 1]
    if not 0 < pack.weights.differ_percent <= 100:
        wrong.append("weights: differ_percent is 1 to 100")
    for row in pack.dose:
        wrong += [f"{row.id}: {what}" for what in _row_faults(row)]
    for at, row in enumerate(pack.dose):
        wrong += [
            f"{row.id}: overlaps {other.id}" for other in pack.dose[:at] if _overlap(row, other)
        ]
    return wrong


def _row_faults(row: DoseRow) -> list[str]:
    wrong = [f"no words in {each}" for each in lacking(row.words)]
    fields = {name: getattr(row, name) for name in (*_NEEDED[:3], "from_kg", "below_kg")}
    if row.concentration is not None:
        fields["concentration"] = row.concentration.mg
    bad = [name for name, text in fields.items() if text and not _is_number(text)]
    wrong += [f"{name} is no number" for name in bad]
    if not row.source:
        wrong.append("source is missing")
    if not 0 <= row.times_a_day <= 24:
        wrong.append("times_a_day is 1 to 24")
    if bad:
        return wrong
    if row.concentration is not None and not Fraction(row.concentration.mg):
        wrong.append("concentration is 0")
    if row.below_kg and Fraction(row.from_kg) >= Fraction(row.below_kg):
        wrong.append("from_kg is not under below_kg")
    since, below = row_days(row.since, row.below)
    if since >= below:
        wrong.append("row 1 is empty")
    if not row.lacks and Fraction(row.max_single_mg) > Fraction(row.max_daily_mg):
        wrong.append("max_single_mg is above max_daily_mg")
    return wrong


def _overlap(one: DoseRow, other: DoseRow) -> bool:
    same = (one.substance, one.route or other.route) == (other.substance, other.route or one.route)
    texts = (one.from_kg, one.below_kg or "1", other.from_kg, other.below_kg or "1")
    if not same or not all(map(_is_number, texts)):
        return False
    ages = (row_days(one.since, one.below), row_days(other.since, other.below))
    if not _meet(ages[0], ages[1]):
        return False
    top = KG_MAX * 2
    kgs = [
        (Fraction(row.from_kg), Fraction(row.below_kg) if row.below_kg else top)
        for row in (one, other)
    ]
    return kgs[0][0] < kgs[1][1] and kgs[1][0] < kgs[0][1]


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _is_number(text: str) -> bool:
    whole = text.replace(".", "", 1)
    return whole.isascii() and whole.isdecimal() and len(whole) <= 9


def read_formulary(text: str) -> Formulary:
    """Return a checked formulary.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Formulary)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_formulary() -> Formulary:
    """Return the pack that comes with the software."""
    return shipped("formulary", Formulary)
