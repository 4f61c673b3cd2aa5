"""What a running node answers about who belongs: members, seals, scopes, and what does not count.

Typed once for both ends, as in `api`; nothing here loads the book or its cryptography.
"""

from __future__ import annotations

import msgspec

ROSTER_MAX = 200
"""Members in one answer."""


class SealLine(msgspec.Struct, frozen=True):
    """One seal on a member."""

    id: str
    reason: str
    """A `SealReason` in lower case, or its number when it is of later software."""
    since_ms: int
    feeds: int
    """How many feeds it names."""


class MemberLine(msgspec.Struct, frozen=True):
    """One device or person of the operation."""

    id: str
    name: str
    """'' when our keys do not open it."""
    org: str
    jurisdiction: str
    rank: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    here: bool
    """It is this device."""
    not_after_ms: int
    """0 = open."""
    sealed: str = ""
    """Why it may do nothing any more; '' when it may."""
    seals: tuple[SealLine, ...] = ()
    last_ms: int = 0
    """When it was last linked here, Unix milliseconds; 0 = never."""


class RosterLine(MemberLine, frozen=True):
    """A member as a screen shows one: with its fingerprint, and who could seal it."""

    linked: bool = False
    profession: str = ""
    """Of a person."""
    fingerprint: str = ""
    """Of its signing key. It confirms what two people believe; certificates decide."""
    spoken: str = ""
    """The same as it is said over a radio."""
    known_ms: int = 0
    """When the newest entry held of it says it was written; 0 = none is here."""
    why_not: str = ""
    """Why a seal by this device would not count, such as `seal_org`; '' = it would."""
    ask: tuple[str, ...] = ()
    """Who could seal it, where this device cannot."""


class RosterPage(msgspec.Struct, frozen=True):
    """`roster`: args offset, limit, text (part of a name, organisation, rank or role)."""

    total: int
    offset: int
    lines: tuple[RosterLine, ...]


class OrgLine(msgspec.Struct, frozen=True):
    """One organisation of the charter."""

    name: str
    jurisdiction: str
    fingerprint: str
    """Of its root key."""
    spoken: str
    ours: bool
    devices: int
    persons: int
    sealed: int
    """How many of both may do nothing any more."""
    control_ms: int
    """When the newest control record held of any of its devices says it was written; 0 = none."""
    known_ms: int
    """The same of any entry."""
    last_ms: int
    """When one of its devices was last linked here; 0 = never."""


class CoordinatorLine(msgspec.Struct, frozen=True):
    """One key that certifies and seals: how old is what is known of its decisions."""

    id: str
    name: str
    org: str
    rank: str
    here: bool
    linked: bool
    sealed: str
    control_ms: int
    """When the newest control record held of it says it was written; 0 = none is here."""
    known_ms: int
    """The same of any entry: what it decided later has not come."""
    last_ms: int


class ScopePeer(msgspec.Struct, frozen=True):
    """What one other device gets of a scope from this one."""

    device: str
    name: str
    org: str
    jurisdiction: str
    linked: bool
    gets: str
    """'reads', 'carries' what it cannot read, or 'nothing'."""


class ScopeLine(msgspec.Struct, frozen=True):
    """One scope: what may become of what is written in it."""

    id: str
    name: str
    sensitivity: str
    """'identified', 'aggregate' or 'protection'."""
    jurisdictions: tuple[str, ...]
    """Which may hold it; empty = any."""
    may_leave: bool
    """Whether others may carry it sealed."""
    readers: tuple[str, ...]
    """Roles that read it; empty = every role certified for it."""
    reading: int
    """Devices entitled to its keys now."""
    writes: bool
    """This device writes in it."""
    reads: bool
    """This device has a key of it."""
    peers: tuple[ScopePeer, ...]
    """Linked ones first."""


class Belonging(msgspec.Struct, frozen=True):
    """`belonging`: the operation as this device knows it, and how old that knowledge is."""

    operation: str
    """Its name; '' before a charter is here."""
    fingerprint: str
    """Of the charter's text."""
    spoken: str
    orgs: tuple[OrgLine, ...]
    coordinators: tuple[CoordinatorLine, ...]
    scopes: tuple[ScopeLine, ...]
    control_ms: int
    """When the newest control record of another device says it was written; 0 = none came yet."""
    control_from: str
    """Whose it is."""
    may_seal: bool
    """This device may seal somebody."""
    sealed: str
    """Why this device may do nothing any more; '' when it may."""


