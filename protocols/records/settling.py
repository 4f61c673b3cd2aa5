"""The value of one attribute as a line states it, whatever the attribute's level."""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.records import attributes as names
from protocols.records.attributes import ENCOUNTER_FIRST, SITE_FIRST, Attribute
from protocols.records.encounter import MoveData
from protocols.records.encounter import statements as stay_statements
from protocols.records.person import PersonData
from protocols.records.person import statements as person_statements
from protocols.records.planning import Desk, given
from protocols.records.site import SiteData
from protocols.records.site import checked as site_checked

_NESTED = {
    "kin_name": ("next_of_kin", "name"),
    "kin_relation": ("next_of_kin", "relation"),
    "kin_phone": ("next_of_kin", "phone"),
    "consent_treat": ("consent", "treat"),
    "consent_share": ("consent", "share"),
}


def settled_value(desk: Desk, attribute: Attribute, value: Any) -> Any:
    """Return the checked value of one attribute, written as in the kind that usually states it.

    Raises:
        InputError: as that kind would, with `data.value` as the field.
    """
    if value is None:
        return None
    name = attribute.name
    if attribute.number == names.TRIAGE:
        if not isinstance(value, str):
            raise InputError("wrong_type", field="data.value", allowed=("string",))
        return names.code(names.Category, value, "data.value")
    field, part = _NESTED.get(name, (name, ""))
    try:
        shaped = {field: {part: value}} if part else {field: value}
        return _stated(desk, attribute, shaped)
    except msgspec.ValidationError:
        raise InputError("wrong_type", field="data.value") from None
    except InputError as error:
        raise error.at("data.value") from None


def _stated(desk: Desk, attribute: Attribute, shaped: dict[str, Any]) -> Any:
    if attribute.number >= SITE_FIRST:
        fields = given(msgspec.convert(shaped, SiteData))
        return site_checked(attribute.name, fields[attribute.name])
    if attribute.number >= ENCOUNTER_FIRST:
        stated = stay_statements(desk, given(msgspec.convert(shaped, MoveData)))
    else:
        stated = person_statements(desk, given(msgspec.convert(shaped, PersonData)))
    return stated[attribute.number]
