"""What is unsettled of a patient, by clinical risk: one table says which risk comes first.

Each family of records says where people who wrote apart differ; here is what they say it with.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from protocols.ids import EncounterId
from protocols.records.history import History
from protocols.records.shape import Fact

RISKS = (
    "allergy",
    "triage",
    "custody",
    "weight",
    "order",
    "dose",
    "identity",
    "isolation",
    "condition",
    "place",
    "outcome",
    "particulars",
)
"""What a difference can harm, the most first. `dose` is a dose that may have been given twice or
after it was stopped; `identity` is who somebody is: sex, age, name, national number."""

RANK = {name: rank for rank, name in enumerate(RISKS)}

_OF_ATTRIBUTE = {
    "triage": "triage",
    "sex": "identity",
    "birth_date": "identity",
    "age": "identity",
    "band": "identity",
    "family_name": "identity",
    "given_name": "identity",
    "national_id": "identity",
    "consent_treat": "identity",
    "isolation": "isolation",
    "syndrome": "condition",
    "event_relation": "condition",
    "problem": "condition",
    "bed": "place",
    "ward": "place",
    "site": "place",
    "class": "place",
}


def risk_of(attribute: str) -> str:
    """Return the risk of an attribute that is unsettled, by its name."""
    return _OF_ATTRIBUTE.get(attribute, RISKS[-1])


class Side(NamedTuple):
    """One of the different values."""

    value: str
    """As text, cleaned; codes as words."""
    fact: Fact
    used: bool
    """Whether it is the one that is used meanwhile."""


class Contest(NamedTuple):
    """One thing about which people who wrote apart differ."""

    risk: str
    """One of `RISKS`."""
    about: str
    """What of: the substance, the condition, the attribute."""
    encounter: EncounterId | None
    sides: tuple[Side, ...]
    """In display order."""


KeyType = TypeVar("KeyType", bound=Hashable)


def current(history: History, *kinds: int) -> list[Fact]:
    """Return the facts of some kinds that stand and that nothing replaces, in display order."""
    found = [
        fact
        for kind in kinds
        for fact in history.of_kind.get(kind, ())
        if fact.standing == 0 and not history.replaced(fact)
    ]
    return found if len(kinds) < 2 else sorted(found, key=lambda fact: (fact.order, fact.index))


def shown(history: History, *kinds: int) -> list[Fact]:
    """Return what a person sees of some kinds: what nothing replaces, whether it stands or not."""
    return [
        fact
        for kind in kinds
        for fact in history.of_kind.get(kind, ())
        if not history.replaced(fact)
    ]


def grouped(
    facts: Iterable[Fact], key: Callable[[Fact], KeyType]
) -> Mapping[KeyType, Sequence[Fact]]:
    """Return facts by what they are about, groups in the order of their first fact."""
    found: dict[KeyType, list[Fact]] = {}
    for fact in facts:
        found.setdefault(key(fact), []).append(fact)
    return found
