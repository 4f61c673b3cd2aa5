"""Content packs on their way to every node: given out, approved, and taken into use.

A publication carries the whole pack with an organisation's signature; an approval names the pack by
its digest and carries a person's. Each is a document of its own, so they may come in any order.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import msgspec

from protocols.errors import InputError, PeerError, SetupError
from protocols.feeds.lane import Lane
from protocols.guidelines.canonical import PACKED_BYTES_MAX, head_of, unpacked
from protocols.guidelines.pack import PackHead
from protocols.records.display import clean_text
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Kind,
    NewFact,
    Plan,
    Row,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import Base64Text, DigestText
from protocols.trust.packs import (
    NAME_CHARS_MAX,
    STATEMENT_BYTES_MAX,
    VERSION_CHARS_MAX,
    PackApproval,
    PackStatement,
    pack_digest,
    read_pack_approval,
    read_pack_statement,
)

# fields


class PackPublish(Statement, frozen=True):
    """A pack, whole, and who gives it out."""

    packed: bytes = b""
    """Its canonical text, deflated (zlib)."""
    signed: bytes = b""
    """A `PackStatement`, signed by a root or issuer of an organisation."""


class PackApprove(Statement, frozen=True):
    """A clinical lead stands by a pack."""

    signed: bytes = b""
    """A `PackApproval`, signed by a person's key."""


class PackUse(Statement, frozen=True):
    """Which version of a pack this device works by from now on."""

    name: str = ""
    version: str = ""
    digest: bytes = b""
    """Empty: the one that came with the software."""

    def __post_init__(self) -> None:
        """Refuse what is no digest."""
        if len(self.digest) not in (0, 32):
            raise ValueError("digest")


# commands


class PublishData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of pack.publish; `fieldnode pack publish` makes it from a file."""

    pack: Base64Text
    """Base64 of the compressed canonical bytes."""
    signed: Base64Text
    """Base64 of the statement."""


class ApproveData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of pack.approve; `fieldnode pack approve` makes it."""

    signed: Base64Text


class UseData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of pack.use."""

    name: str
    version: str
    digest: DigestText | None = None
    """64 hexadecimal digits; none for what came with the software."""


# apply


def plan(command: Command, view: View) -> Plan:
    """A pack with its signature; what does not read or was not signed is not written."""
    desk = Desk(command, view)
    data: PublishData = command.data
    small = _bytes(data.pack, "data.pack", PACKED_BYTES_MAX)
    signed = _bytes(data.signed, "data.signed", STATEMENT_BYTES_MAX)
    if _content(small) is None:
        raise InputError("bad_pack", field="data.pack")
    if _given_out(small, signed) is None:
        raise InputError("bad_signature", field="data.signed")
    record = PackPublish(desk.circumstances(), refs(command.supersedes), small, signed)
    return _alone(desk, KindNo.PACK_PUBLISH, record)


def plan_approve(command: Command, view: View) -> Plan:
    """A person's approval, by digest: the pack itself may come later."""
    desk = Desk(command, view)
    data: ApproveData = command.data
    signed = _bytes(data.signed, "data.signed", STATEMENT_BYTES_MAX)
    if _approval(signed) is None:
        raise InputError("bad_signature", field="data.signed")
    record = PackApprove(desk.circumstances(), refs(command.supersedes), signed)
    return _alone(desk, KindNo.PACK_APPROVE, record)


def plan_use(command: Command, view: View) -> Plan:
    """What this device works by."""
    desk = Desk(command, view)
    data: UseData = command.data
    try:
        digest = bytes.fromhex(data.digest or "")
    except ValueError:
        digest = b"?"
    if len(digest) not in (0, 32):
        raise InputError("bad_value", field="data.digest", allowed=("64 hexadecimal digits",))
    record = PackUse(
        desk.circumstances(),
        refs(command.supersedes),
        tidy(data.name, "data.name", NAME_CHARS_MAX),
        tidy(data.version, "data.version", VERSION_CHARS_MAX),
        digest,
    )
    return _alone(desk, KindNo.PACK_USE, record)


