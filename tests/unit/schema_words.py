"""What JSON Schema says in the words that our schemas use, and no others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

TOLD = {"$schema", "$defs", "title", "description", "default"}
"""Words that refuse nothing."""
WITHIN = {"properties", "additionalProperties", "items"}
"""Words of what is inside an object or a list."""

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


def faults(whole: dict[str, Any], value: Any) -> list[str]:
    """Return where a value is not what a schema says; a word that is not known here is an error."""
    return list(_faults(whole, whole, value, "$"))


def _faults(whole: dict[str, Any], form: dict[str, Any], value: Any, at: str) -> Iterator[str]:
    for word, said in form.items():
        if word == "$ref":
            yield from _faults(whole, referred(whole, said), value, at)
        elif word == "anyOf":
            if all(list(_faults(whole, one, value, at)) for one in said):
                yield f"{at}: none of anyOf"
        elif word in _SIMPLE and not _SIMPLE[word](said, value):
            yield f"{at}: {word}"
        else:
            assert word in TOLD or word in WITHIN or word in _SIMPLE, word
    if isinstance(value, dict):
        fields, others = form.get("properties", {}), form.get("additionalProperties", True)
        for name, part in value.items():
            yield from _inside(whole, fields.get(name, others), part, f"{at}.{name}")
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from _inside(whole, form.get("items", True), part, f"{at}[{place}]")


def _inside(
    whole: dict[str, Any], form: dict[str, Any] | bool, value: Any, at: str
) -> Iterator[str]:
    if form is False:
        yield f"{at}: not taken"
    elif isinstance(form, dict):
        yield from _faults(whole, form, value, at)


def referred(whole: dict[str, Any], said: str) -> dict[str, Any]:
    """Return what a reference names; it names a part of the same schema."""
    start, defs, name = said.split("/")
    assert (start, defs) == ("#", "$defs")
    found: dict[str, Any] = whole["$defs"][name]
    return found


def _is(said: str, value: Any) -> bool:
    if isinstance(value, bool) and said != "boolean":
        return False
    if said == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[said])


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(said: Any, value: Any) -> bool:
    return type(said) is type(value) and said == value


_SIMPLE: dict[str, Callable[[Any, Any], bool]] = {
    "type": _is,
    "const": _same,
    "enum": lambda said, value: any(_same(each, value) for each in said),
    "pattern": lambda said, value: not isinstance(value, str) or bool(re.search(said, value)),
    "maxLength": lambda said, value: not isinstance(value, str) or len(value) <= said,
    "minimum": lambda said, value: not _number(value) or value >= said,
    "maximum": lambda said, value: not _number(value) or value <= said,
    "maxItems": lambda said, value: not isinstance(value, list) or len(value) <= said,
    "required": lambda said, value: not isinstance(value, dict) or set(said) <= set(value),
}
