"""Lists to pick from in forms of care: words of the packs, routes, units, how often, reasons."""

from __future__ import annotations

from collections.abc import Sequence

from fieldnode.tui.cores.fields import Choice
from fieldnode.tui.cores.picked import Item
from fieldnode.tui.desk import Desk
from fieldnode.tui.wording import value_text
from protocols.guidelines.vocabulary import Allergen, rows_of, vocabulary

NUMBERS_FIRST = "12345678"
"""Numbers of the commonest rows of a closed list: one key each. Behind them come 91 to 99."""

# fmt: off
UNITS = (
    "mg", "g", "ug", "mL", "[iU]", "{tablet}", "{drop}", "{puff}", "{capsule}", "{sachet}",
    "{ampoule}", "mmol", "mL/h", "mg/h", "ug/min", "L/min", "{application}",
)
"""Units of a dose, the commonest first."""

ROUTES = (
    "oral", "iv", "im", "sc", "rectal", "inhaled", "topical", "io", "sublingual", "nasogastric",
    "vaginal", "nasal", "eye", "ear", "intradermal", "epidural", "other",
)

FREQUENCIES = (
    ("0", "once"), ("1", "times-a-day 1"), ("2", "times-a-day 2"), ("3", "times-a-day 3"),
    ("4", "times-a-day 4"), ("6", "every-hours 6"), ("7", "continuous"), ("8", "every-hours 8"),
    ("51", "as-needed 1"), ("52", "as-needed 2"), ("53", "as-needed 3"), ("54", "as-needed 4"),
    ("56", "as-needed 6"), ("91", "every-hours 1"), ("92", "every-hours 2"),
    ("94", "every-hours 4"), ("99", "every-hours 48"),
)
"""How often, each under digits that say it: 3 a day is 3, every 8 hours 8, every 4 hours 94."""

STOP_REASONS = (
    "finished", "side-effect", "allergic", "no-effect", "other-medicine", "wrong-order",
    "not-in-stock",
)
NOT_GIVEN_REASONS = (
    "does-not-want", "vomiting", "nil-by-mouth", "not-in-stock", "away", "asleep", "no-access",
    "vital-signs",
)
"""Why a dose was not given; other words do as well."""
# fmt: on

RELATION = (
    Choice("1", "direct", "value.direct", "D"),
    Choice("2", "indirect", "value.indirect", "I"),
    Choice("3", "unrelated", "value.unrelated", "U"),
    Choice("0", "unknown", "pick.unknown"),
)
"""Digits of the relation to the event."""


def terms(desk: Desk, room: str) -> tuple[Item, ...]:
    """Return the rows of a room of the vocabulary pack by their numbers."""
    return tuple(
        Item(
            str(row.number),
            row.name,
            row.word(*desk.words.languages),
            (*row.matches, *row.spoken) if isinstance(row, Allergen) else (),
        )
        for row in rows_of(room)
    )


def medicines(desk: Desk) -> tuple[Item, ...]:
    """Return the medicines that packs name: by letters, since no list numbers them."""
    from protocols.guidelines.doses import shipped_formulary

    names = [row.substance for row in shipped_formulary().dose]
    for row in vocabulary().allergen:
        names += row.matches
    return tuple(Item("", name, name) for name in sorted(dict.fromkeys(names)))


def units(desk: Desk) -> tuple[Item, ...]:
    """Return the units of a dose."""
    return _numbered(desk, UNITS, "measure")


def routes(desk: Desk) -> tuple[Item, ...]:
    """Return the routes."""
    return _numbered(desk, ROUTES, "value")


def reasons(desk: Desk, names: Sequence[str]) -> tuple[Item, ...]:
    """Return reasons that are often given."""
    return tuple(
        Item(str(at), name, desk.words(f"value.{name}")) for at, name in enumerate(names, 1)
    )


def frequencies(desk: Desk) -> tuple[Item, ...]:
    """Return how often a medicine is given."""
    return tuple(Item(number, name, often(desk, name)) for number, name in FREQUENCIES)


def often(desk: Desk, name: str) -> str:
    """Return how often in words: `times-a-day 3`, `every-hours 8`, `as-needed 4`, `once`."""
    words, (way, _, number) = desk.words, name.partition(" ")
    if number and words.has(f"often.{way}"):
        return words(f"often.{way}", n=number)
    # A word of later software stays as it is.
    return value_text(words, way)


def frequency_data(name: str) -> dict[str, object]:
    """Return it as the record takes it."""
    way, _, number = name.partition(" ")
    if not number:
        return {"way": way}
    return {"way": way, ("max_a_day" if way == "as-needed" else "every"): int(number)}


def _numbered(desk: Desk, names: Sequence[str], room: str) -> tuple[Item, ...]:
    found = []
    for at, name in enumerate(names):
        beyond = at - len(NUMBERS_FIRST)
        number = NUMBERS_FIRST[at] if beyond < 0 else f"9{beyond + 1}"
        key = f"{room}.{name.strip('{}[]')}"
        word = desk.words(key) if desk.words.has(key) else name
        found.append(Item(number, name, word))
    return tuple(found)
