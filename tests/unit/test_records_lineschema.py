"""The schema of a line and what reads the line say the same, so a program may check before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.guidelines.decimals import read_decimal
from protocols.ids import DeviceId, DocId, FactRef, SessionId, SiteId
from protocols.records import attributes, spelling
from protocols.records.catalogue import BY_NAME
from protocols.records.codes import CONFIRMABLE
from protocols.records.commands import CONFIRM_MAX, parse_line, plan
from protocols.records.lineschema import DIALECT, schemas
from protocols.records.moving import expiry_day
from protocols.records.planning import Moment, read_time
from protocols.records.vaccination import read_day
from tests.unit.records_shelf import FULL_PERSON, Shelf, Written
from tests.unit.schema_words import faults, referred
from tests.unit.test_records_catalogue import filled, ward

SCHEMAS = schemas()
BYTES_MAX = 8 * 1024
"""Of one schema: a person reads it, a small device holds it."""

Path = tuple[str, ...]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_example_of_every_kind_is_what_its_schema_says_of_a_line(name):
    example = BY_NAME[name].example

    assert faults(SCHEMAS[name], example) == []
    assert faults(SCHEMAS[name], filled(example, ward_held())) == []
    for lacking in ("v", "kind", "key"):
        short = {field: value for field, value in example.items() if field != lacking}
        assert faults(SCHEMAS[name], short) == ["$: required"]
    for wrong in ({"v": 2}, {"kind": "note.burn"}, {"colour": "red"}, {"data": {"colour": 1}}):
        assert faults(SCHEMAS[name], {**example, **wrong})


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_holds_what_its_kind_needs_and_no_more(name):
    schema = SCHEMAS[name]
    text = json.dumps(schema)

    named = set(re.findall(r'"\$ref": "#/\$defs/([^"]+)"', text))
    assert named == set(schema["$defs"])
    assert len(text) <= BYTES_MAX
    assert schema["$schema"] == DIALECT and text.count("://") == 1
    required = [field.required for field in msgspec.structs.fields(BY_NAME[name].data)]
    assert ("data" in schema["required"]) == any(required)
    assert faults(schema, {**BY_NAME[name].example, "store": SITE})[:1] == (
        [] if BY_NAME[name].stores else ["$.store: type"]
    )


def test_patterns_are_spelled_so_that_javascript_reads_them_too():
    """It refuses an escape that is none, which Python passes over."""
    patterns = re.findall(r'"pattern": ("(?:[^"\\\\]|\\\\.)*")', json.dumps(SCHEMAS))

    assert len(patterns) > 100
    for pattern in map(json.loads, patterns):
        assert re.compile(pattern)
        assert set(re.findall(r"\\(.)", pattern)) <= set("sturn.$+"), pattern


# What the schema closes, the node closes


class Place(NamedTuple):
    """A field of a kind's line that holds one of a list, or a text of one form."""

    kind: str
    path: Path
    """`*` is any item of a list."""
    form: dict[str, Any]

    @property
    def words(self) -> list[Any]:
        """What the list has; [] for a text of one form."""
        within = self.form.get("anyOf", ()) if self.any_case else ()
        found: list[Any] = self.form.get("enum") or next(
            (one["enum"] for one in within if "enum" in one), []
        )
        return found

    @property
    def any_case(self) -> bool:
        """Whether the node takes the words in capitals too."""
        return "enum" not in self.form and self.form.get("type") == "string"


def places(name: str) -> Iterator[Place]:
    """Yield what a schema closes."""
    for field, form in SCHEMAS[name]["properties"].items():
        yield from _places(name, form, (field,))


def _places(name: str, form: dict[str, Any], path: Path) -> Iterator[Place]:
    place = Place(name, path, form)
    if place.words or "pattern" in form:
        yield place
        return
    if "$ref" in form:
        form = referred(SCHEMAS[name], form["$ref"])
    for one in form.get("anyOf", ()):
        yield from _places(name, one, path)
    for field, part in form.get("properties", {}).items():
        yield from _places(name, part, (*path, field))
    if "items" in form:
        yield from _places(name, form["items"], (*path, "*"))


PLACES = [place for name in SCHEMAS for place in places(name)]
LISTS = [place for place in PLACES if place.words]
FORMS = [place for place in PLACES if not place.words and place.path != ("key",)]

