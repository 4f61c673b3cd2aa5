"""Where care happens: hospitals, clinics, stores and teams, as those there describe them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.decimals import read_decimal
from protocols.ids import DocId, SiteId
from protocols.records import attributes as names
from protocols.records.attributes import (
    BEDS,
    JURISDICTION,
    PART_OF,
    PLACE,
    POSITION,
    SITE_NAME,
    SITE_TYPE,
    SiteType,
)
from protocols.records.display import clean_text
from protocols.records.history import History, unsettled
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, given, refs, tidy
from protocols.records.shape import (
    Draft,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import NumberText, SiteText

# fields

Degrees = Annotated[int, msgspec.Meta(ge=-18_000_000, le=18_000_000)]
"""In 1/100,000 degree, about a metre."""


class SiteRegister(Statement, frozen=True):
    """What is stated about a site, in a new one or about one that is known."""

    name: str | None = None
    type: Small | None = None
    jurisdiction: str | None = None
    """ISO 3166 code of the country, or of the country and its part."""
    place: str | None = None
    beds: Small | None = None
    position: tuple[Degrees, Degrees] | None = None
    """North and east in 1/100,000 degree, about a metre."""
    part_of: bytes | None = None
    """Id of the site it is a part of: a pharmacy's store, a ward's cupboard, a team's ambulance."""

    def __post_init__(self) -> None:
        """Refuse what is no site's id."""
        if self.part_of is not None and len(self.part_of) != SiteId.SIZE:
            raise ValueError("site")

    def asserts(self) -> Sequence[tuple[int, Any]]:
        """Return the attributes of the site that were filled in."""
        said = (
            (SITE_NAME, self.name),
            (SITE_TYPE, self.type),
            (JURISDICTION, self.jurisdiction),
            (PLACE, self.place),
            (BEDS, self.beds),
            (POSITION, self.position),
            (PART_OF, self.part_of),
        )
        return [(number, value) for number, value in said if value is not None]


# commands


class PositionData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Degrees as decimal text: `-3.38193`."""

    north: NumberText
    east: NumberText


class SiteData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of site.register; with the line's `site` it states these anew."""

    name: str | UnsetType = UNSET
    type: Annotated[str, names.word_of(SiteType)] | UnsetType = UNSET
    jurisdiction: str | UnsetType = UNSET
    place: str | UnsetType = UNSET
    beds: int | UnsetType = UNSET
    position: PositionData | UnsetType = UNSET
    part_of: SiteText | UnsetType = UNSET
    """Id of the site it is a part of."""


BEDS_MAX = 10_000

# apply


def plan(command: Command, view: View) -> Plan:
    """A new site, or new statements about a known one."""
    desk = Desk(command, view)
    site = desk.site(command.site, "site")
    stated = {
        names.BY_NAME[name].number: checked(name, value)
        for name, value in given(command.data).items()
    }
    if PART_OF in stated:
        _must_be_part(desk, site, stated[PART_OF])
    if site is None and SITE_NAME not in stated:
        raise InputError("missing_field", field="data.name")
    if not stated:
        raise InputError("nothing_stated", field="data")
    seen = () if site is None else (*desk.named(site), *desk.seen(site, stated))
    record = SiteRegister(
        desk.circumstances(), refs(seen), *(stated.get(number) for number in _NUMBERS)
    )
    fact = NewFact(KindNo.SITE_REGISTER, record)
    draft = Draft(Lane.ROUTINE, SubjectKind.SITE, site, None, (fact,))
    return Plan((draft,), tuple(desk.warnings))


_NUMBERS = (SITE_NAME, SITE_TYPE, JURISDICTION, PLACE, BEDS, POSITION, PART_OF)


def _must_be_part(desk: Desk, site: DocId | None, whole: bytes) -> None:
    """Refuse a site that is not known here, and one that would be a part of itself.

    Two people can still make a circle apart: whoever walks upwards stops where it began.
    """
    if whole not in desk.view.sites():
        raise InputError("not_found", field="data.part_of")
    above: bytes | None = whole
    met: set[bytes] = set()
    while above is not None and above not in met:
        if above == site:
            raise InputError("part_of_itself", field="data.part_of")
        met.add(above)
        said = desk.history(DocId(above)).now.get((None, PART_OF), [])
        above = said[-1].value if said else None


def checked(name: str, value: Any) -> Any:
    """Return one field of `data` as its attribute holds it."""
    where = f"data.{name}"
    if name == "type":
        return names.code(SiteType, value, where)
    if name == "beds":
        if not 0 <= value <= BEDS_MAX:
            raise InputError("out_of_range", field=where, allowed=(f"0-{BEDS_MAX}",))
        return value
    if name == "position":
        return _degrees(value.north, "north", 90), _degrees(value.east, "east", 180)
    if name == "part_of":
        try:
            return bytes(SiteId.parse(value))
        except InputError as error:
            raise error.at(where) from None
    return tidy(value, where, 10 if name == "jurisdiction" else 120)


def _degrees(text: str, part: str, limit: int) -> int:
    where = f"data.position.{part}"
    degrees = read_decimal(text, where).exact
    if abs(degrees) > limit:
        raise InputError("out_of_range", field=where, allowed=(f"-{limit} to {limit}",))
    return round(degrees * 100_000)


# rows


class SiteRow(Row, frozen=True, kw_only=True, gc=False):
    """One site as it is known now."""

    TABLE: ClassVar[str] = "site"
    INDEXED: ClassVar[tuple[str, ...]] = ("id",)
    id: bytes
    name: str
    type: int
    """0 other, 1 hospital, 2 clinic, 3 mobile team, 4 store, 5 vaccination post, … (`SiteType`)."""
    jurisdiction: str
    place: str
    beds: int | None
    north: int | None
    """In 1/100,000 degree."""
    east: int | None
    unsettled: int
    part_of: bytes | None = None
    """Id of the site it is a part of."""


def rows(history: History) -> list[SiteRow]:
    """Return the site's one row, or none while nothing readable is known of it."""
    facts = history.of_kind.get(KindNo.SITE_REGISTER, ())
    if not facts:
        return []
    live = [fact for fact in facts if fact.standing == 0 and history.replaced(fact) != 2]
    first = (live or facts)[0]
    said = history.now if live else history.beside
    last = {number: found[-1].value for (_, number), found in said.items()}
    north, east = last.get(POSITION) or (None, None)
    return [
        SiteRow(
            entry=facts[0].entry,
            idx=facts[0].index,
            kind=first.kind,
            standing=first.standing,
            at_ms=first.at_ms,
            replaced=0 if live else history.replaced(first),
            id=SiteId(history.subject),
            name=clean_text(last.get(SITE_NAME) or ""),
            type=last.get(SITE_TYPE) or 0,
            jurisdiction=clean_text(last.get(JURISDICTION) or ""),
            place=clean_text(last.get(PLACE) or ""),
            beds=last.get(BEDS),
            north=north,
            east=east,
            unsettled=sum(unsettled(found, key[1]) for key, found in said.items()),
            part_of=last.get(PART_OF),
        )
    ]


KIND = Kind(
    number=KindNo.SITE_REGISTER,
    name="site.register",
    value=SiteRegister,
    data=SiteData,
    plan=plan,
    example={
        "v": 1,
        "kind": "site.register",
        "key": "example-12",
        "data": {"name": "Tent 2, stadium", "type": "hospital", "jurisdiction": "BI", "beds": 40},
    },
)

# merge note: like a patient's particulars, what is said of a site apart is all kept and settles
# by a later statement of somebody who saw it.
