"""One short and one full sample of the value of every kind that stores are kept by."""

from __future__ import annotations

from protocols.records.administration import AdministrationRecord
from protocols.records.amounts import Amount
from protocols.records.counts import AllotmentGrant, Counted, Granted, StockCount, StockSettle
from protocols.records.kinds import KindNo
from protocols.records.lots import LotQuarantine, LotRelease
from protocols.records.movement import VALUES as MOVEMENTS
from protocols.records.movement import StockAdjust, StockBreak, StockReceive
from protocols.records.shape import Circumstances, Source, Statement
from protocols.records.site import SiteRegister
from protocols.records.witnessing import StockWitness

EARLIER = (b"e" * 16, 3)
WHEN = Circumstances(1_780_000_000, "hour", "Ana", Source.PAPER, None, "why", ("over_allotment",))
PAIR = (b"s" * 16, "ors-1l-sachet")

VALUES: dict[str, tuple[KindNo, Statement]] = {
    **{
        f"{value.__name__} short": (KindNo(kind), value(None, (), *PAIR, "A1", None, 1))
        for kind, value in MOVEMENTS.items()
    },
    "movement full": (
        KindNo.STOCK_RECEIVE,
        StockReceive(
            WHEN,
            (EARLIER,),
            *PAIR,
            "A1047",
            20908,
            200,
            11,
            b"o" * 16,
            b"h" * 16,
            EARLIER,
            b"p" * 16,
            "J. Cho",
            (2, 100),
            (EARLIER, (b"f" * 16, 0)),
            "kit-rehydration",
        ),
    ),
    "adjusted down": (KindNo.STOCK_ADJUST, StockAdjust(WHEN, (), *PAIR, "", None, -3, 7)),
    "kit gone": (KindNo.STOCK_BREAK, StockBreak(None, (), *PAIR, "K1", None, -1, 16)),
    "count short": (KindNo.STOCK_COUNT, StockCount(None, (), *PAIR)),
    "count full": (
        KindNo.STOCK_COUNT,
        StockCount(
            WHEN,
            (EARLIER,),
            *PAIR,
            (Counted("A1", 20908, 64), Counted("", None, 2)),
            0,
            1,
            62,
            66,
            (EARLIER,),
        ),
    ),
    "settle": (
        KindNo.STOCK_SETTLE,
        StockSettle(WHEN, (EARLIER,), *PAIR, EARLIER, (b"f" * 16, 0), 1, (EARLIER,)),
    ),
    "grant": (
        KindNo.ALLOTMENT_GRANT,
        AllotmentGrant(
            None, (), *PAIR, (Granted(b"d" * 32, 40), Granted(b"g" * 32, 5)), (EARLIER,)
        ),
    ),
    "quarantine": (
        KindNo.LOT_QUARANTINE,
        LotQuarantine(WHEN, (), *PAIR, "A1", 1, (EARLIER,)),
    ),
    "release": (KindNo.LOT_RELEASE, LotRelease(WHEN, (EARLIER,), *PAIR, "A1", (EARLIER,))),
    "last day": (
        KindNo.LOT_RELEASE,
        LotRelease(WHEN, (), *PAIR, "A1", (EARLIER,), 20_909),
    ),
    "stock witness": (
        KindNo.STOCK_WITNESS,
        StockWitness(None, (), *PAIR, EARLIER, (EARLIER,)),
    ),
    "dose out of a store": (
        KindNo.ADMINISTRATION_RECORD,
        AdministrationRecord(
            None,
            (),
            None,
            0,
            "morphine",
            Amount(5),
            1,
            discarded=Amount(5),
            witness="J. Cho",
            lot="M1",
            store=b"s" * 16,
            item="morphine-10-amp",
            units=1,
        ),
    ),
    "site that is a part": (
        KindNo.SITE_REGISTER,
        SiteRegister(None, (), "Pharmacy", 8, part_of=b"s" * 16),
    ),
}
