"""The packs that are known here: who gave each out, who approved it, and which is in use.

A publication counts when a root or issuer of an organisation of this operation signed it for this
operation; an approval when a person signed it whose role may approve packs. Both are judged anew
whenever they are asked for, so a seal takes effect at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files

import msgspec

from protocols.errors import InputError
from protocols.guidelines.canonical import canonical, head_of
from protocols.guidelines.pack import PackHead
from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.records.kinds import KindNo
from protocols.trust.certificates import Rank
from protocols.trust.packs import pack_digest, sign_pack
from protocols.trust.standing import Standing
from protocols.trust.statements import pack as bytes_of

SHIPPED_NAMES = tuple(
    sorted(
        path.name.removesuffix(".toml")
        for path in (files("protocols.guidelines") / "packs").iterdir()
        if path.name.endswith(".toml")
    )
)
"""Packs that come with the software."""

SOFTWARE = "*"
"""In the place of a name: all packs that came with the software; no pack can be called so."""

FAULTS_TOLD = 3
"""Of a pack that cannot be signed; `pack lint` tells them all."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person stands by a pack, and may."""

    person: str
    role: str
    approver: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class HeldPack:
    """One version of one pack."""

    name: str
    version: str
    title: str
    status: str
    digest: bytes
    text: str
    org: str
    """Who gave it out; '' for what came with the software."""
    counts: bool
    """Whether whoever signed it may give packs out here."""
    readable: bool
    """Whether this software finds no fault in it."""
    approvals: tuple[Approval, ...]
    at_ms: int
    """When it was published; 0 for what came with the software."""
    shipped: bool = False

    @property
    def usable(self) -> bool:
        """Whether it can be worked by."""
        return self.counts and self.readable

    @property
    def approved(self) -> bool:
        """Whether a clinical lead stands by it; until then screens say NOT APPROVED."""
        return bool(self.approvals)

    @property
    def approved_by(self) -> str:
        """Who stands by it, in words."""
        return "; ".join(f"{each.person}, {each.role}" for each in self.approvals)


@dataclass(frozen=True, slots=True)
class Use:
    """Which version a device said it works by."""

    device: bytes
    name: str
    version: str
    digest: bytes
    at_ms: int


def held(ledger: Ledger) -> list[HeldPack]:
    """Return every version of every pack known here, by name, the one to use first."""
    approvals = _approvals(ledger)
    found: dict[tuple[bytes, bool], HeldPack] = {}
    for (
        name,
        version,
        title,
        status,
        digest,
        operation,
        issuer,
        text,
        at_ms,
        standing,
    ) in ledger.store.all(
        "SELECT name, version, title, status, digest, operation, issuer, text, at_ms, standing"
        " FROM pack WHERE replaced = 0 ORDER BY at_ms, entry"
    ):
        org = _issuing_org(ledger, issuer) if operation == ledger.authority.operation else ""
        counts = bool(org) and standing == Standing.STANDS
        each = HeldPack(
            name, version, title, status, digest, text, org, counts, _readable(text),
            approvals.get(digest, ()), at_ms,
        )  # fmt: skip
        found[digest, counts] = each
    known = [
        pack for (digest, counts), pack in found.items() if counts or (digest, True) not in found
    ]
    # Most nodes hold none but these, and every child of a drive asks what is worked by.
    return (
        sorted([*known, *map(_shipped, SHIPPED_NAMES)], key=_order) if known else [*_all_shipped()]
    )


def in_use(ledger: Ledger, name: str) -> HeldPack | None:
    """Return the version this node works by: the newest approved one, else the newest."""
    return next((pack for pack in held(ledger) if pack.name == name and pack.usable), None)


def works_by(ledger: Ledger, name: str) -> msgspec.Struct | None:
    """Return the contents of a pack as this node works by it; None when there is none."""
    return used_of(held(ledger), name)


def used_of(known: Sequence[HeldPack], name: str) -> msgspec.Struct | None:
    """Return the contents of a pack as a node works by it; None when there is none.

    Args:
        known: As `held` returns them: whoever asks for several packs looks them up once.
        name: Of the pack.
    """
    found = next((pack for pack in known if pack.name == name and pack.usable), None)
    return None if found is None else _contents(found)