class KeptLine(msgspec.Struct, frozen=True):
    """What one seal keeps back of one feed."""

    seal: str
    reason: str
    device: str
    name: str
    feed: str
    lane: int
    held: bool
    """The seal does not name the feed: a coordinator has to say whether it counts."""
    entries: int
    first_ms: int
    org: str = ""
    since_ms: int = 0
    """From when on the seal distrusts; 0 = it does not say."""
    why_not: str = ""
    """Why an extension by this device would not count; '' = it would."""
    ask: tuple[str, ...] = ()


class RefusedLine(msgspec.Struct, frozen=True):
    """A seal that does not count."""

    seal: str
    author: str
    author_name: str
    subject: str
    subject_name: str
    reason: str


class ForkLine(msgspec.Struct, frozen=True):
    """One feed of which a device wrote several histories."""

    feed: str
    device: str
    name: str
    lane: int
    branches: int
    proof: str
    """Hexadecimal; '' when no signature near the parting is kept. See `feeds.equivocation`."""


class LinkRefused(msgspec.Struct, frozen=True):
    """Why links with one peer or from one place were refused, since the node was started."""

    code: str
    peer: str
    """'' = it had not proved who it is."""
    peer_name: str
    address: str
    times: int
    last_ms: int


class Quarantine(msgspec.Struct, frozen=True):
    """What does not count because of a seal, seals that do not count, and links refused."""

    kept: tuple[KeptLine, ...]
    refused: tuple[RefusedLine, ...]
    links: tuple[LinkRefused, ...] = ()


class ApartLine(msgspec.Struct, frozen=True):
    """What one author wrote that is shown and not counted."""

    device: str
    device_name: str
    org: str
    person: str
    """'' = nobody is identified."""
    person_name: str
    standing: int
    """1 unadmitted, 2 not in the role, 5 the person is unchecked."""
    entries: int
    newest_ms: int


class Apart(msgspec.Struct, frozen=True):
    """`apart`: everything that is here and does not count, with the reason."""

    kept: tuple[KeptLine, ...]
    seals: tuple[RefusedLine, ...]
    authors: tuple[ApartLine, ...]
    forks: tuple[ForkLine, ...]
    """Without their proofs."""
    more: bool = False
    """There are more entries of authors than were looked at."""
    links: tuple[LinkRefused, ...] = ()


class SealLook(msgspec.Struct, frozen=True):
    """`seal_look`: args member, since_ms. What a seal would do, before anybody decides."""

    member: RosterLine
    feeds: int
    entries: int
    """All that is here of it; -1 for a person, whose entries are among those of devices."""
    later: int
    """Those of them from `since_ms` on, which would count no more; -1 as above."""
    roles: tuple[str, ...]
    """Those it holds, of which a reduction keeps some."""


class ReviewDone(msgspec.Struct, frozen=True):
    """What came of looking at an act again."""

    at_ms: int
    by: str
    """The person, or the account of an HQ page."""
    device_name: str
    outcome: str
    """'stands', 'corrected' or 'follow_up'; any other word is of later software."""
    note: str


class ReviewLine(msgspec.Struct, frozen=True):
    """One act of somebody whose licence or key came into doubt; it goes on counting."""

    fact: str
    person: str
    person_name: str | None
    device: str
    device_name: str
    subject: str
    patient: str
    """'' where it is about none."""
    code: str
    kinds: tuple[str, ...]
    """What it recorded."""
    at_ms: int
    reason: str
    """Why it is listed: a `SealReason` in lower case."""
    reviews: tuple[ReviewDone, ...]
    """Oldest first; none: it waits."""


class ReviewPage(msgspec.Struct, frozen=True):
    """`review_page`: no args. `review_done`: args fact, outcome, note."""

    total: int
    waiting: int
    """How many nobody has looked at yet."""
    lines: tuple[ReviewLine, ...]
    """Those that wait first, the newest of each first; at most 200."""
    why_not: str = ""
    """Why a review by this device would not count; '' = it would."""
    ask: tuple[str, ...] = ()
    """Whose would."""