def _alone(desk: Desk, kind: KindNo, record: Statement) -> Plan:
    draft = Draft(Lane.ROUTINE, SubjectKind.PACK, None, None, (NewFact(kind, record),))
    return Plan((draft,), tuple(desk.warnings))


def _bytes(text: str, where: str, limit: int) -> bytes:
    if len(text) > limit * 2:
        raise InputError("too_long", field=where, limit=limit)
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InputError("bad_value", field=where, allowed=("base64",)) from None
    if len(raw) > limit:
        raise InputError("too_long", field=where, limit=limit)
    return raw


class Content(NamedTuple):
    """What a pack says, once it reads."""

    head: PackHead
    text: str
    digest: bytes


CONTENTS_KEPT = 16
"""Packs read once while their rows are made again and again."""


@lru_cache(CONTENTS_KEPT)
def _content(small: bytes) -> Content | None:
    raw = unpacked(small)
    if raw is None:
        return None
    text = raw.decode()
    try:
        return Content(head_of(text), text, pack_digest(raw))
    except SetupError:
        return None


def _given_out(small: bytes, signed: bytes) -> tuple[bytes, PackStatement] | None:
    """Return who gives a pack out and what they say, when they say it of this pack."""
    content = _content(small)
    try:
        statement, said = read_pack_statement(signed)
    except PeerError:
        return None
    if content is None or said.digest != content.digest:
        return None
    named = (content.head.name, content.head.version)
    return (statement.issuer, said) if (said.name, said.pack_version) == named else None


def _approval(signed: bytes) -> tuple[bytes, PackApproval] | None:
    try:
        statement, said = read_pack_approval(signed)
    except PeerError:
        return None
    return statement.issuer, said


# rows


class PackRow(Row, frozen=True, kw_only=True, gc=False):
    """One pack as somebody gave it out."""

    TABLE: ClassVar[str] = "pack"
    INDEXED: ClassVar[tuple[str, ...]] = ("digest",)
    name: str
    version: str
    title: str
    status: str
    """verified or memory, as the pack says."""
    digest: bytes
    operation: bytes
    """For which it was signed."""
    issuer: bytes
    """Key that signed; '' where pack and signature do not belong together."""
    text: str
    """The TOML; '' where it does not read."""


class PackApprovalRow(Row, frozen=True, kw_only=True, gc=False):
    """One approval; it counts where the person may give it."""

    TABLE: ClassVar[str] = "pack_approval"
    INDEXED: ClassVar[tuple[str, ...]] = ("digest",)
    name: str
    version: str
    digest: bytes
    operation: bytes
    approver: bytes
    """Key of the person; empty where the signature does not hold."""
    person: str
    role: str


class PackUseRow(Row, frozen=True, kw_only=True, gc=False):
    """A device said which version it works by; the last one of each device holds."""

    TABLE: ClassVar[str] = "pack_use"
    name: str
    version: str
    digest: bytes


COLUMNS: dict[tuple[str, str], Callable[[Any], Any]] = {
    (table.TABLE, name): bytes.hex
    for table in (PackRow, PackApprovalRow, PackUseRow)
    for name in ("digest", "operation", "issuer", "approver")
    if name in table.__struct_fields__
}
"""How columns are told to another program, where a value is not told as it is."""


def rows(history: History) -> list[Row]:
    """Return one row for each publication, approval and use."""
    found: list[Row] = []
    for kind in (KindNo.PACK_PUBLISH, KindNo.PACK_APPROVE, KindNo.PACK_USE):
        for fact in history.of_kind.get(kind, ()):
            common: dict[str, Any] = {
                "entry": fact.entry,
                "idx": fact.index,
                "kind": fact.kind,
                "standing": fact.standing,
                "at_ms": fact.at_ms,
                "supersedes": history.supersedes(fact),
                "replaced": history.replaced(fact),
            }
            match fact.record:
                case PackPublish():
                    found.append(PackRow(**common, **_publication(fact.record)))
                case PackApprove():
                    found.append(PackApprovalRow(**common, **_approved(fact.record)))
                case PackUse() as use:
                    found.append(
                        PackUseRow(
                            **common,
                            name=clean_text(use.name),
                            version=clean_text(use.version),
                            digest=use.digest,
                        )
                    )
    return found


