"""The bytes of a proof of vaccination on paper, and how it is cut to fit them; see `proof.py`.

What repeats stands once: teams are a table, doses of one day by one team a visit, and what is said
of each dose a column, which packs tighter than rows do.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from protocols.errors import InputError
from protocols.feeds.body import VoidBody
from protocols.feeds.dictionary import deflate, inflate, known
from protocols.guidelines.schedules import PREFIX
from protocols.records import attributes
from protocols.records.display import clean_text
from protocols.records.movement import LOT_CHARS_MAX, Day
from protocols.records.proof import (
    DOSES_MAX,
    NAME_CHARS_MAX,
    TAG_CHARS_MAX,
    WHO_CHARS_MAX,
    Counts,
    Proof,
    ProofDose,
)
from protocols.records.vaccination import BODY_SITES, CODE_CHARS_MAX, DOSE_MAX

LEFT_OUT_MAX = 9_999

KNOWN: tuple[tuple[str, str], ...] = (
    ("bcg", "19"),
    ("hepb", "08"),
    ("bopv", "178"),
    ("nopv2", ""),
    ("ipv", "10"),
    ("penta", "198"),
    ("dtp", "01"),
    ("hib", "17"),
    ("td", "139"),
    ("dt", "28"),
    ("pcv", "152"),
    ("rota", "119"),
    ("rota-5", "116"),
    ("measles", "05"),
    ("mr", "04"),
    ("mmr", "03"),
    ("rubella", "06"),
    ("yellow-fever", "37"),
    ("mena", ""),
    ("hpv", "137"),
    ("tcv", "190"),
    ("ocv", "173"),
    ("ocv-rbs", "172"),
    ("malaria", ""),
    ("rabies", "18"),
)
"""Vaccines that a paper names by position, local code and CVX; only ever added to at the end.
Others are spelled out, and so is one of these to which a pack gives another CVX code."""
_SPELLED_FROM = 128
"""Positions from here on are in the paper's own table."""
_NO_NUMBER = 15
_NO_SITE = 255

Who = Annotated[str, Meta(max_length=WHO_CHARS_MAX)]
Index = Annotated[int, Meta(ge=0, lt=DOSES_MAX)]
Code = Annotated[str, Meta(max_length=CODE_CHARS_MAX)]
Vaccine = tuple[Code, Annotated[str, Meta(max_length=3, pattern=r"\A[0-9]*\Z")]]
"""Local code and CVX."""
Team = tuple[Who, Who, Who, bool]
"""Who gave, for whom, where; whether it is only told."""
Visit = tuple[Day | None, Index, Annotated[int, Meta(ge=1, le=DOSES_MAX)]]
"""Day, team, how many doses of the columns."""
Column = Annotated[bytes, Meta(max_length=DOSES_MAX)]
"""A byte a dose."""


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    """A proof as it is packed. Fields are only ever added, at the end and with a default."""

    code: Annotated[str, Meta(max_length=32)]
    name: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    tag: Annotated[str, Meta(max_length=TAG_CHARS_MAX)] = ""
    sex: Annotated[int, Meta(ge=0, le=9)] = 9
    born: Annotated[int, Meta(ge=-attributes.INT_MAX, le=attributes.INT_MAX)] | None = None
    """As `attributes.date_code` has it."""
    age: Annotated[str, Meta(max_length=16)] = ""
    schedule: Annotated[str, Meta(max_length=60)] = ""
    """Without the `schedule-` that all their names begin with."""
    approved: bool = False
    written_by: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    left_out: Annotated[int, Meta(ge=0, le=LEFT_OUT_MAX)] = 0
    spelled: Annotated[tuple[Vaccine, ...], Meta(max_length=DOSES_MAX)] = ()
    """Vaccines that are not in `KNOWN`."""
    teams: Annotated[tuple[Team, ...], Meta(max_length=DOSES_MAX)] = ()
    visits: Annotated[tuple[Visit, ...], Meta(max_length=DOSES_MAX)] = ()
    vaccines: Column = b""
    """Position in `KNOWN`, or 128 and the position in `spelled`."""
    numbers: Column = b""
    """`Counts` x 16 + number in the series; 15 = not known."""
    sites: Column = b""
    """Position in `BODY_SITES`; 255 = not said."""
    lots: Annotated[str, Meta(max_length=DOSES_MAX * (LOT_CHARS_MAX + 1))] = ""
    """A line a dose."""


_decode = msgspec.msgpack.Decoder(_Wire).decode


def to_body(proof: Proof) -> bytes:
    """Return a paper's body: the id of a dictionary u8, then what it compresses."""
    dictionary, packed = deflate(msgspec.msgpack.encode(_packed(proof)))
    return bytes([dictionary]) + packed


def from_body(body: bytes) -> Proof | None:
    """Return what a paper says, each text made safe to show; None when it does not read.

    Of a paper whose signature holds, that is one of later software.
    """
    if not body or not known(body[0]):
        return None
    try:
        return _unpacked(_decode(inflate(body[0], body[1:])))
    except (VoidBody, msgspec.MsgspecError, RecursionError, ValueError, IndexError):
        return None


