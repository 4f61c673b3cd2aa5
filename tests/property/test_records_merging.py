"""Any order of delivery, any history of edits apart, any bytes: the same picture, nothing lost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.ids import DocId, PatientId
from protocols.records import care
from protocols.records.attributes import BY_NAME, SEVERAL
from protocols.records.catalogue import BY_NUMBER, decode_fact, encode_fact, project
from protocols.records.codes import ERRORS
from protocols.records.commands import parse_line, plan
from protocols.records.document import DocumentOpen
from protocols.records.history import History
from protocols.records.rows import attributes, fact_json, summary, to_json
from protocols.records.shape import Fact, Row, columns, values
from tests.unit.care_lines import ANYWAY, CARE, NAMED
from tests.unit.records_shelf import FULL_PERSON, NOW_MS, Shelf

NAMES = ("Aline", "Alice", "Celine")
SEXES = ("female", "male", "female-pregnant")
CATEGORIES = ("red", "yellow", "green", "expectant", "dead")

ACTIONS = st.one_of(
    st.tuples(st.just("name"), st.sampled_from(NAMES)),
    st.tuples(st.just("sex"), st.sampled_from(SEXES)),
    st.tuples(st.just("phone"), st.sampled_from(("+257 61", "+257 62", None))),
    st.tuples(st.just("both"), st.sampled_from(NAMES)),
    st.tuples(st.just("triage"), st.sampled_from(CATEGORIES)),
    st.tuples(st.just("bed"), st.sampled_from(("A1", "A2"))),
    st.tuples(st.just("close"), st.sampled_from(("discharged", "died"))),
    st.tuples(st.just("settle"), st.sampled_from(NAMES)),
    st.tuples(st.just("care"), st.sampled_from(CARE)),
    st.tuples(st.just("care"), st.sampled_from(CARE)),
    st.tuples(st.just("undo"), st.integers(0, 50)),
    st.tuples(st.just("meet"), st.integers(0, 5)),
)
STEPS = st.lists(st.tuples(st.integers(0, 5), ACTIONS), max_size=14)


def act(shelves: list[Shelf], who: int, action: tuple[str, Any], patient: str) -> None:
    shelf, (what, value) = shelves[who % len(shelves)], action
    lines: dict[str, tuple[str, dict[str, Any]]] = {
        "name": ("patient.identify", {"given_name": value}),
        "sex": ("patient.identify", {"sex": value}),
        "phone": ("patient.identify", {"phone": value}),
        "both": ("patient.identify", {"given_name": value, "family_name": value}),
        "triage": ("triage.record", {"category": value}),
        "bed": ("encounter.move", {"bed": value}),
        "close": ("encounter.close", {"outcome": value}),
        "settle": ("conflict.settle", {"attribute": "given_name", "value": value}),
    }
    if what == "care":
        kind, data = value
        named = naming(known(shelf, patient), data)
        if named is not None:
            take(shelf, kind, named, patient=patient, **ANYWAY)
    elif what == "meet":
        shelf.receive(shelves[value % len(shelves)])
    elif what == "undo":
        (subject,) = shelf.kinds
        written = [fact for fact in shelf.facts(subject) if fact.kind != 1]
        fact = str(written[value % len(written)].ref)
        take(shelf, "entry.retract", {"fact": fact}, reason="error")
    else:
        kind, data = lines[what]
        take(shelf, kind, data, patient=patient)


def known(shelf: Shelf, patient: str) -> Sequence[Fact]:
    return shelf.facts(PatientId.parse(patient))


def naming(facts: Sequence[Fact], data: dict[str, Any]) -> dict[str, Any] | None:
    """Return a line of care with the facts it names by number; None while there are none."""
    found = dict(data)
    for field, kinds in NAMED.items():
        if isinstance(data.get(field), int):
            refs = [fact.ref for fact in facts if fact.kind in kinds]
            if not refs:
                return None
            found[field] = str(refs[data[field] % len(refs)])
    return found


def take(shelf: Shelf, kind: str, data: dict[str, Any], **line: Any) -> None:
    refused = None
    try:
        shelf.write(kind, data, **line)
    except InputError as error:
        refused = error.code
    assert refused in (None, "no_encounter", "already_retracted", "offer_closed", "own_offer")


def apart(steps: list[tuple[int, tuple[str, Any]]], tents: int) -> list[Shelf]:
    """Return what each tent holds after they worked apart and met now and then."""
    shelves = [Shelf(name) for name in "abcdef"[:tents]]
    patient = shelves[0].write("patient.register", {"given_name": "Aline", "tags": ["B12"]}).id
    for shelf in shelves[1:]:
        shelf.receive(shelves[0])
    for who, action in steps:
        act(shelves, who, action, patient)
    return shelves


def everything(shelves: list[Shelf]) -> tuple[DocId, list[Fact]]:
    whole = Shelf("z")
    for shelf in shelves:
        whole.receive(shelf)
    (subject,) = whole.kinds
    return subject, list(whole.facts(subject))


def independent_currency(facts: list[Fact]) -> dict[tuple[Any, int], set[Any]]:
    """The rule of the design, written as slowly and plainly as it reads; facts that stand only."""
    standing = {(bytes(f.prefix), f.index): f for f in facts if f.standing == 0}

    def named(fact: Fact) -> set[tuple[bytes, int]]:
        assert fact.record is not None
        return {(prefix or bytes(fact.doc_id), at) for prefix, at in fact.record.supersedes}

    def retracted(ref: tuple[bytes, int]) -> bool:
        return any(
            fact.kind == 56 and ref in named(fact) and not retracted(by)
            for by, fact in standing.items()
        )

    def hides(by: tuple[bytes, int], ref: tuple[bytes, int], number: int) -> bool:
        """Whether `by` corrects `ref`, straight or through facts entered in error."""
        fact = standing[by]
        if fact.kind == 56 or number not in dict(fact.record.asserts()):
            return False
        return any(
            target == ref
            or (target in standing and retracted(target) and hides(target, ref, number))
            for target in named(fact)
        )

    founding = [(f, cast(DocumentOpen, f.record)) for f in facts if f.kind == 1]
    encounter_of = {f.doc: opening.encounter_id(f.doc_id) for f, opening in founding}
    found: dict[tuple[Any, int], set[Any]] = {}
    for ref, fact in standing.items():
        for number, value in fact.record.asserts() if not retracted(ref) else ():
            if any(not retracted(by) and hides(by, ref, number) for by in standing):
                continue
            key = (encounter_of[fact.doc] if number >= 64 else None, number)
            found.setdefault(key, set()).add(value)
    return found


def independently_replaced(facts: list[Fact]) -> dict[tuple[int, int], int]:
    """By (entry, index) what is entered in error or replaced as a whole, as plainly as it reads."""
    standing = {(bytes(f.prefix), f.index): f for f in facts if f.standing == 0}

    def named(fact: Fact) -> set[tuple[bytes, int]]:
        assert fact.record is not None
        return {(prefix or bytes(fact.doc_id), at) for prefix, at in fact.record.supersedes}

    def retracted(ref: tuple[bytes, int]) -> bool:
        return any(
            fact.kind == 56 and ref in named(fact) and not retracted(by)
            for by, fact in standing.items()
        )

    def replaces(by: tuple[bytes, int], ref: tuple[bytes, int], kind: int) -> bool:
        return standing[by].kind == kind and any(
            target == ref
            or (target in standing and retracted(target) and replaces(target, ref, kind))
            for target in named(standing[by])
        )

    found = {}
    for ref, fact in ((ref, fact) for ref, fact in standing.items() if fact.kind != 1):
        by_others = any(not retracted(by) and replaces(by, ref, fact.kind) for by in standing)
        found[fact.entry, fact.index] = 2 if retracted(ref) else int(by_others)
    return found


@given(STEPS, st.integers(2, 6))
def test_every_record_of_care_has_its_row_and_is_replaced_by_who_saw_it_only(steps, tents):
    subject, facts = everything(apart(steps, tents))
    expected = independently_replaced(facts)
    kinds = {int(kind.number) for kind in care.KINDS}

    rows = project(1, subject, facts)

    of_care = {table.TABLE for table in care.OF_FACTS}
    told = {(row.entry, row.idx): row.replaced for row in rows if row.TABLE in of_care}
    assert told == {
        (fact.entry, fact.index): expected[fact.entry, fact.index]
        for fact in facts
        if fact.kind in kinds
    }


@given(STEPS, st.integers(2, 4), st.randoms(use_true_random=False))
def test_any_order_of_delivery_gives_the_same_rows(steps, tents, shuffler):
    subject, facts = everything(apart(steps, tents))
    expected = project(1, subject, facts)

    shuffler.shuffle(facts)

    assert project(1, subject, facts) == expected


@given(STEPS, st.integers(2, 6))
def test_tents_that_meet_show_the_same_and_nothing_is_lost(steps, tents):
    shelves = apart(steps, tents)
    subject, facts = everything(shelves)
    for shelf in shelves:
        for other in shelves:
            shelf.receive(other)

    rows = [shelf.rows(subject) for shelf in shelves]

    assert all(each == rows[0] for each in rows)
    assert {fact.ref for fact in facts} == {fact.ref for fact in shelves[0].facts(subject)}
    history = History(subject, facts)
    said = {key: {one.value for one in found} for key, found in history.now.items()}
    assert said == independent_currency(facts)
    unsettled = {key for key, found in said.items() if len(found) > 1 and key[1] not in SEVERAL}
    listed = {
        (row.encounter, BY_NAME[row.attribute].number)
        for row in shelves[0].table(subject, "assertion")
    }
    assert listed == unsettled
    of_attributes = {
        (row.encounter, BY_NAME[row.what].number)
        for row in shelves[0].table(subject, "conflict")
        if row.what in BY_NAME
    }
    assert of_attributes == unsettled


@given(STEPS, st.integers(2, 4), st.data())
def test_what_does_not_stand_changes_nothing_that_stands(steps, tents, data):
    subject, facts = everything(apart(steps, tents))
    refused = data.draw(
        st.sets(st.sampled_from(range(1, len(facts)))) if len(facts) > 1 else st.just(set())
    )
    marked = [
        msgspec.structs.replace(fact, standing=2) if at in refused and fact.kind != 1 else fact
        for at, fact in enumerate(facts)
    ]
    only = [fact for fact in marked if fact.standing == 0]

    with_them, without = History(subject, marked), History(subject, only)

    assert with_them.now == without.now
    assert with_them.retracted == without.retracted


@given(STEPS, st.integers(2, 5))
def test_one_settlement_per_unsettled_attribute_settles_everything(steps, tents):
    subject, facts = everything(apart(steps, tents))
    whole = Shelf("y", clock=10_000)
    whole.facts_by_subject[subject] = facts
    whole.kinds[subject] = 1
    wanted: dict[str, Any] = {"given_name": "X", "family_name": "X", "sex": "male", "phone": None}
    wanted |= {"triage": "green", "bed": "C1", "ward": "W2", "isolation": "strict"}
    wanted |= {"syndrome": "other", "event_relation": "direct"}
    for row in whole.table(subject, "assertion"):
        stay = {"encounter": _stay(row)} if row.encounter else {}
        line = {"attribute": row.attribute, "value": wanted[row.attribute]}
        whole.write("conflict.settle", line, patient=str(PatientId(subject)), **stay)

    assert whole.table(subject, "assertion") == []


def _stay(row: Any) -> str:
    return str(to_json(row)["encounter"])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)

LEAVES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 2**31, 2**63 - 1, 2**64 - 1, -(2**63), 10**12, 1.5, float("nan")),
    *("", "x", "\x1b[31m\u202e", "a" * 300, b"", bytes(16), b"x" * 16, b"x" * 5, [], {}, [None]),
    *({200: 1}, {-1: 1}, {4: [2**63]}, {3: 10**9}, {3: -(10**12)}, {6: ["\x1b", "b"]}, {66: b"z"}),
    *([[b"", -1]], [[b"x" * 3, 1]], [[b"y" * 16, 2**64 - 1]], {13: []}, {101: [2**40, 1]}),
)
"""What an attacker with a key might put where something else belongs."""


def mutated(value: Any, draw: random.Random) -> Any:
    """Return the value with one part, at any depth, replaced."""
    if isinstance(value, list) and value and draw.random() < 0.75:
        at = draw.randrange(len(value))
        return [*value[:at], mutated(value[at], draw), *value[at + 1 :]]
    if isinstance(value, dict) and value and draw.random() < 0.75:
        key = draw.choice(list(value))
        return {**value, key: mutated(value[key], draw)}
    return draw.choice(LEAVES)


def hostile(fact: Fact, draw: random.Random) -> Fact:
    """Return the fact as another device would read it after somebody bent its bytes."""
    assert fact.record is not None
    parts = msgspec.msgpack.decode(encode_fact(fact.kind, fact.record))
    parts += [None] * max(0, 4 - len(parts))
    for _ in range(draw.choice((1, 1, 3))):
        bent = mutated(parts, draw)
        parts = bent if isinstance(bent, list) else parts
    kind = draw.choice((*[fact.kind] * 9, *BY_NUMBER))
    raw = msgspec.msgpack.encode(parts)
    record = decode_fact(kind, raw if draw.random() < 0.9 else draw.randbytes(20))
    return msgspec.structs.replace(fact, kind=kind, record=record, standing=draw.choice((0, 0, 1)))


def busy_ward() -> Shelf:
    """Return a shelf with a fact of most kinds."""
    shelf = Shelf()
    patient = shelf.write("patient.register", FULL_PERSON).id
    other = shelf.write("patient.register").id
    shelf.write("patient.link", {"other": other}, patient=patient)
    shelf.write("encounter.open", {"bed": "A1"}, patient=patient)
    shelf.write("triage.record", {"category": "red", "alerts": ["x"]}, patient=patient)
    note = shelf.write("note.add", {"text": "x"}, patient=patient, at="2026-05-01", by="me").fact
    shelf.write("entry.retract", {"fact": note}, reason="error")
    shelf.write("conflict.settle", {"attribute": "sex", "value": "male"}, patient=patient)
    for kind, data in CARE:
        take(shelf, kind, naming(known(shelf, patient), data) or {}, patient=patient, **ANYWAY)
    shelf.write("encounter.close", {"outcome": "died"}, patient=patient)
    spo2 = {"code": "spo2", "value": "94", "unit": "%"}
    result = shelf.write("observation.record", spo2, source="device").fact
    shelf.write("result.accept", {"results": [result]})
    shelf.write("result.assign", {"result": result}, patient=patient)
    position = {"north": "1", "east": "2"}
    shelf.write("site.register", {"name": "x", "beds": 4, "position": position})
    return shelf


WARD = busy_ward()


@given(st.randoms(use_true_random=False))
def test_hostile_values_never_raise_and_always_fit_their_columns(draw):
    for subject, kind in WARD.kinds.items():
        facts = list(WARD.facts(subject))
        for _ in range(draw.choice((1, 2))):
            at = draw.randrange(len(facts))
            honest = draw.choice((at, at, draw.randrange(len(facts))))
            facts[at] = hostile(WARD.facts(subject)[honest], draw)

        for row in project(draw.choice((kind, 0, 7)), subject, facts):
            assert msgspec.json.encode(to_json(row))
            check_columns(row)
        for fact in facts:
            assert msgspec.json.encode(fact_json(fact))
            assert "\x1b" not in str(summary(fact))
        assert attributes(History(subject, facts)) is not None


def check_columns(row: Row) -> None:
    """A row can be stored: types as declared, numbers of 64 bits, no control characters."""
    for (name, note), value in zip(columns(type(row)), values(row), strict=True):
        declared = {"int": int, "str": str, "bytes": bytes}[note.removesuffix(" | None")]
        assert isinstance(value, declared) or (value is None and note.endswith("None")), name
        assert not isinstance(value, int) or -(2**63) <= value < 2**63, name
        assert not isinstance(value, str) or "\x1b" not in value, name


@given(
    st.dictionaries(st.sampled_from(("v", "kind", "key", "data", "patient", "at", "confirm")), JUNK)
)
def test_hostile_lines_are_refused_with_a_code(line):
    code = "taken"
    try:
        plan(parse_line({"v": 1, "kind": "note.add", "key": "k", **line}), Shelf(now_ms=NOW_MS))
    except InputError as error:
        code = error.code
    assert code in ERRORS


@given(st.sampled_from(sorted(FULL_PERSON)), JUNK)
def test_a_hostile_particular_is_refused_or_can_be_written_and_shown(name, value):
    shelf = Shelf()
    try:
        written = shelf.write("patient.register", {name: value})
    except InputError:
        return
    assert msgspec.json.encode(to_json(shelf.patient(written.subject)))
