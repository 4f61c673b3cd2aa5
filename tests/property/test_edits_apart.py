"""Edits apart on 2 to 6 real nodes: nothing lost, the same conflict and settlement everywhere.

Every attribute of the table is tried, so a new one is tried by itself, and every family of records
of care about which people may differ; `RISKS` says whether one was left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import count
from random import Random
from typing import Any

import pytest

from protocols.guidelines.vocabulary import vocabulary
from protocols.ids import SiteId
from protocols.ledger.conflicts import Unsettled, unsettled
from protocols.records.attributes import (
    ATTRIBUTES,
    ENCOUNTER_FIRST,
    SITE_FIRST,
    TRIAGE,
    Attribute,
    words,
)
from protocols.records.contested import RISKS, risk_of
from tests.unit.care_lines import ANYWAY, PARACETAMOL
from tests.unit.stage import Device, Line, Stage, agree, line, meshed, patient

NODES = (2, 3, 4, 5, 6)
MOST = max(NODES)


@cache
def world(nodes: int) -> tuple[Stage, list[Device]]:
    """Return nodes that are linked, each two with each other; tests have patients of their own."""
    return meshed([f"node {number}" for number in range(nodes)], seed=nodes)


class Apart:
    """Nodes without any link, and what they had written when they were cut off."""

    def __init__(self, nodes: int) -> None:
        self.stage, self.devices = world(nodes)
        self.written: set[bytes] = set()
        self.heal()

    def heal(self, chance: Random | None = None) -> None:
        """Link each two, in any order, and wait until all hold the same."""
        pairs = [
            (one, other) for at, one in enumerate(self.devices) for other in self.devices[at + 1 :]
        ]
        if chance is not None:
            chance.shuffle(pairs)
        for one, other in pairs:
            if not any(far is other for far, _ in one.links.values()):
                self.stage.link(one, other)
                # Some meet before others do, so news travels by more than one way.
                self.stage.run(chance.choice((0, 5, 400)) if chance else 0)
        self.stage.run(5_000)
        assert agree(*self.devices)
        held = self.devices[0].entries
        assert all(device.entries == held for device in self.devices)
        assert self.written <= held, "a record was lost"

    def cut(self) -> None:
        for at, one in enumerate(self.devices):
            for other in self.devices[at + 1 :]:
                self.stage.cut(one, other)

    def write(self, device: Device, *lines: Line) -> Any:
        answers = self.stage.write(device, *lines)
        assert all(answer.ok for answer in answers), answers
        self.written |= device.entries
        return answers[0]


def in_care(apart: Apart) -> str:
    """Return the code of somebody new whom every node knows and who is in care."""
    first = apart.devices[0]
    code = str(apart.write(first, patient(f"Amina {len(first.entries)}")).code)
    apart.write(first, line("encounter.open", {}, patient=code))
    apart.stage.run(2_000)
    return code


# Values: by type and, where a text has a form of its own, the first family that is accepted.

TEXTS_TRIED = (
    [f"Rue {number}" for number in range(MOST)],
    [f"{letter}AA" for letter in "ABCDEF"],
    [f"{letter}a" for letter in "abcdef"],
    [f"+257 61 00 0{number}" for number in range(MOST)],
)
_number = count(1)
BY_NAME: dict[str, Callable[[int], Any]] = {
    "birth_date": lambda n: f"198{n}-05-01",
    "age": lambda n: {"value": 20 + n, "unit": "y"},
    "band": lambda n: (1, 2, 3, 4, 5, 9)[n],
    "tags": lambda n: [f"apart-{n}-{next(_number)}"],
    "national_id": lambda n: {"system": "XX", "value": f"100{n}"},
    "syndrome": lambda n: [row.name for row in vocabulary().condition if row.syndrome][n],
    "beds": lambda n: 10 + n,
    "position": lambda n: {"north": f"{n}.5", "east": "29.4"},
}
NESTED = {
    "kin_name": ("next_of_kin", "name"),
    "kin_relation": ("next_of_kin", "relation"),
    "kin_phone": ("next_of_kin", "phone"),
    "consent_treat": ("consent", "treat"),
    "consent_share": ("consent", "share"),
}


def families(apart: Apart, attribute: Attribute) -> Iterator[list[Any]]:
    """Return lists of different values that may do for an attribute."""
    if attribute.name in BY_NAME:
        yield [BY_NAME[attribute.name](number) for number in range(MOST)]
    elif attribute.words is not None:
        yield list(words(attribute.words))[:MOST]
    elif attribute.type is bytes:
        yield sites(apart)
    else:
        yield from TEXTS_TRIED


def sites(apart: Apart) -> list[str]:
    first = apart.devices[0]
    found = [
        str(apart.write(first, line("site.register", {"name": f"Site {number}"})).id)
        for number in range(MOST)
    ]
    apart.stage.run(2_000)
    return found


def stating(attribute: Attribute, about: dict[str, str], value: Any) -> Line:
    """Return a line that states it as the kind does that usually states it."""
    field, part = NESTED.get(attribute.name, (attribute.name, ""))
    data = {field: {part: value}} if part else {field: value}
    if attribute.number >= SITE_FIRST:
        return line("site.register", data, **about)
    if attribute.number == TRIAGE:
        return line("triage.record", {"category": value}, **about)
    if attribute.number >= ENCOUNTER_FIRST:
        return line("encounter.move", data, **about)
    return line("patient.identify", data, **about)


def values_for(apart: Apart, attribute: Attribute, about: dict[str, str]) -> list[Any]:
    """Return different values that a node takes; a patient of their own tries them out."""
    for values in families(apart, attribute):
        if attribute.several:  # Tried out, a tag would be somebody else's.
            return values
        answers = apart.stage.write(apart.devices[0], stating(attribute, about, values[0]))
        if answers[0].ok:
            return values
    raise AssertionError(f"say above what different values of {attribute.name!r} look like")


def conflicts(device: Device, code: str) -> list[Unsettled]:
    device.ledger.catch_up_all()
    return [each for each in unsettled(device.ledger) if each.code == code]


def listed(device: Device, attribute: Attribute, about: dict[str, str]) -> set[Any]:
    """Return the different values that this node shows; none where they are settled."""
    if attribute.number < SITE_FIRST:
        return {
            (side.value, side.fact, side.used)
            for each in conflicts(device, about["patient"])
            if each.what == attribute.name
            for side in each.sides
        }
    device.ledger.catch_up_all()
    rows = device.store.all(
        "SELECT a.value, e.hash FROM assertion a JOIN entry e ON e.arrival = a.entry"
        " WHERE a.attribute = ? AND a.patient = ?",
        (attribute.name, bytes(SiteId.parse(about["site"]))),
    )
    return set(rows)


def tags(device: Device, code: str) -> set[str]:
    """Return every tag that this node shows a patient to carry."""
    device.ledger.catch_up_all()
    (row,) = device.store.all("SELECT id, tag FROM patient WHERE code = ?", (code,))
    more = device.store.all("SELECT tag FROM tag WHERE patient = ?", (row[0],))
    return {row[1]} | {tag for (tag,) in more}


def everywhere(apart: Apart, attribute: Attribute, about: dict[str, str]) -> set[Any]:
    """Return what is listed; every node lists the same."""
    found = [listed(device, attribute, about) for device in apart.devices]
    assert all(each == found[0] for each in found)
    return found[0]


def edited_apart(attribute: Attribute, nodes: int, seed: int) -> None:
    """State an attribute differently on every node, heal, settle differently on two, settle."""
    chance, apart = Random(f"{attribute.name}-{nodes}-{seed}"), Apart(nodes)
    about = _about(apart, attribute)
    values = values_for(apart, attribute, _about(apart, attribute))
    apart.stage.run(2_000)
    chance.shuffle(values)
    apart.cut()
    used = [values[at % len(values)] for at in range(nodes)]
    for device, value in chance.sample(list(zip(apart.devices, used, strict=True)), nodes):
        apart.write(device, stating(attribute, about, value))
    apart.heal(chance)

    different = {str(value) for value in used}
    shown = everywhere(apart, attribute, about)
    if attribute.several:
        assert shown == set()
        for device in apart.devices:
            assert tags(device, about["patient"]) == {value[0] for value in used}
        return
    assert len({each[0] for each in shown}) == len(different), "a value was lost"

    apart.cut()
    last: Line = {}
    for device, value in zip(apart.devices, (values[0], values[1]), strict=False):
        last = settling(attribute, about, value)
        apart.write(device, last)
    apart.heal(chance)
    assert len({each[0] for each in everywhere(apart, attribute, about)}) == 2

    apart.write(chance.choice(apart.devices), settling(attribute, about, values[-1]))
    apart.stage.run(5_000)
    assert agree(*apart.devices)
    assert everywhere(apart, attribute, about) == set()


def settling(attribute: Attribute, about: dict[str, str], value: Any) -> Line:
    data = {"attribute": attribute.name, "value": value}
    return line("conflict.settle", data, confirm=["not_unsettled"], **about)


def _about(apart: Apart, attribute: Attribute) -> dict[str, str]:
    if attribute.number < SITE_FIRST:
        return {"patient": in_care(apart)}
    first = apart.devices[0]
    site = apart.write(first, line("site.register", {"name": "Camp"}))
    apart.stage.run(2_000)
    return {"site": str(site.id)}


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda each: each.name)
def test_edits_apart_of_an_attribute_are_kept_shown_and_settled_alike_everywhere(attribute):
    edited_apart(attribute, NODES[attribute.number % len(NODES)], seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", NODES)
@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda each: each.name)
def test_edits_apart_of_an_attribute_on_any_number_of_nodes(attribute, nodes):
    for seed in range(2, 5):
        edited_apart(attribute, nodes, seed)


# Care: what each node writes apart, and what somebody who sees it all then writes.

KG = {"code": "weight", "unit": "kg"}
LATEX = {"code": "latex"}
Settle = Callable[[Apart, str, Sequence[Unsettled]], list[Line]]


def stated(kind: str, data: dict[str, Any]) -> Settle:
    return lambda apart, code, found: [line(kind, data, patient=code, **ANYWAY)]


def naming_all(kind: str, data: dict[str, Any]) -> Settle:
    """Return a line that says which facts it takes the place of."""
    return lambda apart, code, found: [
        line(
            kind,
            data,
            patient=code,
            supersedes=[str(side.fact) for each in found for side in each.sides],
            **ANYWAY,
        )
    ]


def on_all_but_one(kind: str, field: str) -> Settle:
    return lambda apart, code, found: [
        line(kind, {field: str(side.fact)}, patient=code, **ANYWAY) for side in found[0].sides[1:]
    ]


Case = tuple[str, list[tuple[str, dict[str, Any]]], Settle]
CASES: dict[str, Case] = {
    "none known and an allergy": (
        "allergy",
        [("allergy.record", {"status": "none-known"}), ("allergy.record", LATEX)],
        stated("allergy.record", LATEX),
    ),
    "one allergy, two severities": (
        "allergy",
        [
            ("allergy.record", {**LATEX, "severity": "mild"}),
            ("allergy.record", {**LATEX, "severity": "severe"}),
        ],
        stated("allergy.record", {**LATEX, "severity": "severe"}),
    ),
    "weights": (
        "weight",
        [("observation.record", {**KG, "value": f"{40 + 10 * n}"}) for n in range(MOST)],
        naming_all("observation.record", {**KG, "value": "50"}),
    ),
    "one medicine ordered twice": (
        "order",
        [("order.place", PARACETAMOL)],
        on_all_but_one("order.stop", "order"),
    ),
    "one dose given twice": (
        "dose",
        [("administration.record", {"order": "$order"})],
        stated("administration.record", {"order": "$order", "status": "not-given"}),
    ),
    "stopped and given": (
        "dose",
        [("order.stop", {"order": "$order"}), ("administration.record", {"order": "$order"})],
        lambda apart, code, found: [
            line("order.stop", {"order": "$order"}, patient=code, **ANYWAY),
            line(
                "administration.record",
                {"order": "$order", "status": "not-given"},
                patient=code,
                **ANYWAY,
            ),
        ],
    ),
    "a condition, over or not": (
        "condition",
        [
            ("condition.record", {"code": "malaria", "status": status})
            for status in ("active", "resolved", "refuted")
        ],
        stated("condition.record", {"code": "malaria", "status": "refuted"}),
    ),
    "two outcomes": (
        "outcome",
        [("encounter.close", {"outcome": each}) for each in ("discharged", "died", "referred")],
        on_all_but_one("entry.retract", "fact"),
    ),
    "two offers": (
        "custody",
        [("transfer.offer", {"to": {"organisation": f"Team {n}"}}) for n in range(MOST)],
        on_all_but_one("entry.retract", "fact"),
    ),
}


def keep_one_of_each(apart: Apart, device: Device, code: str, chance: Random) -> None:
    """Settle as the screen does: of each conflict one side is kept, until there is none."""
    for _ in range(MOST):
        found = conflicts(device, code)
        if not found:
            return
        sides = chance.sample(found[0].sides, len(found[0].sides))
        lines = [
            line(
                "conflict.settle",
                {"attribute": found[0].what, "keep": str(side.fact)},
                patient=code,
                **ANYWAY,
            )
            for side in sides
        ]
        # Of a dose and a stop, keeping the dose says nothing of the stop: that is refused.
        answers = (apart.stage.write(device, each)[0] for each in lines)
        assert next(each for each in answers if each.error != "settle_otherwise").ok
    raise AssertionError(f"still unsettled: {conflicts(device, code)}")


def differ(name: str, nodes: int, seed: int, *, by_keeping: bool) -> None:
    """Write differently about one thing on every node, heal, and settle it on one."""
    chance, apart = Random(f"{name}-{nodes}-{seed}"), Apart(nodes)
    risk, lines, settle = CASES[name]
    code = in_care(apart)
    order = ""
    if "$order" in repr((lines, name)) or name == "stopped and given":
        placed = line("order.place", PARACETAMOL, patient=code)
        order = str(apart.write(apart.devices[0], placed).facts[0])
        apart.stage.run(2_000)
    apart.cut()
    for at, device in chance.sample(list(enumerate(apart.devices)), nodes):
        kind, data = lines[at % len(lines)]
        told = {field: order if value == "$order" else value for field, value in data.items()}
        apart.write(device, line(kind, told, patient=code, **ANYWAY))
    apart.heal(chance)

    shown = [
        [
            (each.risk, each.what, each.of_what, [side[:3] for side in each.sides])
            for each in conflicts(device, code)
        ]
        for device in apart.devices
    ]
    assert all(each == shown[0] for each in shown)
    assert {each[0] for each in shown[0]} == {risk}
    apart.written |= apart.devices[0].entries

    chosen = chance.choice(apart.devices)
    if by_keeping:
        keep_one_of_each(apart, chosen, code, chance)
    for each in [] if by_keeping else settle(apart, code, conflicts(chosen, code)):
        data = {field: order if said == "$order" else said for field, said in each["data"].items()}
        apart.write(chosen, {**each, "data": data})
    apart.heal(chance)
    assert all(conflicts(device, code) == [] for device in apart.devices)


@pytest.mark.parametrize("name", CASES)
def test_records_of_care_that_differ_are_kept_shown_and_settled_alike_everywhere(name):
    nodes = NODES[list(CASES).index(name) % len(NODES)]
    differ(name, nodes, seed=1, by_keeping=False)
    differ(name, nodes, seed=1, by_keeping=True)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", NODES)
@pytest.mark.parametrize("name", CASES)
def test_records_of_care_that_differ_on_any_number_of_nodes(name, nodes):
    for seed in range(2, 5):
        differ(name, nodes, seed, by_keeping=False)
        differ(name, nodes, seed, by_keeping=True)


def test_every_risk_of_the_table_is_tried_above():
    by_attribute = {risk_of(each.name) for each in ATTRIBUTES if each.number < SITE_FIRST}

    assert by_attribute | {risk for risk, _, _ in CASES.values()} == set(RISKS)
