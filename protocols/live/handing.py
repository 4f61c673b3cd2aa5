"""What `offers` and `handing` answer, for both ends: patients offered, and to whom one can be."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine


class OfferLine(msgspec.Struct, frozen=True):
    """One offer that stands. Text is cleaned for display."""

    offer: str
    """What `transfer.accept` and `transfer.decline` answer."""
    head: BoardLine
    to: str
    sender: str
    """The organisation that offers."""
    to_us: bool
    """Whether this device is who was asked, or part of it."""
    from_here: bool
    """It was made on this device: another one accepts, this one takes it back."""
    at_ms: int
    author: str
    device: str
    said: tuple[tuple[str, str], ...] = ()
    """(part of the hand-over, text): MIST, SBAR, transport; only of offers to us or from here."""


class Offers(msgspec.Struct, frozen=True):
    """`offers`: args limit (at most 100). Offers that stand: those to us first, then the latest."""

    total: int
    to_us: int
    lines: tuple[OfferLine, ...]


class PartyLine(msgspec.Struct, frozen=True):
    """Somebody a patient can be offered to."""

    kind: str
    """`organisation`, `site` or `device`."""
    id: str
    """As `transfer.offer` takes it: of an organisation the name."""
    name: str
    org: str = ""
    """Of a device: whose it is."""


class Handing(msgspec.Struct, frozen=True):
    """`handing`: args patient. What an offer of this patient begins from."""

    head: BoardLine
    parties: tuple[PartyLine, ...]
    suggested: dict[str, str] = {}
    """By part of the hand-over: what the chart says of it in words. Nothing that was measured."""
    open: tuple[OfferLine, ...] = ()
    """Offers of this patient that stand."""
