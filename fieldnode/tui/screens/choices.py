"""The coded answers, with the digits of the WHO EMT minimum data set, the same in every form."""

from __future__ import annotations

from fieldnode.tui.cores.fields import Choice, Coded

CATEGORY = (
    Choice("1", "red", "triage.red", "R"),
    Choice("2", "yellow", "triage.yellow", "Y"),
    Choice("3", "green", "triage.green", "G"),
    Choice("4", "expectant", "triage.expectant"),
    Choice("0", "dead", "triage.dead"),
)

SEX = (
    Choice("1", "male", "sex.male", "M"),
    Choice("2", "female", "sex.female", "F"),
    Choice("3", "female-pregnant", "sex.female-pregnant", "P"),
    Choice("9", "unknown", "sex.unknown", "?"),
)

BAND = (
    Choice("1", "1", "band.1"),
    Choice("2", "2", "band.2"),
    Choice("3", "3", "band.3"),
    Choice("4", "4", "band.4"),
    Choice("5", "5", "band.5"),
    Choice("9", "9", "band.9", "?"),
)

AGE_UNIT = (
    Choice("1", "y", "unit.years"),
    Choice("2", "mo", "unit.months"),
    Choice("3", "w", "unit.weeks"),
    Choice("4", "d", "unit.days"),
    Choice("5", "~y", "unit.about_years"),
)

CONSCIOUSNESS = (
    Choice("1", "alert", "acvpu.alert", "A"),
    Choice("2", "confused", "acvpu.confused", "C"),
    Choice("3", "voice", "acvpu.voice", "V"),
    Choice("4", "pain", "acvpu.pain", "P"),
    Choice("5", "unresponsive", "acvpu.unresponsive", "U"),
)


def category_field(*, required: bool) -> Coded:
    """Return the field of a triage category; DEAD takes one extra Enter."""
    return Coded(
        "category",
        "field.category",
        required=required,
        choices=CATEGORY,
        grave=(("dead", "triage.dead_sure"),),
    )
