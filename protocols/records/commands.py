"""A line of `fieldnode record`, strictly read: an unknown or wrong field is named by its path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta

from protocols.errors import InputError
from protocols.ids import FactRef
from protocols.records.catalogue import BY_NAME
from protocols.records.planning import PRECISIONS, SUPERSEDES_MAX, Command, Moment, SourceText
from protocols.records.shape import Plan, View
from protocols.records.spelling import FactText, SiteText, one_of, shaped
from protocols.records.strict import FIELD_CHARS_MAX

LINE_VERSION = 1
KEY_CHARS_MAX = 128
CONFIRM_MAX = 16
"""Doubts that one line may confirm. A dose of vaccine can raise most, about a dozen; a line that
confirms whatever there is has answered nothing that it was asked."""


class TagTarget(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The patient who carries this tag."""

    tag: str


class DeviceData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The device that measured."""

    make: str = ""
    model: str = ""
    serial: str = ""


class Line(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What every line may carry; `data` is the kind's own."""

    v: int
    kind: str
    key: Annotated[str, shaped(r"[^ \t\r\n]", maxLength=KEY_CHARS_MAX)]
    """The writer's own name for this line; sent again, it is answered again and never written
    twice."""
    patient: str | TagTarget | None = None
    encounter: str | None = None
    store: SiteText | None = None
    """Where stock is taken from or comes to; `Kind.stores` says who takes it."""
    site: str | None = None
    at: Moment | None = None
    at_precision: Annotated[str, one_of(PRECISIONS)] | None = None
    by: str | None = None
    source: SourceText | None = None
    device: DeviceData | None = None
    data: dict[str, Any] = {}
    confirm: Annotated[list[str], Meta(extra_json_schema={"maxItems": CONFIRM_MAX})] = []
    supersedes: Annotated[list[FactText], Meta(extra_json_schema={"maxItems": SUPERSEDES_MAX})] = []
    reason: str | None = None


_in_one_order = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(line: Mapping[str, Any]) -> bytes:
    """Return 16 bytes that equal lines share, whatever the order of their fields."""
    text = _in_one_order(line)
    return blake2b(text, digest_size=16, person=b"fm-line-1").digest()


def parse_line(line: Mapping[str, Any]) -> Command:
    """Return a line as a typed command; nothing is looked up yet.

    Raises:
        InputError: with the dotted path of the field and what it may hold.
    """
    whole: Line = _read(line, Line, "")
    if whole.v != LINE_VERSION:
        raise InputError("bad_version", field="v", allowed=(str(LINE_VERSION),))
    kind = BY_NAME.get(whole.kind)
    if kind is None or kind.data is None:
        raise InputError("unknown_kind", field="kind", allowed=tuple(BY_NAME))
    if whole.store is not None and not kind.stores:
        raise InputError("not_taken", field="store", kind=kind.name)
    if not whole.key.strip():
        raise InputError("empty", field="key")
    if len(whole.key) > KEY_CHARS_MAX:
        raise InputError("too_long", field="key", limit=KEY_CHARS_MAX)
    for name, items, limit in (
        ("confirm", whole.confirm, CONFIRM_MAX),
        ("supersedes", whole.supersedes, SUPERSEDES_MAX),
    ):
        if len(items) > limit:
            raise InputError("too_many", field=name, limit=limit)
    tag = whole.patient.tag if isinstance(whole.patient, TagTarget) else None
    device = whole.device
    return Command(
        kind=kind.name,
        key=whole.key,
        patient=whole.patient if isinstance(whole.patient, str) else None,
        tag=tag,
        encounter=whole.encounter,
        site=whole.site,
        store=whole.store,
        at=whole.at,
        at_precision=whole.at_precision,
        by=whole.by,
        source=whole.source,
        device=None if device is None else (device.make, device.model, device.serial),
        data=_read(whole.data, kind.data, "data"),
        confirm=tuple(whole.confirm),
        supersedes=tuple(_ref(text) for text in whole.supersedes),
        reason=whole.reason,
    )


def plan(command: Command, view: View) -> Plan:
    """Return what a command comes to, given what the book holds.

    Raises:
        InputError: when the command cannot be taken; see `catalogue.ERRORS`.
    """
    kind = BY_NAME[command.kind]
    assert kind.plan is not None
    return kind.plan(command, view)


_UNKNOWN = re.compile(r"unknown field `(?P<name>.*?)`(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>[^`]*)`(?: - at `\$(?P<path>[^`]*)`)?$")
_WRONG = re.compile(r"Expected `(?P<want>[^`]*)`, got `[^`]*`(?: - at `\$(?P<path>[^`]*)`)?$")
_CHOICE = re.compile(r"Invalid enum value .*?(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[([0-9.]+)\]")


def _read(value: Any, form: type[msgspec.Struct], root: str) -> Any:
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), form, root) from None
    except (RecursionError, OverflowError, ValueError):
        raise InputError("wrong_type", field=root or None) from None


def _refusal(text: str, form: type[msgspec.Struct], root: str) -> InputError:
    """Return msgspec's finding as a code, a dotted path and what would have been taken."""
    for code, pattern in (
        ("unknown_field", _UNKNOWN),
        ("missing_field", _MISSING),
        ("wrong_type", _WRONG),
        ("bad_value", _CHOICE),
    ):
        match = pattern.search(text)
        if match is None:
            continue
        steps = [name or index for name, index in _STEP.findall(match["path"] or "")]
        parts = match.groupdict()
        allowed: tuple[str, ...] = ()
        if code == "unknown_field":
            allowed = _fields_at(form, steps)
        elif code == "wrong_type":
            allowed = tuple(parts["want"].replace("str", "string").split(" | "))
        elif code == "bad_value":
            allowed = tuple(map(str, get_args(_form_at(form, steps))))
        path = ".".join(filter(None, (root, *steps, parts.get("name"))))
        return InputError(code, field=path[:FIELD_CHARS_MAX] or None, allowed=allowed)
    return InputError("wrong_type", field=root or None)


def _fields_at(form: Any, steps: list[str]) -> tuple[str, ...]:
    """Return the fields of the object at a path."""
    struct = _struct_in(_form_at(form, steps))
    return () if struct is None else tuple(struct.__struct_encode_fields__)


def _form_at(form: Any, steps: list[str]) -> Any:
    """Return what is declared at a path; None where nothing is."""
    for step in steps:
        struct = _struct_in(form)
        if struct is None:
            return None
        if step[0].isdigit() or step.startswith("."):
            continue
        hints = get_type_hints(struct)
        by_encoded = dict(
            zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True)
        )
        form = hints.get(by_encoded.get(step, step))
    return form


def _struct_in(form: Any) -> type[msgspec.Struct] | None:
    if isinstance(form, type) and issubclass(form, msgspec.Struct):
        return form
    for part in get_args(form):
        found = _struct_in(part)
        if found is not None:
            return found
    return None


def _ref(text: str) -> FactRef:
    try:
        return FactRef.parse(text)
    except InputError as error:
        raise error.at("supersedes") from None