def _publication(record: PackPublish) -> dict[str, Any]:
    content, given_out = _content(record.packed), _given_out(record.packed, record.signed)
    head = content.head if content else None
    return {
        "name": clean_text(head.name) if head else "",
        "version": clean_text(head.version) if head else "",
        "title": clean_text(head.title) if head else "",
        "status": head.status if head else "",
        "digest": content.digest if content else b"",
        "operation": given_out[1].operation if given_out else b"",
        "issuer": given_out[0] if given_out else b"",
        "text": content.text if content else "",
    }


def _approved(record: PackApprove) -> dict[str, Any]:
    held = _approval(record.signed)
    said = held[1] if held else None
    return {
        "name": clean_text(said.name) if said else "",
        "version": clean_text(said.pack_version) if said else "",
        "digest": said.digest if said else b"",
        "operation": said.operation if said else b"",
        "approver": held[0] if held else b"",
        "person": clean_text(said.person) if said else "",
        "role": clean_text(said.role) if said else "",
    }


_EXAMPLE_PACK = (
    "eNqLLkhMzo7lykvMTVWwVVBKrUjMLchJVeIqSy0qzszPA4kZKnGVZJbkgOUd8xTgSorzS4uSwaJ5+XkgfkliSWkx"
    "iJ+bmptfVKnEBQB0qh14"
)
_EXAMPLE_SIGNED = (
    "lALEUJUBxCADAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA6dleGFtcGxloTHEIHx372Hg8FbSJdnRWrdv"
    "Vz09t17UTTs/E4c6kajcaRF0xCCKiOPddAnxlf1S2y08ul1yymcJvx2UEhvzdIgBtA9vXMRAb04LGeh4+Y0wz3bH"
    "WWzKsGLAnbn9c4invpo80RTv9xbVLVmC++UXztTNJR8bqCNdw7NZ/6WCkHUayv3W2cQzBw=="
)
_EXAMPLE_APPROVAL = (
    "lAPEa5cBxCADAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA6dleGFtcGxloTHEIHx372Hg8FbSJdnRWrdv"
    "Vz09t17UTTs/E4c6kajcaRF0rEEuIENsaW5pY2lhbq1jbGluaWNhbCBsZWFkxCCBOXcOqH0XX1ajVGbDTH7My42K"
    "kbTuN6Jd9g9bj8mzlMRA8X6HpZsebFfpSmCRU6H/783ap0XGPnoE8aH4h5rP+5b0zCO/hLsfzgnGf+0wsnIqVBWB"
    "r9//DBlsVr4fTcOlBw=="
)

KIND_PUBLISH = Kind(
    number=KindNo.PACK_PUBLISH,
    name="pack.publish",
    value=PackPublish,
    data=PublishData,
    plan=plan,
    example={
        "v": 1,
        "kind": "pack.publish",
        "key": "example-40",
        "data": {"pack": _EXAMPLE_PACK, "signed": _EXAMPLE_SIGNED},
    },
)
KIND_APPROVE = Kind(
    number=KindNo.PACK_APPROVE,
    name="pack.approve",
    value=PackApprove,
    data=ApproveData,
    plan=plan_approve,
    example={
        "v": 1,
        "kind": "pack.approve",
        "key": "example-41",
        "data": {"signed": _EXAMPLE_APPROVAL},
    },
)
KIND_USE = Kind(
    number=KindNo.PACK_USE,
    name="pack.use",
    value=PackUse,
    data=UseData,
    plan=plan_use,
    example={
        "v": 1,
        "kind": "pack.use",
        "key": "example-42",
        "data": {"name": "news2", "version": "1"},
    },
)

# merge note: publications and approvals are only ever added; two versions stand side by side. What
# a device works by is its own to say, so the last thing it said holds.
