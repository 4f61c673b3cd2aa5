"""What `stores`, `shelf`, `stock_item`, `items` and `code_means` answer, for both ends: types."""

from __future__ import annotations

import msgspec


class StoreLine(msgspec.Struct, frozen=True):
    """One site that keeps stock, or can."""

    store: str
    """Its id."""
    name: str
    ours: bool
    """Whether it is this device's own site or a part of it."""
    items: int
    """How many items something is known of there."""


class Stores(msgspec.Struct, frozen=True):
    """`stores`: our own site first, its parts, then those that hold most."""

    lines: tuple[StoreLine, ...]


class ShelfLine(msgspec.Struct, frozen=True):
    """One item in one store."""

    item: str
    """Code in the catalogue."""
    name: str
    """In the language that was asked for; the code where the catalogue does not know it."""
    unit: str
    """One of `items.Unit`; '' where the catalogue does not know it."""
    low: int
    high: int
    """What there is: from `low` to `high` while something is unsettled."""
    days: str = ""
    """Days of cover, whole and sure; '' where nothing is used, or nothing can be said."""
    guess: bool = False
    """Whether they rest on too few days."""
    expiry_day: int | None = None
    """Of the lot that expires next."""
    marks: tuple[str, ...] = ()
    """What is the matter with it, of `MARKS`, the gravest first."""
    last_ms: int = 0
    """When the newest record of it happened: how old the figure is."""
    counted_ms: int | None = None
    unsettled: int = 0
    overdraft: int = 0


MARKS = (
    "negative", "recalled", "overdraft", "out", "low", "expired", "expiring", "held", "unsettled",
)  # fmt: skip
"""`low` lasts no longer than a delivery takes with what is kept in hand; `expiring` within 30
days."""


class Shelf(msgspec.Struct, frozen=True):
    """`shelf`: args store, offset, limit, filter, sort, languages. At most 200 lines.

    Sorted by what runs out first; by `name`, or by `counted`: not counted for longest.
    """

    store: str
    name: str
    total: int
    offset: int
    lines: tuple[ShelfLine, ...]
    items: int = 0
    """All of the store, whatever the filter."""
    marked: dict[str, int] = {}
    """How many of all items bear each mark."""
    method: str = ""
    """How days of cover were worked out."""


class LotLine(msgspec.Struct, frozen=True):
    """One lot of an item in a store."""

    lot: str
    """'' = of no stated lot."""
    expiry_day: int | None
    low: int
    high: int
    marks: tuple[str, ...] = ()
    """Of `recalled`, `held`, `expired`, `expiring`: the first three are not to be issued."""
    last_ms: int = 0
    counted_ms: int | None = None


class MoveLine(msgspec.Struct, frozen=True):
    """One movement or count, as a card lists it."""

    fact: str
    at_ms: int
    type: str
    """One of `stock.TYPES`, `count`, or `expiry` where a last day was stated anew."""
    lot: str
    units: int
    """By which the stock changed; of a count what was there."""
    to: str
    """The other site's name, or `patient`: who, the chart says."""
    why: str
    reason: str
    witness: str
    author: str
    maybe: bool = False
    """Whether it may have been in a count already."""
    counts: bool = True
    """Whether it is in the balance."""
    countersigned: bool = False
    overdrawn: bool = False
    below: bool = False
    """Whether it is among those by which a lot fell below nothing."""
    expiry_day: int | None = None
    """The day that was stated anew, since 1970-01-01."""


class AccountLine(msgspec.Struct, frozen=True):
    """What one device may issue of an item in a store."""

    device: str
    name: str
    ours: bool
    granted: int
    used: int
    left: int


class ItemName(msgspec.Struct, frozen=True):
    """One item of the catalogue."""

    item: str
    name: str
    unit: str
    packs: tuple[int, ...] = ()
    controlled: bool = False
    kit: bool = False
    also: tuple[str, ...] = ()
    """Other names that find it."""


class ItemNames(msgspec.Struct, frozen=True):
    """`items`: args languages. The catalogue that this node works by."""

    lines: tuple[ItemName, ...]


class StockItem(msgspec.Struct, frozen=True):
    """`stock_item`: args store, item, languages, moves (how many, at most 200)."""

    store: str
    store_name: str
    known: ItemName
    line: ShelfLine
    lots: tuple[LotLine, ...]
    """Those that may be given first, the first to expire first."""
    moves: tuple[MoveLine, ...]
    """The newest first."""
    accounts: tuple[AccountLine, ...]
    """Empty while nothing is allotted to anybody."""
    first: str = ""
    """The lot to give first; '' for none."""
    rate: str = ""
    """Units a day; '' where it is not known."""


class CodeMeaning(msgspec.Struct, frozen=True):
    """What a code is taught, or known by the catalogue, to be on."""

    item: str
    units: int
    """In the package that carries it."""
    taught: bool = False


class CodeRead(msgspec.Struct, frozen=True):
    """`scan`: args code, as the scanner typed it with its AIM identifier."""

    code: str
    """'' where it names no item, as the code on a lot label may."""
    lot: str = ""
    expiry: str = ""
    """ISO day."""
    serial: str = ""
    separator_lost: bool = False
    means: tuple[CodeMeaning, ...] = ()


class DoseItem(msgspec.Struct, frozen=True):
    """One item that holds a medicine, and what a dose takes of it."""

    known: ItemName
    low: int
    high: int
    units: int
    """Whole units that the dose takes, rounded up; 0: nobody can say, so a person does."""
    sum: str
    """The arithmetic, as it is shown."""
    discarded: str
    """What is left of them, with its unit; '' for nothing."""
    lots: tuple[LotLine, ...]
    first: str = ""


class DoseStock(msgspec.Struct, frozen=True):
    """`dose_stock`: args store, substance, value, unit, languages. What is there goes first."""

    store: str
    store_name: str
    lines: tuple[DoseItem, ...]
