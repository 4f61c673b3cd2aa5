"""Vaccines: codes, antigens, vials, who must not.

A vaccine is named by its local code everywhere; a CVX code stands beside it where there is one.
What a campaign gives beside vaccines is no vaccine and has a pack of its own: `interventions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Literal

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.ages import row_days
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.words import lacking

VaccineKind = Literal["live", "live-oral", "inactivated"]
"""Only injected live vaccines have to keep their distance from each other."""

CODE_CHARS_MAX = 20
DOSES_MAX = 100
OPEN_HOURS_MAX = 28 * 24
"""The longest that any vial may stay open: four weeks."""

REASONS = (
    "severe-allergy",
    "immunosuppressed",
    "pregnant",
    "intussusception",
    "encephalopathy",
    "hiv-infant",
    "severely-ill",
)
"""Why somebody must not have a vaccine; closed, and stored by name. Fever alone is none
(SAFETY 12)."""


class Vial(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One presentation of a vaccine."""

    doses: int
    open_hours: int
    """From opening or mixing on; what is left after is discarded."""
    end_of_session: bool = False
    """Whether it is discarded when the session ends, should that come first."""
    source: str = ""
    status: Status | None = None


class Vaccine(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """What is given as one dose."""

    code: str
    """Local code; on the wire."""
    words: dict[str, str]
    kind: VaccineKind
    antigens: tuple[str, ...]
    cvx: str = ""
    """'' where no code could be confirmed."""
    diluted: bool = False
    """Whether it is mixed with its own diluent, which the pack of items names; else ready."""
    since: str = "0 d"
    """Youngest age for which it is made: nobody younger is offered it, and none counts."""
    below: str | None = None
    """First age at which it is no longer offered; a dose that was given counts."""
    route: str = ""
    """As a rule: `im`, `sc`, `id` or `oral`."""
    vial: tuple[Vial, ...] = ()
    source: str = ""
    status: Status | None = None


class Intervention(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}
):
    """What a campaign gives or does that is no vaccine, as packs of before name it here.

    It is read and of no effect: what is given, when and how much says the pack of interventions.
    """

    code: str
    words: dict[str, str]
    since: str
    """Youngest age."""
    below: str | None = None
    """First age that is too old."""
    source: str = ""
    status: Status | None = None


class Reason(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why somebody must not have some vaccines."""

    id: str
    """Of `REASONS`."""
    words: dict[str, str]
    kinds: tuple[VaccineKind, ...] = ()
    """It holds for vaccines of these kinds."""
    antigens: tuple[str, ...] = ()
    """It holds for vaccines with one of these."""
    same: bool = False
    """It holds for vaccines that share an antigen with the one that caused it."""
    source: str = ""
    status: Status | None = None


class Vaccines(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of them."""

    pack: PackHead
    vaccine: tuple[Vaccine, ...]
    reason: tuple[Reason, ...]
    intervention: tuple[Intervention, ...] = ()
    languages: dict[str, str] = {}

    def of_code(self, code: str) -> Vaccine | None:
        """Return a vaccine by its local code, or None when this pack does not know it."""
        return next((row for row in self.vaccine if row.code == code), None)

    def of_cvx(self, cvx: str) -> tuple[Vaccine, ...]:
        """Return the vaccines with a CVX code; several where products share one."""
        return tuple(row for row in self.vaccine if cvx and row.cvx == cvx)


# reading the pack

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_CVX = re.compile(r"[0-9]{2,3}", re.ASCII)
ROUTES = ("", "im", "sc", "id", "oral")


def check(pack: Vaccines) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = vaccine_faults(pack.vaccine)
    wrong += _twice("intervention", [row.code for row in pack.intervention])
    for row in pack.intervention:
        place = f"intervention: {row.code}"
        wrong += [f"{place}: no words in {each}" for each in lacking(row.words)]
        if not _is_code(row.code):
            wrong.append(f"{place}: code is small letters, digits and -, at most {CODE_CHARS_MAX}")
        wrong += [f"{place}: {what}" for what in _ages(row.since, row.below)]
    wrong += _reason_faults(pack)
    return wrong


def vaccine_faults(rows: Sequence[Vaccine]) -> list[str]:
    """Return what is wrong with some vaccines, one sentence each."""
    wrong = _twice("vaccine", [row.code for row in rows])
    for row in rows:
        place = f"vaccine: {row.code}"
        wrong += [f"{place}: no words in {each}" for each in lacking(row.words)]
        if not _is_code(row.code):
            wrong.append(f"{place}: code is small letters, digits and -, at most {CODE_CHARS_MAX}")
        if not row.antigens:
            wrong.append(f"{place}: antigens are missing")
        if row.cvx and not _CVX.fullmatch(row.cvx):
            wrong.append(f"{place}: cvx is two or three digits")
        wrong += [f"{place}: {what}" for what in _ages(row.since, row.below)]
        if row.route not in ROUTES:
            wrong.append(f"{place}: route is one of {', '.join(ROUTES[1:])}")
        if (row.kind == "live-oral") != (row.route == "oral") and row.kind == "live-oral":
            wrong.append(f"{place}: route is oral where the kind is live-oral")
        for at, vial in enumerate(row.vial, 1):
            if not 1 <= vial.doses <= DOSES_MAX:
                wrong.append(f"{place}: vial: row {at}: doses is 1 to {DOSES_MAX}")
            if not 1 <= vial.open_hours <= OPEN_HOURS_MAX:
                wrong.append(f"{place}: vial: row {at}: open_hours is 1 to {OPEN_HOURS_MAX}")
        wrong += _twice(f"{place}: vial", [str(vial.doses) for vial in row.vial])
    return wrong


def _reason_faults(pack: Vaccines) -> Iterable[str]:
    yield from _twice("reason", [row.id for row in pack.reason])
    known = {antigen for row in pack.vaccine for antigen in row.antigens}
    for row in pack.reason:
        place = f"reason: {row.id}"
        if "fever" in row.id:
            yield f"{place}: id is no reason, since fever alone keeps nobody from a vaccine"
        elif row.id not in REASONS:
            yield f"{place}: id is one of {', '.join(REASONS)}"
        yield from (f"{place}: no words in {each}" for each in lacking(row.words))
        yield from (
            f"{place}: antigens are given by no vaccine: {each}"
            for each in row.antigens
            if each not in known
        )
        if not (row.kinds or row.antigens or row.same):
            yield f"{place}: holds for no vaccine"
    if "severe-allergy" not in {row.id for row in pack.reason}:
        yield "reason: severe-allergy is missing"


def _ages(since: str, below: str | None) -> Iterable[str]:
    try:
        first, end = row_days(since, below)
    except SetupError as error:
        yield str(error.values["place"])
        return
    if first >= end:
        yield "below is not after from"


def _is_code(code: str) -> bool:
    return len(code) <= CODE_CHARS_MAX and bool(_CODE.fullmatch(code))


def _twice(place: str, keys: Sequence[str]) -> list[str]:
    return [
        f"{place}: row {at + 1}: {key} stands there twice"
        for at, key in enumerate(keys)
        if key in keys[:at]
    ]


def by_code(rows: Iterable[Vaccine]) -> Mapping[str, Vaccine]:
    """Return vaccines by their codes; of two rows of one code the later one."""
    return {row.code: row for row in rows}


def read_vaccines(text: str) -> Vaccines:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Vaccines)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_vaccines() -> Vaccines:
    """Return the pack that comes with the software."""
    return shipped("vaccines", Vaccines)
