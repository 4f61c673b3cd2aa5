"""Whether somebody may write a kind now: what roles allow, and what a licence covers.

Roles are judged by everybody from the control records, and what a role may not write is kept, shown
as refused and counted nowhere. What a licence covers is asked here alone, before a form opens and
when it saves: a person may override it in an emergency, with a reason that others see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from protocols.errors import InputError, LedgerError
from protocols.feeds.body import decode_session
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryPrefix, FactRef, PatientId, PersonId
from protocols.ledger import persons
from protocols.ledger.audit import Event
from protocols.ledger.book import Ledger
from protocols.ledger.sitting import Sitting
from protocols.records.kinds import KindNo
from protocols.records.rows import kind_name
from protocols.trust.audit import REASON_CHARS_MAX, Detail, What
from protocols.trust.persons import Profile
from protocols.trust.sessions import NOBODY
from protocols.trust.standing import Standing

FREE = frozenset(
    {
        KindNo.DOCUMENT_OPEN,
        KindNo.PATIENT_REGISTER,
        KindNo.PATIENT_IDENTIFY,
        KindNo.PATIENT_LINK,
        KindNo.PATIENT_UNLINK,
        KindNo.ENCOUNTER_OPEN,
        KindNo.ENCOUNTER_MOVE,
        KindNo.TRIAGE_RECORD,
        KindNo.TRIAGE_CONFIRM,
        KindNo.SITE_REGISTER,
        KindNo.ENTRY_RETRACT,
        KindNo.STOCK_RECEIVE,
        KindNo.STOCK_ISSUE,
        KindNo.STOCK_RETURN,
        KindNo.STOCK_LOSS,
        KindNo.STOCK_ADJUST,
        KindNo.STOCK_COUNT,
        KindNo.STOCK_BREAK,
        KindNo.STOCK_SETTLE,
        KindNo.STOCK_WITNESS,
        KindNo.ALLOTMENT_GRANT,
        KindNo.LOT_QUARANTINE,
        KindNo.LOT_RELEASE,
        KindNo.LOT_RECALL,
        KindNo.REQUISITION_PLACE,
        KindNo.REQUISITION_APPROVE,
        KindNo.SHIPMENT_RESERVE,
        KindNo.SHIPMENT_DISPATCH,
        KindNo.SHIPMENT_RECEIVE,
        KindNo.SHIPMENT_CANCEL,
        KindNo.READING_RECORD,
    }
)
"""Needs no licence: who is there, where, who is seen first, and what stores keep. Everything else
is care; to dispense to a patient is too."""

PERSONAL = frozenset({KindNo.TRIAGE_CONFIRM, KindNo.OBSERVATION_SCALE, KindNo.STOCK_WITNESS})
"""Says that a person stands by or chose something: nobody writes it unless they are signed in."""

NAMED_MAX = 3
"""Names said of those who may, where somebody may not."""
REVIEW_MAX = 500
"""Acts in one list for review."""
OVERRIDES = ("outside_practice", "licence_ended", "not_recognised", "licence_unknown")
"""Refusals that a reason overrides."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between somebody and one kind."""

    kind: int
    standing: Standing
    """How it would count."""
    reason: str = ""
    """'' when nothing does, or nothing for long; one of `OVERRIDES`, or `role_refused` or
    `quarantined`: it may be written and will be shown as that."""
    who: tuple[str, ...] = ()
    """Roles that may, and persons of this device who have one of them and the licence for it."""

    @property
    def overridable(self) -> bool:
        """Whether it is a person's to decide, with a reason."""
        return self.reason in OVERRIDES


def gate(ledger: Ledger, sitting: Sitting | None, kind: int, now_ms: int) -> Gate:
    """Say whether whoever sits here, or nobody identified, may write a kind.

    Args:
        now_ms: Wall clock; a licence that HQ's time has outlived has ended even if it lags.
    """
    standing, reason = stopped(ledger, sitting, kind, now_ms)
    return Gate(kind, standing, reason, _who(ledger, kind, reason, now_ms) if reason else ())


def stopped(
    ledger: Ledger, sitting: Sitting | None, kind: int, now_ms: int
) -> tuple[Standing, str]:
    """Return the standing and the reason alone: who may is not looked up."""
    standing = standing_now(ledger, sitting, kind)
    if standing != Standing.STANDS:
        return standing, _ROLE_REASONS.get(standing, "")
    if sitting is None or kind in FREE:
        return standing, ""
    profile = persons.profile_of(ledger, sitting.person)
    return standing, licence_refusal(profile, kind, max(now_ms, ledger.trusted_ms))


def standing_now(ledger: Ledger, sitting: Sitting | None, kind: int) -> Standing:
    """Say how a kind would count if it were written now.

    A device that has no scope of care, as a relay has none, is as one that is not admitted yet.
    """
    authority = ledger.authority
    session = sitting.session if sitting is not None else NOBODY
    try:
        scope = authority.care_scope
    except LedgerError:
        return Standing.UNADMITTED
    return authority.roster.standing(
        authority.device, kind, scope, session, epoch=bytes(authority.epoch)
    )


def licence_refusal(profile: Profile | None, kind: int, now_ms: int) -> str:
    """Say why a licence does not cover a kind, as one of `OVERRIDES`, or ''."""
    if kind in FREE:
        return ""
    if profile is None:
        return "licence_unknown"
    if profile.practice and kind not in profile.practice:
        return "outside_practice"
    if 0 < profile.licence_until_ms < now_ms:
        return "licence_ended"
    return "not_recognised" if profile.licensed and not profile.recognised_by else ""


