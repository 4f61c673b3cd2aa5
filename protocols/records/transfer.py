"""Handing a patient over: offered with what the next team needs, accepted by a second signature.

Each record stands alone in an urgent document, so it crosses before the chart does, and the second
signature can be given while the first team is out of reach.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.vocabulary import fold
from protocols.ids import DeviceId, FactRef, PatientId
from protocols.records.custody import (
    KINDS,
    PARTIES,
    STATES,
    Custody,
    Party,
    TransferAccept,
    TransferDecline,
    TransferOffer,
    custody,
    party_of,
    sight,
)
from protocols.records.display import clean_text
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, tidy
from protocols.records.references import packed, ref_of
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import DeviceText, FactText, SiteText
from protocols.records.wordlists import word_at

# fields: in `custody.py`, which says what they come to

PARTS = (
    "mechanism",
    "injuries",
    "signs",
    "treatment",
    "situation",
    "background",
    "assessment",
    "recommendation",
)
"""What is handed over: MIST for the injured, SBAR for everybody."""

# commands


class PartyData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whom a patient is offered to: exactly one of `organisation`, `site` and `device`."""

    organisation: str | None = None
    site: SiteText | None = None
    """Id of a site."""
    device: DeviceText | None = None
    """Id of a device."""
    name: str | None = None
    """As people call the site or the device."""


class OfferData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of transfer.offer."""

    to: PartyData
    mechanism: str | None = None
    injuries: str | None = None
    signs: str | None = None
    treatment: str | None = None
    situation: str | None = None
    background: str | None = None
    assessment: str | None = None
    recommendation: str | None = None
    transport: str | None = None


class AcceptData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of transfer.accept."""

    offer: FactText
    """Id of the offer."""


class DeclineData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of transfer.decline; the line's `reason` says why."""

    answers: FactText
    """Id of the offer, or of the acceptance that is given back."""


NAME_CHARS_MAX = 80
PART_CHARS_MAX = 600

# apply


def plan_offer(command: Command, view: View) -> Plan:
    """Offer a patient; another offer that stands is asked about: two make custody unclear."""
    desk = Desk(command, view)
    data: OfferData = command.data
    patient = desk.patient()
    history = desk.history(patient)
    _names_nothing(command)
    to = _party(desk, data.to)
    stand = custody(history)
    others = [fact for fact in (stand.open if stand else ()) if party_of(fact).key != to.key]
    if others:
        desk.confirmed("offer_stands", "data.to", allowed=tuple(str(each.ref) for each in others))
    record = TransferOffer(
        desk.circumstances(),
        (),
        to,
        view.organisation,
        bytes(view.device),
        _seen(history),
        **{name: _part(data, name, PART_CHARS_MAX) for name in PARTS},
        transport=_part(data, "transport", NAME_CHARS_MAX),
    )
    return _urgent(desk, patient, KindNo.TRANSFER_OFFER, record)


def plan_accept(command: Command, view: View) -> Plan:
    """Take a patient over: the second signature, given on another device than the offer."""
    desk = Desk(command, view)
    _names_nothing(command)
    patient, offer = _answered(desk, command.data.offer, "data.offer")
    history = desk.history(patient)
    if not isinstance(offer.record, TransferOffer):
        raise InputError("not_an_offer", field="data.offer")
    if not any(each.ref == offer.ref for each in _custody(history).open):
        raise InputError("offer_closed", field="data.offer")
    if offer.record.device == bytes(view.device):
        raise InputError("own_offer", field="data.offer")
    if not _is_here(offer.record.to, view):
        desk.confirmed("offered_elsewhere", "data.offer", allowed=(offer.record.to.text,))
    record = TransferAccept(
        desk.circumstances(), (), ref_of(offer), offer.record.to, _seen(history)
    )
    return _urgent(desk, patient, KindNo.TRANSFER_ACCEPT, record)


def plan_decline(command: Command, view: View) -> Plan:
    """Turn an offer down, withdraw it, or give an acceptance back; with a reason."""
    desk = Desk(command, view)
    _names_nothing(command)
    patient, fact = _answered(desk, command.data.answers, "data.answers")
    history = desk.history(patient)
    stand = _custody(history)
    answerable = (*stand.open, *stand.holders)
    if not any(each.ref == fact.ref for each in answerable):
        raise InputError("offer_closed", field="data.answers")
    record = TransferDecline(
        desk.circumstances(reason_needed=True), (), ref_of(fact), _seen(history)
    )
    return _urgent(desk, patient, KindNo.TRANSFER_DECLINE, record)


def _urgent(desk: Desk, patient: PatientId, kind: KindNo, record: Statement) -> Plan:
    new = NewFact(kind, record)
    draft = Draft(Lane.URGENT, SubjectKind.PATIENT, patient, None, (new,))
    return Plan((draft,), tuple(desk.warnings))