SITE = str(SiteId(bytes(16)))
AGE = {"value": "3", "unit": "y"}
AMOUNT = {"value": "5", "unit": "mg"}
MORE: dict[str, dict[str, Any]] = {
    "patient.register": FULL_PERSON,
    "patient.identify": FULL_PERSON,
    "triage.record": {"age": AGE},
    "administration.record": {"dose": {**AMOUNT}, "discarded": {**AMOUNT}},
    "order.place": {
        "duration": {"value": 5, "unit": "d"},
        "weight": {"value": "12", "unit": "kg"},
    },
    "stock.break": {"parts": [{"item": "ors-1l-sachet", "units": 1}]},
    "site.register": {"position": {"north": "-3.38", "east": "29.36"}},
}
"""What stands in no example and has a list or a form of its own inside."""
INSTEAD: dict[tuple[str, Path], dict[str, Any]] = {
    ("observation.record", ("data", "code")): {"code": "spo2", "value": "94", "unit": "%"},
    ("observation.record", ("data", "absent")): {"code": "spo2"},
    ("observation.record", ("data", "set", "*", "code")): {
        "set": [{"code": "spo2", "value": "94", "unit": "%"}]
    },
    ("observation.record", ("data", "set", "*", "absent")): {"set": [{"code": "spo2"}]},
    ("administration.record", ("data", "session")): {"intervention": "vitamin-a"},
    ("transfer.offer", ("data", "to", "site")): {"to": {}},
    ("transfer.offer", ("data", "to", "device")): {"to": {}},
    ("guideline.step", ("data", "did")): {"name": "x", "version": "1", "step": "a"},
    ("conflict.settle", ("data", "keep")): {"attribute": "family_name"},
}
"""The whole of `data` where the field speaks against what the example says."""
CONFIRM = sorted(set(CONFIRMABLE))


@cache
def ward_of() -> tuple[Shelf, dict[str, Written]]:
    return ward()


def ward_held() -> dict[str, Written]:
    return ward_of()[1]


def with_value(place: Place, value: Any) -> dict[str, Any]:
    """Return the example of a kind with a value in a place."""
    line: dict[str, Any] = deepcopy(filled(BY_NAME[place.kind].example, ward_held()))
    whole = INSTEAD.get((place.kind, place.path))
    line["data"] = deepcopy(whole or {**line["data"], **MORE.get(place.kind, {})})
    if "reason" not in line and place.kind != "tally.add":
        line["reason"] = "as seen"
    _put(line, place.path, value)
    return line


def _put(holder: dict[str, Any], path: Path, value: Any) -> None:
    field, rest = path[0], path[1:]
    if not rest:
        holder[field] = value
    elif rest == ("*",):
        holder[field] = [value]
    elif rest[0] == "*":
        for each in holder[field]:
            _put(each, rest[1:], value)
    else:
        _put(holder.setdefault(field, {}), rest, value)


def refusal(line: dict[str, Any]) -> InputError | None:
    """Return why a line is refused once whatever is asked was confirmed; None when it is taken."""
    confirm: list[str] = []
    while True:
        try:
            plan(parse_line({**line, "confirm": confirm}), ward_of()[0])
        except InputError as error:
            if error.code != "confirm_needed" or len(confirm) == CONFIRM_MAX:
                return error
            confirm.append(str(error.values["confirm"]))
        else:
            return None


def is_about(error: InputError, path: Path) -> bool:
    """Whether a refusal names a place, with the number of an item or without."""
    steps = [step for step in (error.field or "").split(".") if not step.isdigit()]
    return steps == [step for step in path if step != "*"]


def told(place: Place) -> str:
    return f"{place.kind}:{'.'.join(place.path)}"


@pytest.mark.parametrize("place", LISTS, ids=told)
def test_what_is_not_in_a_list_the_node_refuses_and_names_the_list(place):
    wrong = "banana" if isinstance(place.words[0], str) else 77
    line = with_value(place, wrong)

    error = refusal(line)

    assert faults(SCHEMAS[place.kind], line)
    assert error is not None and is_about(error, place.path), error
    assert error.allowed and set(error.allowed) <= set(map(str, place.words)), error.allowed