def must_practise(
    ledger: Ledger, sitting: Sitting, kind: int, now_ms: int, overridden: Collection[int] = ()
) -> None:
    """Refuse what a person's licence does not cover and nobody has overridden.

    Raises:
        InputError: One of `OVERRIDES`.
    """
    profile = persons.profile_of(ledger, sitting.person)
    reason = licence_refusal(profile, kind, max(now_ms, ledger.trusted_ms))
    if reason and kind not in overridden:
        who = _who(ledger, kind, reason, now_ms)
        raise InputError(reason, field="kind", allowed=who, kind=kind_name(kind))


def override(sitting: Sitting, kind: int, reason: str, now_ms: int, patient: str = "") -> Event:
    """Return what the trail says of an override.

    Raises:
        InputError: `reason_needed`, `too_long`, `bad_id`.
    """
    said = reason.strip()
    if not said:
        raise InputError("reason_needed", field="reason")
    whole = f"{kind_name(kind)}: {said}"
    if len(whole) > REASON_CHARS_MAX:
        raise InputError(
            "too_long", field="reason", limit=REASON_CHARS_MAX - len(whole) + len(said)
        )
    about = bytes(PatientId.parse(patient)) if patient else b""
    return Event(
        What.OVERRIDE, now_ms, Detail(patient=about, reason=whole), session=sitting.session[0]
    )


# For review


@dataclass(frozen=True, slots=True)
class ForReview:
    """One act of a person whose licence, or whose key, is in doubt since before it."""

    person: PersonId
    device: DeviceId
    entry: FactRef
    """The first fact of it."""
    subject: bytes
    """Id of the patient, site or result it is about."""
    subject_kind: int
    at_ms: int
    """When it says it was written."""
    reason: int
    """A `SealReason`."""


def for_review(ledger: Ledger) -> list[ForReview]:
    """Return acts that a seal wants looked at again, newest first; they go on counting."""
    found = [act for person, since_ms, why in _doubted(ledger) for act in
             _acts(ledger, person, since_ms, why)]  # fmt: skip
    found.sort(key=lambda act: (-act.at_ms, act.entry))
    return found[:REVIEW_MAX]


def _doubted(ledger: Ledger) -> Iterator[tuple[PersonId, int, int]]:
    """Persons with the earliest instant from which their acts are in doubt, and why."""
    roster = ledger.authority.roster
    for member in roster.members():
        bounds = [bound for bound in roster.bounds(member) if bound.since_ms]
        if bounds and roster.sessions_of(member):
            first = min(bounds, key=lambda bound: bound.since_ms)
            yield PersonId(member), first.since_ms, first.reason


def _acts(ledger: Ledger, person: PersonId, since_ms: int, why: int) -> Iterator[ForReview]:
    sessions = {
        (place.author, place.epoch, place.seq, bytes(place.entry[:4]))
        for place in ledger.authority.roster.sessions_of(DeviceId(person))
    }
    lives = {(device, epoch) for device, epoch, _, _ in sessions}
    feeds = {
        feed.no: feed.genesis
        for feed in ledger.chain.feeds.values()
        if feed.genesis.lane != Lane.CONTROL
        and (feed.genesis.device, bytes(feed.genesis.epoch)) in lives
    }
    marks = ",".join("?" * len(feeds))
    for prefix, feed, clock, plain, subject, kind in ledger.store.all(
        "SELECT t.prefix, t.feed, t.clock, substr(t.plain, 1, 16), s.id, s.kind FROM strand t"
        " JOIN document d ON d.no = t.doc JOIN subject s ON s.no = d.subject"
        f" WHERE t.feed IN ({marks}) AND t.clock >= ? ORDER BY t.clock DESC",
        (*feeds, since_ms << 16),
    ):
        genesis = feeds[feed]
        if (genesis.device, bytes(genesis.epoch), *decode_session(plain)) in sessions:
            ref = FactRef(EntryPrefix(prefix), 0)
            yield ForReview(person, genesis.device, ref, subject, kind, clock >> 16, why)


# Inside

_ROLE_REASONS = {
    Standing.REFUSED: "role_refused",
    Standing.QUARANTINED: "quarantined",
    Standing.HELD: "quarantined",
}


def _who(ledger: Ledger, kind: int, reason: str, now_ms: int) -> tuple[str, ...]:
    """Name the roles that may write a kind, and persons of this device whose licence covers it.

    Where it is the licence that stops somebody, a role they have themselves says nothing.
    """
    roster = ledger.authority.roster
    charter = roster.charter
    roles = {
        role.number: role.name
        for role in (charter.roles if charter else ())
        if not role.kinds or kind in role.kinds
    }
    able, at_ms = [], max(now_ms, ledger.trusted_ms)
    for each in persons.enrolled(ledger):
        member = roster.device(DeviceId(each.person))
        covered = licence_refusal(each.profile, kind, at_ms) == ""
        if member and not member.sealed and covered and not member.roles.isdisjoint(roles):
            able.append(each.profile.name if each.profile else "")
    named = () if reason in OVERRIDES else tuple(roles.values())
    return (*named, *filter(None, able[:NAMED_MAX]))