@lru_cache(32)
def _contents(pack: HeldPack) -> msgspec.Struct:
    return contents(pack)


def contents(pack: HeldPack) -> msgspec.Struct:
    """Return a pack as guidelines take it; `approved_by` says who stands by it.

    Raises:
        SetupError: `bad_pack`.
    """
    # Every form of pack: only who needs one.
    from protocols.guidelines.linting import read_any, read_faultless

    # What comes with the software was looked through before it was shipped.
    found = read_faultless(pack.text) if pack.shipped else read_any(pack.text)
    head = getattr(found, "pack")  # noqa: B009 - every form has one
    assert isinstance(head, PackHead)
    signed = msgspec.structs.replace(head, approved_by=pack.approved_by)
    return msgspec.structs.replace(found, pack=signed)


def uses(ledger: Ledger) -> list[Use]:
    """Return what each device last said it works by, by pack and device.

    Who said that it has what came with this software works by each of those packs, unless it said
    otherwise of one. Who has what came with another software is told under `SOFTWARE`.
    """
    last: dict[tuple[str, bytes], Use] = {}
    for name, version, digest, at_ms, feed in ledger.store.all(
        "SELECT u.name, u.version, u.digest, u.at_ms, t.feed FROM pack_use u"
        " JOIN strand t ON t.entry = u.entry WHERE u.replaced = 0 AND u.standing = 0"
        " ORDER BY t.clock, u.entry"
    ):
        device = bytes(ledger.chain.by_no[feed].genesis.device)
        last[name, device] = Use(device, name, version, digest, at_ms)
    for (name, _), use in list(last.items()):
        if name == SOFTWARE and use.version == shipped_set():
            del last[name, use.device]
            for pack in map(_shipped, SHIPPED_NAMES):
                said = Use(use.device, pack.name, pack.version, b"", use.at_ms)
                last.setdefault((pack.name, use.device), said)
    return [last[key] for key in sorted(last)]


def unsaid_set(ledger: Ledger) -> str:
    """Return what came with the software, where this device has not said so yet; else ''."""
    own = ledger.authority.device
    said = ledger.store.all(
        "SELECT u.version, t.feed FROM pack_use u JOIN strand t ON t.entry = u.entry"
        " WHERE u.replaced = 0 AND u.standing = 0 AND u.name = ? ORDER BY t.clock, u.entry",
        (SOFTWARE,),
    )
    mine = [
        version
        for version, feed in said
        if bytes(ledger.chain.by_no[feed].genesis.device) == bytes(own)
    ]
    return "" if mine[-1:] == [shipped_set()] else shipped_set()


@cache
def shipped_set() -> str:
    """Return what came with this software, as 16 hexadecimal digits over all its packs."""
    digests = sorted(_shipped(name).digest for name in SHIPPED_NAMES)
    return blake2b(b"".join(digests), digest_size=8).hexdigest()


def unsaid(ledger: Ledger) -> list[HeldPack]:
    """Return the packs this node works by and has not said so yet.

    Of a pack that nobody has published nothing is said by itself: `unsaid_set` says it of all.
    """
    own = {
        use.name: (use.digest, use.version)
        for use in uses(ledger)
        if use.device == ledger.authority.device
    }
    known = held(ledger)
    names = dict.fromkeys(pack.name for pack in known if not pack.shipped or pack.name in own)
    chosen = [found for name in names if (found := in_use(ledger, name)) is not None]
    return [
        pack
        for pack in chosen
        if own.get(pack.name) != (b"" if pack.shipped else pack.digest, pack.version)
    ]


