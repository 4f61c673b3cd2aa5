"""What stores keep: items, their units and packs, strength per unit, kits, cold chain, reordering.

A movement names an item by its code, so a code means the same in every version of the pack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines import doses
from protocols.guidelines.gtin import GTIN_DIGITS, is_digits, is_gtin
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.vocabulary import fold
from protocols.guidelines.words import COMPLETE, Word, word

CODE_CHARS_MAX = 40
"""As much as a movement holds of an item."""
PACK_UNITS_MAX = 1_000_000
"""Units in one pack; more is a typing error."""
PACKS_MAX = 8
"""Sizes of packs of one item, as many as a screen offers by digit."""
DAYS_MAX = 3 * 365
"""Longest time a reorder is planned ahead."""
KIT_ITEMS_MAX = 200
BARCODE_CHARS_MAX = 64

Unit = Literal[
    "tablet",
    "capsule",
    "sachet",
    "suppository",
    "ampoule",
    "vial",
    "bottle",
    "bag",
    "tube",
    "inhaler",
    "dose",
    "test",
    "piece",
    "pair",
    "roll",
    "set",
    "kit",
]
"""The smallest whole thing that is issued."""

Cold = Literal["room", "cool", "fridge", "freezer", "ultra"]
"""How warm it is kept; the limits in degrees are the cold chain pack's."""

Form = Literal[
    "tablet",
    "capsule",
    "powder",
    "injection",
    "infusion",
    "liquid",
    "cream",
    "gel",
    "inhalation",
    "suppository",
    "device",
    "dressing",
    "test",
    "vaccine",
    "diluent",
    "kit",
]

# the pack


