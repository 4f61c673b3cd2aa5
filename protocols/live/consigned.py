"""What `shipments`, `recalls` and `cold_units` answer, for both ends: types alone."""

from __future__ import annotations

import msgspec


class ShipmentPart(msgspec.Struct, frozen=True):
    """One lot of a shipment, or what was asked of an item (lot '')."""

    item: str
    """Code in the catalogue."""
    lot: str
    expiry_day: int | None
    """Days since 1970; the last day it may be used."""
    wanted: int
    approved: int
    reserved: int
    sent: int
    arrived: int
    missing: int
    """Sent and not expected any more; below 0 where more came."""
    transit: int
    """On its way; below 0: it came, and that it was sent is not known here yet."""
    why: str
    """One of `shipping.DISCREPANCIES`; '' where all came."""
    vvm: int


class ShipmentStep(msgspec.Struct, frozen=True):
    """Who did what of a shipment."""

    fact: str
    """What `entry.retract` names to take it back."""
    kind: str
    """Of the record, such as `shipment.dispatch`."""
    at_ms: int
    author: str
    """The person who wrote it, else the device."""
    device: str
    """Name of the device."""
    ours: bool
    """Whether it was written on this device."""
    counts: bool
    """Whether it stands: nothing replaced it or took it back."""


class ShipmentReceipt(msgspec.Struct, frozen=True):
    """One of several receipts of one lot, written by people who did not know of each other."""

    fact: str
    """What `entry.retract` names to take it back."""
    at_ms: int
    author: str
    """The person who wrote it, else the device."""
    device: str
    place: str
    """Name of the store that took it in."""
    units: int
    """Of all lots that it names."""
    counts: int
    """Of these, those that count in the store's book."""


class ShipmentLine(msgspec.Struct, frozen=True):
    """One request or shipment. Text is cleaned for display."""

    shipment: str
    """What commands name."""
    state: str
    """One of `shipping.STATES`, or `expired` where it has lapsed by now."""
    donor: str
    """Id of the store that gives; '' while nobody said."""
    donor_name: str
    to: str
    to_name: str
    ours: str
    """`in` or `out` where this device works at that end; '' elsewhere."""
    until_ms: int | None
    at_ms: int
    """When the newest step happened."""
    carrier: str
    text: str
    unsettled: int
    parts: tuple[ShipmentPart, ...] = ()
    steps: tuple[ShipmentStep, ...] = ()
    """In the order in which they happened."""
    since_ms: int | None = None
    """Since when anything of it is on its way; None: nothing is."""
    twice: tuple[ShipmentReceipt, ...] = ()
    """Of one shipment that is asked for by its id: receipts beside each other, one of which is to
    be taken back; in the order in which they happened."""
    beyond: int = 0
    """Of the same: units that several stores took in beyond what was sent."""


class Shipments(msgspec.Struct, frozen=True):
    """`shipments`: args store (id; none: all), closed (those that are over too), limit.

    Those that go on, the newest first; at most 200.
    """

    lines: tuple[ShipmentLine, ...]
    items: tuple[ItemWords, ...] = ()


class StoreAnswer(msgspec.Struct, frozen=True):
    """What one store says to a recall: holds so many, gave so many."""

    store: str
    name: str
    low: int
    high: int
    quarantined: bool
    received: int
    gave: int
    sent: int
    lost: int
    at_ms: int
    """Of the newest record it follows from: how old the answer is."""
    ours: bool = False
    """Whether this device works there."""


class RecallLine(msgspec.Struct, frozen=True):
    """One recall that holds."""

    recall: str
    fact: str
    """What `entry.retract` names to take it back."""
    item: str
    lot: str
    level: str
    why: str
    issuer: str
    text: str
    at_ms: int
    author: str
    transit: int
    """Units on their way between stores."""
    patients: int
    """How many are known to have received of it; who, `recall_patients` says."""
    stores: tuple[StoreAnswer, ...]


class Recalls(msgspec.Struct, frozen=True):
    """`recalls`: args limit. Recalls that hold, the newest first."""

    lines: tuple[RecallLine, ...]
    items: tuple[ItemWords, ...] = ()


class RecipientLine(msgspec.Struct, frozen=True):
    """Somebody who received of a recalled lot."""

    patient: str
    code: str
    name: str
    how: str
    """`dispensed` or `vaccinated`."""
    units: int
    at_ms: int


