"""Who has a patient in care, as offers and acceptances come to it (SAFETY 25).

Nothing here asks a clock. One record comes after another when its writer knew of it, and every
record of custody names the latest ones its writer knew of. An acceptance holds unless its writer
knew of one that the offer did not know of: that one came first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from protocols.guidelines.vocabulary import fold
from protocols.ids import DeviceId, SiteId
from protocols.records.contested import Contest, Side, current
from protocols.records.display import clean_text
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.references import Sight, must_name, ref_of
from protocols.records.shape import Fact, Small, Statement

PARTIES = ("organisation", "site", "device")
"""Whom a patient can be offered to, by position on the wire."""

STATES = ("", "offered", "accepted", "unclear", "conflict")
"""What a board says. `unclear`: several offers stand, or one side said no while the other said yes;
`conflict`: several accepted apart, and each keeps the patient listed."""

OFFERED, ACCEPTED, UNCLEAR, CONFLICT = range(1, 5)


class Party(msgspec.Struct, array_like=True, frozen=True):
    """Whom a patient is offered to."""

    kind: Small = 0
    """Position in `PARTIES`."""
    id: bytes = b""
    """Of the site or the device."""
    name: str = ""

    @property
    def key(self) -> tuple[int, bytes, str]:
        """What is the same for one party, however its name was written."""
        return self.kind, self.id, "" if self.id else fold(self.name)

    @property
    def text(self) -> str:
        """The name, or the id where it has none."""
        if self.name:
            return clean_text(self.name)
        if len(self.id) == SiteId.SIZE and self.kind == 1:
            return str(SiteId(self.id))
        return str(DeviceId(self.id)) if len(self.id) == DeviceId.SIZE else "?"


class TransferOffer(Statement, frozen=True):
    """A patient is offered to somebody, with what they need to know."""

    to: Party = Party()
    sender: str = ""
    """The organisation that offers."""
    device: bytes = b""
    """The device it was offered on: another one accepts."""
    seen: tuple[Ref, ...] = ()
    """The latest records of custody that its writer knew of."""
    mechanism: str = ""
    injuries: str = ""
    signs: str = ""
    treatment: str = ""
    situation: str = ""
    background: str = ""
    assessment: str = ""
    recommendation: str = ""
    transport: str = ""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(*self.seen)


class TransferAccept(Statement, frozen=True):
    """The patient is taken over."""

    offer: Ref = (bytes(16), 0)
    to: Party = Party()
    """Who takes over, as in the offer: it may come later than this."""
    seen: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(self.offer, *self.seen)


class TransferDecline(Statement, frozen=True):
    """An offer is turned down or withdrawn, or an acceptance given back; why is said."""

    answers: Ref = (bytes(16), 0)
    """The offer or the acceptance."""
    seen: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(self.answers, *self.seen)


KINDS = (KindNo.TRANSFER_OFFER, KindNo.TRANSFER_ACCEPT, KindNo.TRANSFER_DECLINE)
_NUMBERS = frozenset(map(int, KINDS))


class Custody(NamedTuple):
    """What all that was said about custody comes to."""

    state: int
    """Position in `STATES`."""
    holders: tuple[Fact, ...]
    """Acceptances that hold and that no later one followed, in display order."""
    open: tuple[Fact, ...]
    """Offers that nobody has answered and no acceptance has overtaken, in display order."""
    holding: frozenset[Ref]
    """All acceptances that hold or held."""
    doubted: tuple[Fact, ...]
    """What was said against the holder by people who did not know of the acceptance."""
    newest: Fact

    @property
    def keepers(self) -> tuple[str, ...]:
        """Who has the patient: none while nobody took over, several in a conflict."""
        return tuple(dict.fromkeys(party_of(fact).text for fact in self.holders))


def sight(history: History) -> Sight:
    """Return which records of custody had seen which."""
    facts = [fact for kind in KINDS for fact in history.of_kind.get(kind, ())]
    return Sight(facts, _named)


def custody(history: History) -> Custody | None:
    """Return who has a patient; None where nothing was ever said about it."""
    if _NUMBERS.isdisjoint(history.of_kind):
        return None
    everything = [fact for kind in KINDS for fact in history.of_kind.get(kind, ())]
    known = sight(history)
    offers = {ref_of(fact): fact for fact in everything if isinstance(fact.record, TransferOffer)}
    declines = _declined(history)
    accepted = [
        fact
        for fact in current(history, KindNo.TRANSFER_ACCEPT)
        if ref_of(fact) not in declines and _second_hand(fact, offers)
    ]
    holding = _holding(known, accepted, offers)
    holders = [
        fact for fact in holding if not any(known.had_seen(later, fact) for later in holding)
    ]
    open_now = [
        fact
        for fact in current(history, KindNo.TRANSFER_OFFER)
        if ref_of(fact) not in declines
        and all(known.had_seen(fact, held) for held in holding)
        and not any(_offer_of(each) == ref_of(fact) for each in accepted)
    ]
    doubted = _doubted(history, known, holders, offers, declines)
    return Custody(
        _state(holders, open_now, doubted),
        tuple(holders),
        tuple(open_now),
        frozenset(ref_of(fact) for fact in holding),
        tuple(doubted),
        max(everything, key=lambda fact: (fact.standing == 0, fact.order, fact.index)),
    )


def contests(history: History) -> list[Contest]:
    """Return custody while it is unclear or in conflict: the acceptances, or the offers."""
    stand = custody(history)
    if stand is None or stand.state < UNCLEAR:
        return []
    facts = [*stand.holders, *stand.doubted]
    if len(facts) < 2:
        facts = [*stand.holders, *stand.open]
    sides = []
    for fact in dict.fromkeys(map(ref_of, facts)):
        each = next(one for one in facts if ref_of(one) == fact)
        sides.append(Side(_side(each), each, each in stand.holders))
    return [Contest("custody", "", None, tuple(sides))]


def party_of(fact: Fact) -> Party:
    """Return whom an offer is to, or who accepted."""
    assert isinstance(fact.record, TransferOffer | TransferAccept)
    return fact.record.to


def _named(fact: Fact) -> Sequence[Ref]:
    match fact.record:
        case TransferOffer(seen=seen):
            return seen
        case TransferAccept(offer=offer, seen=seen):
            return (*seen, offer)
        case TransferDecline(answers=answers, seen=seen):
            return (*seen, answers)
    return ()


def _declined(history: History) -> dict[Ref, list[Fact]]:
    found: dict[Ref, list[Fact]] = {}
    for fact in current(history, KindNo.TRANSFER_DECLINE):
        assert isinstance(fact.record, TransferDecline)
        found.setdefault(fact.record.answers, []).append(fact)
    return found


def _second_hand(accept: Fact, offers: Mapping[Ref, Fact]) -> bool:
    """Whether somebody else signed it than who offered; as long as the offer is not here, yes."""
    offer = offers.get(_offer_of(accept))
    return offer is None or offer.author != accept.author


def _offer_of(accept: Fact) -> Ref:
    assert isinstance(accept.record, TransferAccept)
    return accept.record.offer


def _holding(known: Sight, accepted: Sequence[Fact], offers: Mapping[Ref, Fact]) -> list[Fact]:
    """Return the acceptances that hold, in display order.

    What an acceptance had seen is judged before it, so who came first is settled by then.
    """
    found: list[Fact] = []
    for fact in sorted(accepted, key=lambda fact: len(known.before(fact))):
        offer = offers.get(_offer_of(fact))
        new_round = known.before(offer) if offer is not None else frozenset()
        first = [held for held in found if known.had_seen(fact, held)]
        if all(ref_of(held) in new_round for held in first):
            found.append(fact)
    return sorted(found, key=lambda fact: (fact.order, fact.index))


def _doubted(
    history: History,
    known: Sight,
    holders: Sequence[Fact],
    offers: Mapping[Ref, Fact],
    declines: Mapping[Ref, Sequence[Fact]],
) -> list[Fact]:
    """Return offers taken back, and refusals of them, whose writers did not know of the yes."""
    found = []
    for held in holders:
        offer = offers.get(_offer_of(held))
        if offer is not None and history.replaced(offer):
            found.append(offer)
        found += [each for each in declines.get(_offer_of(held), ()) if known.apart(each, held)]
    return found


def _state(holders: Sequence[Fact], open_now: Sequence[Fact], doubted: Sequence[Fact]) -> int:
    if len({party_of(fact).key for fact in holders}) > 1:
        return CONFLICT
    if doubted or len({party_of(fact).key for fact in open_now}) > 1:
        return UNCLEAR
    if open_now:
        return OFFERED
    return ACCEPTED if holders else 0


def _side(fact: Fact) -> str:
    match fact.record:
        case TransferAccept(to=to):
            return clean_text(f"accepted {to.text}")
        case TransferOffer(to=to):
            return clean_text(f"offered {to.text}")
    return "declined"