class Strength(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much of something is in one unit, as text so that it stays exact."""

    value: str
    unit: Literal["mg", "g", "ug", "mL", "L", "[iU]", "mmol"]
    """UCUM."""


class Part(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """So many units of an item in one kit."""

    item: str
    units: int


class Barcode(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A code printed on a package, and how many units are in that package."""

    code: str
    """A GTIN in 14 digits, or any other text as scanners type it."""
    units: int = 1


class Reorder(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What an order plans for, where nobody set it for the store; all in days."""

    cover_days: int
    """Stock is brought up to so many days after it arrived."""
    lead_days: int
    """From asking to having it."""
    safety_days: int
    """Kept in hand for a delivery that comes late."""
    source: str = ""
    status: Status | None = None


class Item(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One thing that stores keep."""

    code: str
    words: dict[str, str]
    unit: Unit
    form: Form
    packs: tuple[int, ...] = ()
    """Usual sizes in units, the smallest first; single units always go."""
    strength: tuple[Strength, ...] = ()
    """What one unit holds; several where it is known by weight and by volume."""
    substances: tuple[str, ...] = ()
    """Names that orders give it."""
    atc: str = ""
    """'' where it has none, or we are not certain of it."""
    cold: Cold = "room"
    controlled: bool = False
    """Register with a running balance, witness, two signatures."""
    vaccine: str = ""
    """Its code in the vaccines pack; '' when it is none."""
    vial_doses: int = 0
    """Doses in one vial; 0 when its unit is not counted from vials."""
    diluents: tuple[str, ...] = ()
    """Items, any of which suits it; none: it needs none."""
    kit: tuple[Part, ...] = ()
    reorder: Reorder | None = None
    """Where it departs from the pack's."""
    barcodes: tuple[Barcode, ...] = ()
    """As far as the catalogue knows them; what was taught on the spot goes first."""
    source: str = ""
    status: Status | None = None

    @property
    def is_kit(self) -> bool:
        """Whether it can be broken into other items."""
        return bool(self.kit)

    def shown(self, language: str | tuple[str, ...]) -> Word:
        """Return its name, in English where the language has none, else its code."""
        return word(self.words, language, self.code)


class Items(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The whole catalogue."""

    pack: PackHead
    reorder: Reorder
    item: tuple[Item, ...]
    languages: dict[str, str] = {}

    def by_code(self) -> Mapping[str, Item]:
        """Return the items by code; the first where the linter would name two."""
        found: dict[str, Item] = {}
        for row in self.item:
            found.setdefault(row.code, row)
        return found

    def reorder_of(self, row: Item) -> Reorder:
        """Return what an order of an item plans for."""
        return row.reorder or self.reorder

    def is_draft(self, language: str) -> bool:
        """Whether nobody has checked the words of a language."""
        return self.languages.get(language, "draft") == "draft"


# finding


def item(code: str, pack: Items | None = None) -> Item | None:
    """Return an item by its code, or None when the pack does not know it.

    Whoever looks up many in one pack asks it `by_code` once.

    Args:
        code: As movements name it.
        pack: As it is in use; None: what came with the software.
    """
    return _shipped_by_code().get(code) if pack is None else pack.by_code().get(code)


def named(code: str, field: str, pack: Items | None = None) -> Item:
    """Return an item by its code.

    Raises:
        InputError: `unknown_item`, naming items whose code or word begins alike.
    """
    found = item(code, pack)
    if found is None:
        close = tuple(row.code for row in search(code, ("en", "fr"), pack)[:SUGGESTED_MAX])
        raise InputError("unknown_item", field=field, allowed=close)
    return found


SUGGESTED_MAX = 5
"""Codes told beside a code that is not known."""


def search(text: str, language: str | tuple[str, ...], pack: Items | None = None) -> list[Item]:
    """Return items that have every word of a text at the start of one of theirs, in pack order."""
    wanted = fold(text).split()
    return [row for row in (pack or shipped_items()).item if _has(row, wanted, language)]


def _has(row: Item, wanted: list[str], language: str | tuple[str, ...]) -> bool:
    said = (row.code, row.shown(language).text, *row.words.values(), *row.substances, row.atc)
    own = {each for text in said for each in fold(text).split()}
    return bool(wanted) and all(any(each.startswith(part) for each in own) for part in wanted)


def of_substance(substance: str, pack: Items | None = None) -> tuple[Item, ...]:
    """Return the items that hold a medicine, as an order or a dose names it.

    A name matches as whole words, so that *artesunate 60 mg* finds artesunate. Of several names the
    longest decides: *benzathine benzylpenicillin* is no benzylpenicillin.
    """
    wanted = f" {fold(substance)} "
    found: list[tuple[int, Item]] = []
    for row in (pack or shipped_items()).item:
        fits = [len(name) for name in map(fold, row.substances) if f" {name} " in wanted]
        if fits:
            found.append((max(fits), row))
    most = max((fits for fits, _ in found), default=0)
    return tuple(row for fits, row in found if fits == most)


def of_barcode(code: str, pack: Items | None = None) -> tuple[Item, Barcode] | None:
    """Return what the catalogue knows a code as; None when it does not.

    Args:
        code: A GTIN in 14 digits, or the text of any other code.
        pack: As it is in use; None: what came with the software.
    """
    for row in (pack or shipped_items()).item:
        for each in row.barcodes:
            if each.code == code:
                return row, each
    return None


# whole units


_METRIC = {
    ("g", "mg"): Fraction(1000),
    ("mg", "g"): Fraction(1, 1000),
    ("mg", "ug"): Fraction(1000),
    ("ug", "mg"): Fraction(1, 1000),
    ("g", "ug"): Fraction(1_000_000),
    ("ug", "g"): Fraction(1, 1_000_000),
    ("L", "mL"): Fraction(1000),
    ("mL", "L"): Fraction(1, 1000),
}


def strength_in(row: Item, ucum: str) -> Fraction | None:
    """Return how much one unit holds in a unit of measure, exactly; None when it is not stated.

    `{tablet}` and the like are the unit itself where the item is counted so.
    """
    if ucum == f"{{{row.unit}}}":
        return Fraction(1)
    for each in row.strength:
        factor = Fraction(1) if each.unit == ucum else _METRIC.get((each.unit, ucum))
        if factor is not None:
            return Fraction(each.value) * factor
    return None


def units_for(row: Item, amount: Fraction, ucum: str) -> doses.Taken | None:
    """Return the whole units that a dose takes, rounded up, and what is left over (SAFETY 23).

    Args:
        row: The item it is taken from.
        amount: The dose.
        ucum: Unit of the dose.

    Returns:
        None when the item does not state its strength in that unit, or the dose is out of all
        measure: then a person types the units.
    """
    strength = strength_in(row, ucum)
    return None if strength is None else doses.units(amount, strength)


# kits


class Content(NamedTuple):
    """What breaking kits gives."""

    item: str
    units: int


def contents(row: Item, kits: int, pack: Items | None = None) -> tuple[Content, ...]:
    """Return what a number of kits holds, in the order of the pack; a kit in a kit stays one.

    Raises:
        InputError: `not_a_kit`.
    """
    if not row.is_kit:
        raise InputError("not_a_kit", field="data.item")
    return tuple(Content(part.item, part.units * kits) for part in row.kit)


# reading the pack


_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_ATC = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}([0-9]{2})?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?", re.ASCII)


def check(pack: Items) -> list[str]:
    """Return what is wrong with a catalogue, one sentence each; empty when nothing is."""
    known = pack.by_code()
    wrong = [f"reorder: {what}" for what in _reorder_faults(pack.reorder)]
    if not (pack.reorder.source or pack.pack.source):
        wrong.append("reorder: source is missing")
    seen: set[str] = set()
    languages = {*COMPLETE, *pack.languages}
    for row in pack.item:
        faults = [*_own_faults(row, languages), *_other_faults(row, known)]
        if row.code in seen:
            faults.append("shares its code")
        seen.add(row.code)
        wrong += [f"item: {row.code}: {what}" for what in faults]
    wrong += _barcode_faults(pack)
    return wrong + [f"item: {code}: kit holds itself" for code in _circles(known)]


def _own_faults(row: Item, languages: Iterable[str]) -> list[str]:
    wrong = [f"no words in {each}" for each in sorted(languages) if not row.words.get(each)]
    if not _CODE.fullmatch(row.code) or len(row.code) > CODE_CHARS_MAX:
        wrong.append(f"code is small letters, digits and -, at most {CODE_CHARS_MAX}")
    if row.atc and not _ATC.fullmatch(row.atc):
        wrong.append("atc is no ATC code, such as N02BE01 or A07CA")
    if len(row.packs) > PACKS_MAX or any(not 1 < size <= PACK_UNITS_MAX for size in row.packs):
        wrong.append(f"packs are at most {PACKS_MAX} sizes of 2 to {PACK_UNITS_MAX} units")
    if list(row.packs) != sorted(set(row.packs)):
        wrong.append("packs are not in order, the smallest first")
    wrong += [
        f"strength is no number above 0: {each.value[:20]}"
        for each in row.strength
        if not _NUMBER.fullmatch(each.value) or not Fraction(each.value)
    ]
    if len({each.unit for each in row.strength}) < len(row.strength):
        wrong.append("strength is stated twice in one unit")
    if row.vaccine and (row.unit != "dose" or row.vial_doses < 1):
        wrong.append("unit is dose and vial_doses at least 1 where it is a vaccine")
    if row.vial_doses and any(size % row.vial_doses for size in row.packs):
        wrong.append("packs are not whole vials")
    if not 0 <= row.vial_doses <= PACK_UNITS_MAX:
        wrong.append("vial_doses is below 0")
    if bool(row.kit) != (row.unit == "kit"):
        wrong.append("unit is kit where it has a composition, and nowhere else")
    return wrong + _reorder_faults(row.reorder)


def _other_faults(row: Item, known: Mapping[str, Item]) -> list[str]:
    """What an item says of other items."""
    wrong = []
    for code in row.diluents:
        if code not in known:
            wrong.append(f"diluents name no item {code}")
        elif known[code].form != "diluent":
            wrong.append(f"diluents name {code}, which is no diluent")
    if row.diluents and not row.vaccine:
        wrong.append("diluents are for vaccines")
    wrong += [f"kit names no item {part.item}" for part in row.kit if part.item not in known]
    wrong += [
        f"kit has no whole units of {part.item}"
        for part in row.kit
        if not 1 <= part.units <= PACK_UNITS_MAX
    ]
    parts = [part.item for part in row.kit]
    wrong += [f"kit names {code} twice" for code in sorted({*parts}) if parts.count(code) > 1]
    if len(parts) > KIT_ITEMS_MAX:
        wrong.append(f"kit has more than {KIT_ITEMS_MAX} items")
    return wrong


def _barcode_faults(pack: Items) -> list[str]:
    wrong = []
    seen: set[str] = set()
    for row in pack.item:
        for each in row.barcodes:
            what = f"item: {row.code}: barcodes"
            if not 0 < len(each.code) <= BARCODE_CHARS_MAX:
                wrong.append(f"{what} have 1 to {BARCODE_CHARS_MAX} characters")
            if is_digits(each.code) and len(each.code) == GTIN_DIGITS and not is_gtin(each.code):
                wrong.append(f"{what} name a GTIN with a wrong check digit")
            if not 1 <= each.units <= PACK_UNITS_MAX:
                wrong.append(f"{what} have no whole units")
            if each.code in seen:
                wrong.append(f"{what} name a code twice")
            seen.add(each.code)
    return wrong


def _reorder_faults(reorder: Reorder | None) -> list[str]:
    if reorder is None:
        return []
    days = (
        ("cover_days", reorder.cover_days, 1),
        ("lead_days", reorder.lead_days, 0),
        ("safety_days", reorder.safety_days, 0),
    )
    return [
        f"{name} is {least} to {DAYS_MAX}"
        for name, value, least in days
        if not least <= value <= DAYS_MAX
    ]


def _circles(known: Mapping[str, Item]) -> list[str]:
    """Return kits that hold themselves, at any depth."""
    found = []
    for code in known:
        below = {part.item for part in known[code].kit}
        reached: set[str] = set()
        while below:
            reached |= below
            below = {
                part.item for each in below if each in known for part in known[each].kit
            } - reached
        if code in reached:
            found.append(code)
    return found


def read_items(text: str) -> Items:
    """Return a checked catalogue.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Items)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_items() -> Items:
    """Return the catalogue that comes with the software."""
    return shipped("items", Items)


@cache
def _shipped_by_code() -> Mapping[str, Item]:
    return shipped_items().by_code()