class Recipients(msgspec.Struct, frozen=True):
    """`recall_patients`: args item, lot, reason.

    Other teams' patients take a reason, which stands in the audit trail before they are named.
    """

    total: int
    lines: tuple[RecipientLine, ...]


class LotLine(msgspec.Struct, frozen=True):
    """A lot that an episode may have harmed: `lot.quarantine` takes item and lot."""

    item: str
    lot: str
    low: int
    high: int
    quarantined: bool


class EpisodeLine(msgspec.Struct, frozen=True):
    """One stretch beyond a limit, or minutes added up."""

    limit: str
    """Its name in the pack: `freeze`, `heat`, `freeze-sum`, `heat-sum`."""
    freezing: bool
    celsius: str
    """The limit."""
    since_ms: int
    until_ms: int
    minutes: int
    worst_tenths: int
    ongoing: bool
    alarms: bool
    status: str
    """`verified` or `memory`, as the pack says of its limit."""
    lots: tuple[LotLine, ...] = ()
    """Only of one that alarms."""


class ColdUnit(msgspec.Struct, frozen=True):
    """One cold-chain unit."""

    unit_id: str
    store: str
    store_name: str
    unit: str
    cold: str
    newest_ms: int
    newest_tenths: int
    low_tenths: int
    high_tenths: int
    readings: int
    episodes: tuple[EpisodeLine, ...]
    """The newest last, at most 50."""


class ColdUnits(msgspec.Struct, frozen=True):
    """`cold_units`: args store (id; none: all). By store and name."""

    approved: bool
    """Whether a clinical lead has signed the limits in use."""
    lines: tuple[ColdUnit, ...]
    limits: tuple[LimitLine, ...] = ()
    """Of every class of cold, in the order of the pack."""
    pack: str = ""
    """Name and version of the pack the limits are of."""
    items: tuple[ItemWords, ...] = ()


class ItemWords(msgspec.Struct, frozen=True):
    """An item of the catalogue this node works by, as screens name it."""

    code: str
    words: dict[str, str]
    """By language."""
    unit: str
    """The smallest whole thing that is issued."""
    packs: tuple[int, ...] = ()
    """Usual sizes in units, the smallest first."""
    controlled: bool = False
    cold: str = ""
    vaccine: bool = False
    """Whether its vials carry a monitor."""
    gtin: str = ""
    """Of a package of one unit, in 14 digits; '' where the catalogue has none."""


class HeldLot(msgspec.Struct, frozen=True):
    """One lot of an item in a store."""

    item: str
    lot: str
    expiry_day: int | None
    low: int
    high: int
    aside: int
    """Set aside for shipments that were not sent yet."""
    held: bool
    """In quarantine."""
    recalled: bool
    expired: bool


class LotLabel(msgspec.Struct, frozen=True):
    """`lot_label`: args item (code), lot. What a label of it says."""

    item: ItemWords
    lot: str
    expiry_day: int | None
    """The earliest that any store states."""
    code: str
    """Element string of GS1 with 0x1D between elements; '' where its lot fits into none."""


class HeldLots(msgspec.Struct, frozen=True):
    """`lots_held`: args store (id), items (codes; none: all). What expires first comes first."""

    lines: tuple[HeldLot, ...]
    items: tuple[ItemWords, ...] = ()


class LimitLine(msgspec.Struct, frozen=True):
    """One limit of the cold chain pack in use."""

    cold: str
    limit: str
    below: bool
    celsius: str
    minutes: int
    days: int
    """0: of one stretch; else minutes are added up over so many days."""
    source: str
    status: str


class SupplyAlert(msgspec.Struct, frozen=True):
    """Something about supplies that somebody has to look at."""

    why: str
    """`excursion`, `recall`, `negative`, `overdraft`, `twice`, `lapsed`, `apart`; `asked` of our
    stores, `coming` to them."""
    about: str
    """Id of the unit, the recall or the shipment; of stock the store's, and the item."""
    at_ms: int
    """Since when."""
    place: str
    """Name of the store, or of the unit and its store."""
    item: str = ""
    lot: str = ""
    number: int = 0
    """Lots not held back, stores that hold it, units too many, or steps that differ."""
    freezing: bool = False
    ours: bool = False


class SupplyAlerts(msgspec.Struct, frozen=True):
    """`supply_alerts`: excursions, recalls nobody acted on, shipments that lapsed or differ."""

    lines: tuple[SupplyAlert, ...]
    items: tuple[ItemWords, ...] = ()
