"""The door for programs and devices: whatever comes, one safe answer a line, and on it goes."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stdout
from itertools import count
from threading import Thread
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.live.commands import record_stream
from protocols.live.talk import EXIT_NOT_WRITABLE, EXIT_REFUSED
from protocols.records.catalogue import BY_NAME
from protocols.records.codes import ERRORS
from protocols.records.commands import KEY_CHARS_MAX
from protocols.records.strict import DEPTH_MAX, LINE_BYTES_MAX, read_line
from tests.unit.stage import WALL_MS, Device, patient

EXAMPLES = [kind.example for kind in BY_NAME.values() if kind.data is not None]
EVIL = st.sampled_from(
    (
        *(
            b"NaN",
            b"-Infinity",
            b"1e999",
            b"9" * 400,
            b"\xff",
            b"\xed\xa0\x80",
            b"\\ud800",
            b"\x00",
        ),
        *("\u202e".encode(), b"\x1b[2J", b'"', b"\\", b"{", b"}", b"[" * 40, b"null", b",", b":"),
        *(b'"key":"again",', b'"v":2,', b'"data":{},', b"\r", b" "),
    )
)
numbers = count(1)


class Door:
    """A book in memory behind the door; what stands there between two runs stays."""

    def __init__(self) -> None:
        self.device = Device.found("ann")

    def record(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        recorder, chance = self.device.node._recorder, self.device.chance
        answers, _, _ = recorder.record(lines, WALL_MS, chance.randbytes)
        return [msgspec.to_builtins(answer) for answer in answers]

    def say(self, *lines: bytes) -> tuple[int, list[str]]:
        """Send lines through a pipe as a program would; return the exit code and what came back."""
        here, there = os.pipe()
        whole = b"\n".join(lines) + b"\n"

        def pour() -> None:
            with open(there, "wb") as end:
                end.write(whole)

        pouring = Thread(target=pour)
        pouring.start()
        said = io.StringIO()
        with redirect_stdout(said):
            code = record_stream(self, here)  # type: ignore[arg-type]
        pouring.join()
        os.close(here)
        return code, said.getvalue().split("\n")[:-1]

    def answer(self, line: bytes | dict[str, Any]) -> dict[str, Any]:
        raw = line if isinstance(line, bytes) else json.dumps(line).encode()
        _, (said,) = self.say(raw)
        answer: dict[str, Any] = json.loads(said)
        return answer

    def entries(self) -> int:
        return int(self.device.store.one("SELECT count(*) FROM entry")[0])


@pytest.fixture(scope="module")
def door() -> Door:
    return Door()


@st.composite
def mutated(draw: Any) -> bytes:
    """The example of a kind, as bytes, with some of them changed."""
    line = {**draw(st.sampled_from(EXAMPLES)), "key": f"m{next(numbers):08}"}
    raw = bytearray(json.dumps(line).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        gone = draw(st.sampled_from((0, 0, 1, 1, 3, 20)))
        raw[at : at + gone] = draw(EVIL | st.binary(max_size=3))
    return bytes(raw).replace(b"\n", b" ")


@given(st.lists(mutated(), min_size=1, max_size=4))
def test_changed_lines_are_answered_one_by_one_and_the_next_is_taken(door: Door, lines):
    last = json.dumps(patient()).encode()

    _, said = door.say(*lines, last)

    answers = [json.loads(line) for line in said]
    asked = [at for at, line in enumerate(lines, 1) if line.strip()]
    assert [answer["line"] for answer in answers] == [*asked, len(lines) + 1]
    assert all(line.isprintable() for line in said)
    assert all(answer["ok"] or answer["error"] in ERRORS for answer in answers)
    assert all(answer["ok"] or answer["message"] for answer in answers)
    assert answers[-1]["ok"]


@given(st.text(st.characters(codec="utf-8"), max_size=KEY_CHARS_MAX + 4))
def test_a_key_comes_back_as_it_was_and_moves_no_terminal(door: Door, key):
    raw = json.dumps({**patient(), "key": key}, ensure_ascii=False).encode()

    _, (said,) = door.say(raw)

    answer = json.loads(said)
    assert said.isprintable()
    assert answer["key"] == key
    assert answer["ok"] is (bool(key.strip()) and len(key) <= KEY_CHARS_MAX)


def test_a_key_that_turns_lines_around_is_written_out(door: Door):
    key = "a\u202eb\x7f\x9b2J\u2028c\U000e0041é"

    _, (said,) = door.say(json.dumps({**patient(), "key": key}).encode())

    assert r"a\u202eb\u007f\u009b2J\u2028c\udb40\udc41é" in said
    assert json.loads(said)["key"] == key


@pytest.mark.parametrize(("full_from", "code"), [(9, 0), (1, EXIT_REFUSED), (0, EXIT_NOT_WRITABLE)])
def test_the_exit_code_says_whether_anything_was_written(full_from: int, code: int):
    """A disk that fills on the way has taken some of the lines."""

    class Filling(Door):
        def record(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
            full = {"ok": False, "error": "disk_full"}
            answers = super().record(lines)
            return [each | (full if at >= full_from else {}) for at, each in enumerate(answers)]

    said, _ = Filling().say(*[json.dumps(patient()).encode() for _ in range(3)])
    assert said == code


def test_a_line_without_a_key_is_not_written_for_it_could_not_be_sent_again(door: Door):
    line = patient()
    del line["key"]
    before = door.entries()

    answer = door.answer(line)

    assert (answer["error"], answer["field"], answer["key"]) == ("missing_field", "key", None)
    assert door.entries() == before


@pytest.mark.parametrize(
    ("key", "code", "limit"),
    [
        ("", "empty", None),
        (" \t", "empty", None),
        ("k" * (KEY_CHARS_MAX + 1), "too_long", KEY_CHARS_MAX),
        (None, "wrong_type", None),
        (7, "wrong_type", None),
    ],
)
def test_a_key_that_names_nothing_is_refused(door: Door, key, code, limit):
    answer = door.answer({**patient(), "key": key})

    assert (answer["error"], answer["field"], answer.get("limit")) == (code, "key", limit)


def nested(levels: int) -> bytes:
    return b'{"v":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(
    ("line", "code", "limit"),
    [
        (b'{"v":1,"data":"' + b"x" * LINE_BYTES_MAX + b'"}', "too_long", LINE_BYTES_MAX),
        (b"x" * (LINE_BYTES_MAX * 3), "too_long", LINE_BYTES_MAX),
        (nested(DEPTH_MAX), "wrong_type", None),
        (nested(DEPTH_MAX + 1), "too_deep", DEPTH_MAX),
        (nested(30_000), "too_deep", DEPTH_MAX),
        (b'{"v":NaN}', "bad_json", None),
        (b'{"v":Infinity}', "bad_json", None),
        (b'{"v":1e999}', "bad_json", None),
        (b'{"v":' + b"9" * 60_000 + b"}", "bad_json", None),
        (b'{"v":"\xff"}', "bad_json", None),
        (b'{"v":"\\ud800"}', "bad_json", None),
        (b'\xef\xbb\xbf{"v":1}', "bad_json", None),
        (b"[]", "bad_json", None),
        (b'{"v":1,"v":1}', "field_twice", None),
    ],
)
def test_what_is_no_line_is_refused_by_its_own_code_and_the_next_is_taken(
    door: Door, line, code, limit
):
    ended, said = door.say(line, json.dumps(patient()).encode())

    first, last = map(json.loads, said)
    assert (first["error"], first.get("limit"), first["key"]) == (code, limit, None)
    assert first["message"] == ERRORS[code]
    assert last["ok"]
    assert ended == EXIT_REFUSED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


def ways(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every field in every object of a value."""
    if isinstance(value, list):
        return [found for at, part in enumerate(value) for found in ways(part, (*way, at))]
    if not isinstance(value, dict):
        return []
    return [
        each for name, part in value.items() for each in ((*way, name), *ways(part, (*way, name)))
    ]


