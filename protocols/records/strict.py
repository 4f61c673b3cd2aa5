"""One JSON object, read so strictly that nobody else can read it another way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from protocols.errors import InputError

LINE_BYTES_MAX = 64 * 1024
"""Of one line of `fieldnode record`."""
DEPTH_MAX = 16
"""Objects and lists inside each other; what can be recorded needs five."""
FIELD_CHARS_MAX = 120
"""Of a field's path that is told back: a stranger chose its length."""

_Pairs = list[tuple[str, Any]]


def read_line(text: bytes | str) -> dict[str, Any]:
    """Return one JSON object.

    Raises:
        InputError: `too_long`, `bad_json`, `too_deep` or `field_twice`.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > LINE_BYTES_MAX:
        raise InputError("too_long", limit=LINE_BYTES_MAX)
    return read_object(raw)


def read_object(raw: bytes) -> dict[str, Any]:
    """Return one JSON object in UTF-8, without a field that stands twice.

    Which of two equal fields counts differs from reader to reader, so a program and this book
    could take one line for two different things.

    Raises:
        InputError: `bad_json`, `too_deep`, or `field_twice` with the field's path.
    """
    try:
        found = msgspec.json.decode(raw, type=dict[str, Any])
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError("bad_json") from None
    if _is_deeper(found, DEPTH_MAX):
        raise _too_deep()
    refuse_twice(raw)
    return found


def refuse_twice(raw: bytes) -> None:
    """Refuse JSON in which a field stands twice in one object, at any depth.

    Args:
        raw: Known to be JSON in UTF-8.

    Raises:
        InputError: `field_twice` with the field's path.
        RecursionError: It nests too deep to look.
    """
    try:
        _scan(raw, _once)
    except _Twice:
        path = _path_of_twice(_scan(raw, _Object))
        field = ".".join(path)[:FIELD_CHARS_MAX]
        raise InputError("field_twice", field=field or None) from None


def _scan(raw: bytes, take: Callable[[_Pairs], Any]) -> Any:
    # Numbers stay text: how long one may be is not asked here.
    return json.loads(raw, object_pairs_hook=take, parse_int=str, parse_float=str)


class _Twice(Exception):
    """A field stands twice; where is looked for only then."""


class _Object(list[tuple[str, Any]]):
    """An object with all its fields, those that stand twice too; a list is a plain one."""


def _once(pairs: _Pairs) -> None:
    if len(pairs) > 1 and len({name for name, _ in pairs}) < len(pairs):
        raise _Twice


def _path_of_twice(value: Any) -> list[str]:
    """Return the way to the first field that stands twice; [] when none does."""
    seen: set[str] = set()
    pairs = value if isinstance(value, _Object) else [(str(at), each) for at, each in _items(value)]
    for name, part in pairs:
        if name in seen:
            return [name]
        seen.add(name)
        inside = _path_of_twice(part)
        if inside:
            return [name, *inside]
    return []


def _items(value: Any) -> enumerate[Any]:
    return enumerate(value if isinstance(value, list) else ())


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def _too_deep() -> InputError:
    return InputError("too_deep", limit=DEPTH_MAX)