@pytest.mark.parametrize("place", LISTS, ids=told)
def test_what_is_in_a_list_the_node_does_not_refuse_there(place):
    for word in place.words:
        for said in (word, word.upper(), word.title()) if place.any_case else (word,):
            line = with_value(place, said)

            error = refusal(line)

            assert faults(SCHEMAS[place.kind], line) == []
            refused = error is not None and error.code in ("bad_value", "unit_refused")
            assert not (refused and is_about(error, place.path)), (said, error)


@pytest.mark.parametrize("place", FORMS, ids=told)
def test_what_has_not_the_form_of_a_schema_the_node_refuses(place):
    line = with_value(place, "?!")

    error = refusal(line)

    assert faults(SCHEMAS[place.kind], line)
    assert error is not None and is_about(error, place.path), error


def test_a_route_that_is_none_is_refused_of_a_dose_that_was_not_given_too():
    place = next(each for each in LISTS if told(each) == "dose.record:data.route")
    line = with_value(place, "banana")
    line["data"] = {"vaccine": "mr", "status": "refused", "route": "banana"}

    error = refusal(line)

    assert error is not None and is_about(error, place.path), error


# What the node takes, the schema takes

SIGNS = "0123456789-.,:+/TZWabfltuIOLU \t\x1c\x85\u00a0\u0663\u0131\u212a"
AROUND = ("", " ", "\x1c", "\x85", "\u00a0", "\t\n")
MONTHS = r"20[0-9]{2}-(0[1-9?]|1[0-2])"
DAYS = rf"{MONTHS}(-[0-2?][0-9])?"


def date_read(text: str) -> int:
    return attributes.date_code(text.strip(), "data.onset")


@pytest.mark.parametrize(
    ("form", "reader", "shape"),
    [
        (spelling.NumberText, lambda text: read_decimal(text, "x"), r"-?[0-9]{0,4}[.,]?[0-9]{0,3}"),
        (spelling.DateText, date_read, rf"20[0-9?]{{2}}|{DAYS}"),
        (spelling.DayText, lambda text: read_day(text, "x"), DAYS),
        (spelling.ExpiryText, lambda text: expiry_day(text, "x"), rf"|{DAYS}"),
        (Moment, read_time, r"20[0-9]{2}-?0[1-9]-?1[0-9][T ]?1[0-9]:?00(Z|[+]02:?00)"),
        (Moment, read_time, rf"20[0-9]{{2}}|{DAYS}"),
        (spelling.FactText, FactRef.parse, r"fct_[0-9A-z-]{25}0(\..{0,3})?"),
        (spelling.SiteText, SiteId.parse, r"sit_[0-9a-zſı]{25}0"),
        (spelling.SessionText, SessionId.parse, r"ses_[0-9A-Z]{25}0"),
        (spelling.ShipmentText, DocId.parse, r"doc_[0-9A-Z]{25}0-?"),
        (spelling.DeviceText, DeviceId.parse, r"dev_-?[0-9A-Z]{51}0"),
    ],
)
def test_no_text_that_a_reader_takes_is_refused_by_its_form(form, reader, shape):
    schema = msgspec.json.schema(form)
    spelled = st.from_regex(f"(?:{shape})", fullmatch=True) | st.text(SIGNS, max_size=12)
    taken = []

    @given(spelled, st.sampled_from(AROUND))
    def check(text: str, around: str) -> None:
        for said in (text, around + text + around):
            try:
                reader(said)
            except InputError:
                continue
            taken.append(said)
            assert faults(schema, said) == [], repr(said)

    check()
    assert taken


@pytest.mark.parametrize("text", ["2020-??-05", "2020-05-??", "20??-05", "????", "2020-0٣-05"])
def test_a_date_of_which_a_part_is_no_number_is_refused_and_not_read_as_another(text):
    """Of 2020-??-05 the day was once taken for the month."""
    error = Shelf().refused("patient.register", {"birth_date": text})

    assert (error.code, error.field) == ("bad_date", "data.birth_date")


def test_an_id_is_spelled_in_the_letters_that_its_form_has():
    for text in (f"sit_{'0' * 24}ß", f"sit_{'0' * 25}ı", f"sit_{'0' * 20}-------0ﬀ"):
        with pytest.raises(InputError):
            SiteId.parse(text)
    with pytest.raises(InputError):
        FactRef.parse(f"fct_{'0' * 26}.٣")