def fitted(proof: Proof, bytes_max: int) -> Proof:
    """Return the proof, cut until its body has at most so many bytes.

    The oldest doses are left out, one after the other, and counted in `left_out`: a child of today
    is asked about its last ones. Should nobody's doses fit beside the person, who issued it goes
    next (the paper names the device), then the end of a long name and the card's number.
    """
    while len(to_body(proof)) > bytes_max:
        if proof.doses:
            left_out = min(proof.left_out + 1, LEFT_OUT_MAX)
            proof = replace(proof, doses=proof.doses[1:], left_out=left_out)
        elif proof.written_by:
            proof = replace(proof, written_by="")
        elif len(proof.name) > NAME_CHARS_MAX // 2:
            proof = replace(proof, name=proof.name[: NAME_CHARS_MAX // 2])
        elif proof.tag:
            proof = replace(proof, tag="")
        else:
            break
    return proof


def _packed(proof: Proof) -> _Wire:
    spelled: dict[Vaccine, int] = {}
    teams: dict[Team, int] = {}
    visits: list[tuple[int | None, int, int]] = []
    doses = proof.doses[-DOSES_MAX:]
    vaccines, numbers, sites = bytearray(), bytearray(), bytearray()
    for dose in doses:
        vaccine = (dose.vaccine[:CODE_CHARS_MAX], dose.cvx[:3])
        if vaccine in KNOWN:
            vaccines.append(KNOWN.index(vaccine))
        else:
            vaccines.append(_SPELLED_FROM + spelled.setdefault(vaccine, len(spelled)))
        by, org, place = (text[:WHO_CHARS_MAX] for text in (dose.by, dose.org, dose.place))
        team = teams.setdefault((by, org, place, dose.told), len(teams))
        if visits and visits[-1][:2] == (dose.day, team):
            visits[-1] = (dose.day, team, visits[-1][2] + 1)
        else:
            visits.append((dose.day, team, 1))
        numbers.append(dose.counts * 16 + (_NO_NUMBER if dose.dose is None else dose.dose))
        site = BODY_SITES.index(dose.body_site) if dose.body_site in BODY_SITES else _NO_SITE
        sites.append(site)
    return _Wire(
        code=proof.code[:32],
        name=proof.name[:NAME_CHARS_MAX],
        tag=proof.tag[:TAG_CHARS_MAX],
        sex=proof.sex,
        born=_born_code(proof.born),
        age=proof.age[:16],
        schedule=proof.schedule.removeprefix(PREFIX)[:60],
        approved=proof.approved,
        written_by=proof.written_by[:NAME_CHARS_MAX],
        left_out=min(proof.left_out + len(proof.doses) - len(doses), LEFT_OUT_MAX),
        spelled=tuple(spelled),
        teams=tuple(teams),
        visits=tuple(visits),
        vaccines=bytes(vaccines),
        numbers=bytes(numbers),
        sites=bytes(sites),
        lots="\n".join(" ".join(dose.lot.split())[:LOT_CHARS_MAX] for dose in doses),
    )


def _unpacked(wire: _Wire) -> Proof:
    """Return what was packed.

    Raises:
        ValueError: Its columns do not agree.
        IndexError: A dose names a vaccine or a team that is not there.
    """
    lots = wire.lots.split("\n") if wire.vaccines else []
    visits = [(day, wire.teams[team]) for day, team, several in wire.visits for _ in range(several)]
    rows = zip(visits, wire.vaccines, wire.numbers, wire.sites, lots, strict=True)
    return Proof(
        code=clean_text(wire.code),
        name=clean_text(wire.name),
        tag=clean_text(wire.tag),
        sex=wire.sex,
        born="" if wire.born is None else _date(wire.born),
        age=clean_text(wire.age),
        schedule=clean_text(PREFIX + wire.schedule) if wire.schedule else "",
        approved=wire.approved,
        written_by=clean_text(wire.written_by),
        doses=tuple(_dose(wire, *row) for row in rows),
        left_out=wire.left_out,
    )


def _dose(
    wire: _Wire, visit: tuple[int | None, Team], vaccine: int, number: int, site: int, lot: str
) -> ProofDose:
    day, (by, org, place, told) = visit
    spelled = vaccine - _SPELLED_FROM
    code, cvx = KNOWN[vaccine] if spelled < 0 else wire.spelled[spelled]
    counts, number = divmod(number, 16)
    return ProofDose(
        vaccine=clean_text(code),
        cvx=cvx,
        dose=number if number <= DOSE_MAX else None,
        day=day,
        lot=clean_text(lot, LOT_CHARS_MAX),
        by=clean_text(by),
        org=clean_text(org),
        place=clean_text(place),
        # A place of the body that this software does not know is told as none.
        body_site=BODY_SITES[site] if site < len(BODY_SITES) else "",
        told=told,
        counts=counts if counts in set(Counts) else int(Counts.NOT_JUDGED),
    )


def _born_code(text: str) -> int | None:
    try:
        return attributes.date_code(text, "birth_date") if text else None
    except InputError:
        return None


def _date(stored: int) -> str:
    try:
        return attributes.date_text(stored)
    except OverflowError:
        return ""