def _names_nothing(command: Command) -> None:
    """Custody is answered, never corrected: what was said stays part of who came first."""
    if command.supersedes:
        raise InputError("not_taken", field="supersedes", kind="transfer.decline")


def _seen(history: History) -> tuple[Ref, ...]:
    """Return the latest records of custody shown here, those that do not stand too."""
    facts = [fact for kind in KINDS for fact in history.of_kind.get(kind, ())]
    return sight(history).heads(sorted(facts, key=lambda fact: (fact.order, fact.index)))


def _custody(history: History) -> Custody:
    found = custody(history)
    assert found is not None
    return found


def _answered(desk: Desk, text: str, where: str) -> tuple[PatientId, Fact]:
    try:
        ref = FactRef.parse(text)
    except InputError as error:
        raise error.at(where) from None
    subject, fact = desk.fact(ref, where)
    if not isinstance(fact.record, TransferOffer | TransferAccept):
        raise InputError("not_an_offer", field=where)
    named = desk.patient_if_any()
    if named is not None and named != subject:
        raise InputError("wrong_subject", field=where)
    return PatientId(subject), fact


def _party(desk: Desk, data: PartyData) -> Party:
    where = "data.to"
    given = [name for name in PARTIES if getattr(data, name) is not None]
    if len(given) != 1:
        raise InputError("missing_field", field=where, allowed=PARTIES)
    name = tidy(data.name, f"{where}.name", NAME_CHARS_MAX) if data.name else ""
    if data.site is not None:
        return Party(1, bytes(desk.site(data.site, f"{where}.site") or b""), name)
    if data.device is not None:
        try:
            return Party(2, bytes(DeviceId.parse(data.device)), name)
        except InputError as error:
            raise error.at(f"{where}.device") from None
    organisation = tidy(data.organisation or "", f"{where}.organisation", NAME_CHARS_MAX)
    if not fold(organisation):
        raise InputError("empty", field=f"{where}.organisation")
    return Party(0, b"", organisation)


def _is_here(to: Party, view: View) -> bool:
    """Whether this device is who was asked, or part of it."""
    if to.kind == 2:
        return to.id == bytes(view.device)
    if to.kind == 1:
        return view.home_site is not None and to.id == bytes(view.home_site)
    return to.key == Party(0, b"", view.organisation).key


def _part(data: OfferData, name: str, limit: int) -> str:
    text = getattr(data, name)
    return tidy(text, f"data.{name}", limit) if text else ""


# rows


class TransferRow(Row, frozen=True, kw_only=True, gc=False):
    """One offer and what has become of it."""

    TABLE: ClassVar[str] = "transfer"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    to_kind: str
    to_id: bytes | None
    to_name: str
    sender: str
    state: str
    """`open`, `accepted`, `declined`, `withdrawn`, or `lapsed`: another acceptance came first."""
    mechanism: str = ""
    injuries: str = ""
    signs: str = ""
    treatment: str = ""
    situation: str = ""
    background: str = ""
    assessment: str = ""
    recommendation: str = ""
    transport: str = ""


class AnswerRow(Row, frozen=True, kw_only=True, gc=False):
    """One acceptance or refusal."""

    TABLE: ClassVar[str] = "transfer_answer"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    about: bytes
    """18-byte reference of the offer, or of the acceptance that was given back."""
    answer: str
    """`accepted` or `declined`."""
    holds: int
    """1: an acceptance that counts, or counted until the patient went on; 0: it came too late, was
    given back, or is a refusal."""
    party: str = ""
    """Who accepted."""
    reason: str = ""


class CustodyRow(Row, frozen=True, kw_only=True, gc=False):
    """Who has a patient: one row for each about whom custody was ever spoken of."""

    TABLE: ClassVar[str] = "custody"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    state: str
    """A word of `STATES`."""
    unclear: int
    """1: every board says CUSTODY UNCLEAR."""
    keeper: str = ""
    """Who has the patient; several, apart by ` / `, while they are in conflict; '' is the team
    that had the patient first."""
    offered: str = ""
    """To whom the patient is offered now, apart by ` / `."""
    since_ms: int | None = None
    """When the patient was taken over, as far as that is clear."""


def rows(history: History) -> list[Row]:
    """Return who has the patient, one row for each offer and one for each answer."""
    stand = custody(history)
    if stand is None:
        return []
    return [_custody_row(history, stand), *_offer_rows(history, stand), *_answers(history, stand)]


def _custody_row(history: History, stand: Custody) -> CustodyRow:
    fact = stand.newest
    taken = {each.at_ms for each in stand.holders}
    return CustodyRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        patient=history.subject,
        state=STATES[stand.state],
        unclear=int(stand.state >= STATES.index("unclear")),
        keeper=clean_text(" / ".join(stand.keepers)),
        offered=clean_text(" / ".join(dict.fromkeys(party_of(f).text for f in stand.open))),
        since_ms=taken.pop() if len(taken) == 1 else None,
    )