def written(
    value: Any, twice: tuple[str | int, ...] | None, way: tuple[str | int, ...] = ()
) -> str:
    """JSON in which one field stands twice, the second time spelled in escapes."""
    if isinstance(value, list):
        return f"[{','.join(written(part, twice, (*way, at)) for at, part in enumerate(value))}]"
    if not isinstance(value, dict):
        return json.dumps(value)
    fields = []
    for name, part in value.items():
        fields.append(f"{json.dumps(name)}:{written(part, twice, (*way, name))}")
        if (*way, name) == twice:
            spelled = "".join(f"\\u{ord(char):04x}" for char in name if ord(char) < 0x10000)
            again = spelled if len(name) == spelled.count("\\u") else json.dumps(name)[1:-1]
            fields.append(f'"{again}":null')
    return f"{{{','.join(fields)}}}"


@given(st.dictionaries(st.text(max_size=3), JSON, min_size=1), st.data())
def test_a_field_that_stands_twice_is_refused_at_any_depth_and_named(value, data):
    twice = data.draw(st.sampled_from(ways(value)))

    assert read_line(written(value, None)) == value
    with pytest.raises(InputError) as refused:
        read_line(written(value, twice))

    assert refused.value.code == "field_twice"
    assert (refused.value.field or "") == ".".join(map(str, twice))