def sign(ledger: Ledger, text: str) -> bytes:
    """Return the statement by which this device's organisation gives a pack out.

    Raises:
        InputError: `may_not_sign_pack`, `pack_faults` naming the first faults with their lines.
    """
    authority = ledger.authority
    member = authority.roster.device(authority.device)
    if member is None or member.rank > Rank.ISSUER or member.sealed:
        raise InputError("may_not_sign_pack")
    from protocols.guidelines.linting import lint

    wrong = lint(text)
    if wrong:
        told = tuple(f"{fault.line}: {fault.what}" for fault in wrong[:FAULTS_TOLD])
        raise InputError("pack_faults", allowed=told)
    head = head_of(text)
    digest = pack_digest(canonical(text))
    return bytes_of(sign_pack(authority.keys, authority.operation, head.name, head.version, digest))


def _issuing_org(ledger: Ledger, issuer: bytes) -> str:
    """Return the organisation of a key that may give packs out, else ''."""
    roster = ledger.authority.roster
    org = roster.charter.org_of(issuer) if roster.charter and issuer else None
    if org is not None:
        return org.name
    member = roster.device(DeviceId(issuer)) if issuer else None
    if member is None or member.rank > Rank.ISSUER or member.sealed:
        return ""
    return member.org


def _approvals(ledger: Ledger) -> dict[bytes, tuple[Approval, ...]]:
    found: dict[bytes, dict[bytes, Approval]] = {}
    for digest, approver, person, role, at_ms, operation in ledger.store.all(
        "SELECT digest, approver, person, role, at_ms, operation FROM pack_approval"
        " WHERE replaced = 0 AND standing = 0 ORDER BY at_ms, entry"
    ):
        if operation == ledger.authority.operation and may_approve(ledger, approver):
            found.setdefault(digest, {}).setdefault(
                approver, Approval(person, role, approver, at_ms)
            )
    return {digest: tuple(each.values()) for digest, each in found.items()}


def may_approve(ledger: Ledger, person: bytes) -> bool:
    """Whether a key is a person's, whose role may approve packs.

    Where the charter names the kind in a role, as it does for a clinical lead, only such a role
    will do; else any role that may write all kinds.
    """
    roster = ledger.authority.roster
    member = roster.device(DeviceId(person)) if person else None
    if member is None or member.rank != Rank.PERSON or member.sealed or roster.charter is None:
        return False
    named = [role for role in roster.charter.roles if KindNo.PACK_APPROVE in role.kinds]
    able = named or [role for role in roster.charter.roles if not role.kinds]
    return any(role.number in member.roles for role in able)


def _order(pack: HeldPack) -> tuple[object, ...]:
    """By name; usable ones first, then approved ones, then the newest, then what was published."""
    version = tuple(-number for number in _version(pack.version))
    return (
        pack.name,
        not pack.usable,
        not pack.approved,
        version,
        pack.shipped,
        -pack.at_ms,
        pack.digest,
    )


@lru_cache(64)
def _version(text: str) -> tuple[int, ...]:
    parts = [int(part) if part.isdecimal() and part.isascii() else 0 for part in text.split(".")]
    return (*parts[:4], *[0] * (4 - len(parts)))


@cache
def _all_shipped() -> tuple[HeldPack, ...]:
    return tuple(sorted(map(_shipped, SHIPPED_NAMES), key=_order))


@lru_cache(64)
def _readable(text: str) -> bool:
    from protocols.guidelines.linting import lint

    return bool(text) and not lint(text)


def _own_words(whole: str) -> str:
    """Return what a shipped pack says of itself, without its other tables.

    To read these of all packs costs more than the first screen that asks for one.
    """
    return _HEAD.split(whole, 1)[0]


_HEAD = re.compile(r"^(?=\[(?!pack\]$))", re.MULTILINE)
"""Where the first table after the head begins; a test reads each shipped pack both ways."""


@lru_cache(64)
def _shipped(name: str) -> HeldPack:
    whole = (files("protocols.guidelines") / "packs" / f"{name}.toml").read_text("utf-8")
    head = head_of(_own_words(whole))
    return HeldPack(
        name=head.name,
        version=head.version,
        title=head.title,
        status=head.status,
        digest=pack_digest(canonical(whole)),
        text=whole,
        org="",
        counts=True,
        readable=True,
        approvals=(),
        at_ms=0,
        shipped=True,
    )