def _offer_rows(history: History, stand: Custody) -> list[TransferRow]:
    open_now = {ref_of(fact) for fact in stand.open}
    accepted, declined = set(), set()
    for fact in history.of_kind.get(KindNo.TRANSFER_ACCEPT, ()):
        if isinstance(fact.record, TransferAccept) and ref_of(fact) in stand.holding:
            accepted.add(fact.record.offer)
    for fact in history.of_kind.get(KindNo.TRANSFER_DECLINE, ()):
        counts = fact.standing == 0 and not history.replaced(fact)
        if isinstance(fact.record, TransferDecline) and counts:
            declined.add(fact.record.answers)
    found = []
    for fact in history.of_kind.get(KindNo.TRANSFER_OFFER, ()):
        record, ref = fact.record, ref_of(fact)
        assert isinstance(record, TransferOffer)
        found.append(
            TransferRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                to_kind=word_at(PARTIES, record.to.kind),
                to_id=record.to.id or None,
                to_name=clean_text(record.to.name),
                sender=clean_text(record.sender),
                state="accepted"
                if ref in accepted
                else "open"
                if ref in open_now
                else "withdrawn"
                if history.replaced(fact)
                else "declined"
                if ref in declined
                else "lapsed",
                **{name: clean_text(getattr(record, name), PART_CHARS_MAX) for name in PARTS},
                transport=clean_text(record.transport),
            )
        )
    return found


def _answers(history: History, stand: Custody) -> list[AnswerRow]:
    found = []
    for kind in (KindNo.TRANSFER_ACCEPT, KindNo.TRANSFER_DECLINE):
        for fact in history.of_kind.get(kind, ()):
            record = fact.record
            assert isinstance(record, TransferAccept | TransferDecline)
            accepts = isinstance(record, TransferAccept)
            stated = record.circumstances
            found.append(
                AnswerRow(
                    entry=fact.entry,
                    idx=fact.index,
                    kind=fact.kind,
                    standing=fact.standing,
                    at_ms=fact.at_ms,
                    supersedes=history.supersedes(fact),
                    replaced=history.replaced(fact),
                    patient=history.subject,
                    about=packed(
                        record.offer if isinstance(record, TransferAccept) else record.answers
                    ),
                    answer="accepted" if accepts else "declined",
                    holds=int(ref_of(fact) in stand.holding),
                    party=party_of(fact).text if accepts else "",
                    reason=clean_text(stated.reason) if stated else "",
                )
            )
    return found


def own_words(record: TransferOffer | TransferAccept | TransferDecline) -> list[tuple[str, str]]:
    """Return what was said of custody, as (catalogue key, text) pairs."""
    if isinstance(record, TransferAccept):
        return [("accepted_by", record.to.text)]
    if isinstance(record, TransferDecline):
        return [("declined", "1")]
    said: list[tuple[str, str]] = [("offered_to", record.to.text)]
    for name in (*PARTS, "transport"):
        text = clean_text(getattr(record, name), PART_CHARS_MAX)
        if text:
            said.append((name, text))
    return said


KIND_OFFER = Kind(
    number=KindNo.TRANSFER_OFFER,
    name="transfer.offer",
    value=TransferOffer,
    data=OfferData,
    plan=plan_offer,
    example={
        "v": 1,
        "kind": "transfer.offer",
        "key": "example-22",
        "patient": {"tag": "B12"},
        "data": {
            "to": {"organisation": "Red Crescent"},
            "mechanism": "fell from a roof",
            "injuries": "left femur, closed",
            "signs": "HR 110, RR 22, BP 105/70",
            "treatment": "splint, ketamine",
            "recommendation": "traction, blood at hand",
        },
    },
)
KIND_ACCEPT = Kind(
    number=KindNo.TRANSFER_ACCEPT,
    name="transfer.accept",
    value=TransferAccept,
    data=AcceptData,
    plan=plan_accept,
    example={
        "v": 1,
        "kind": "transfer.accept",
        "key": "example-23",
        "data": {"offer": "$offer"},
        "confirm": ["offered_elsewhere"],
    },
)
KIND_DECLINE = Kind(
    number=KindNo.TRANSFER_DECLINE,
    name="transfer.decline",
    value=TransferDecline,
    data=DeclineData,
    plan=plan_decline,
    example={
        "v": 1,
        "kind": "transfer.decline",
        "key": "example-24",
        "data": {"answers": "$offer"},
        "reason": "no theatre tonight",
    },
)

# merge note: SAFETY 25. Two offers at once both stand and custody is unclear; the first acceptance
# in causal order holds and what it did not know of lapses; acceptances made apart are a conflict in
# which each team keeps the patient listed, until all but one are given back, or the patient is
# offered and accepted again by people who knew of both.
