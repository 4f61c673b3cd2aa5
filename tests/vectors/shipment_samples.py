"""One short and one full sample of what stores ask of each other, recall and measure."""

from __future__ import annotations

from protocols.records.kinds import KindNo
from protocols.records.reading import ReadingRecord
from protocols.records.recall import LotRecall
from protocols.records.shape import Circumstances, Source, Statement
from protocols.records.shipping import (
    Arrival,
    Parcel,
    RequisitionApprove,
    RequisitionPlace,
    ShipmentCancel,
    ShipmentDispatch,
    ShipmentReceive,
    ShipmentReserve,
    Wanted,
)

EARLIER = (b"e" * 16, 3)
WHEN = Circumstances(1_780_000_000, "hour", "Ana", Source.PAPER, None, "why", ("beyond_stock",))
ENDS = (b"s" * 16, b"o" * 16, 1_790_000_000)
ITEM = "ors-1l-sachet"
SEEN = (EARLIER, (b"f" * 16, 0))

VALUES: dict[str, tuple[KindNo, Statement]] = {
    "request short": (
        KindNo.REQUISITION_PLACE,
        RequisitionPlace(to=b"o" * 16, lines=(Wanted(ITEM, 200),)),
    ),
    "request full": (
        KindNo.REQUISITION_PLACE,
        RequisitionPlace(WHEN, (EARLIER,), SEEN, *ENDS, (Wanted(ITEM, 200),), "cholera ward"),
    ),
    "approval full": (
        KindNo.REQUISITION_APPROVE,
        RequisitionApprove(WHEN, (EARLIER,), SEEN, *ENDS, (Wanted(ITEM, 150),)),
    ),
    "reservation full": (
        KindNo.SHIPMENT_RESERVE,
        ShipmentReserve(WHEN, (EARLIER,), SEEN, *ENDS, (Parcel(ITEM, "A1", 20, 20908),)),
    ),
    "dispatch short": (
        KindNo.SHIPMENT_DISPATCH,
        ShipmentDispatch(None, (), (), *ENDS[:2], lines=(Parcel(ITEM, "A1", 20),)),
    ),
    "dispatch full": (
        KindNo.SHIPMENT_DISPATCH,
        ShipmentDispatch(
            WHEN,
            (),
            SEEN,
            *ENDS[:2],
            None,
            (Parcel(ITEM, "A1", 20, 20908), Parcel("tramadol-50-cap", "T7", 40)),
            "car 3",
            "J. Cho",
        ),
    ),
    "receipt short": (
        KindNo.SHIPMENT_RECEIVE,
        ShipmentReceive(
            None, (), (EARLIER,), *ENDS[:2], lines=(Arrival(ITEM, "A1", 20, None, 20),)
        ),
    ),
    "receipt full": (
        KindNo.SHIPMENT_RECEIVE,
        ShipmentReceive(
            WHEN,
            (),
            SEEN,
            *ENDS[:2],
            None,
            (Arrival(ITEM, "A1", 18, 20908, 20, 3, "wet", 2, 1),),
        ),
    ),
    "cancellation": (KindNo.SHIPMENT_CANCEL, ShipmentCancel(WHEN, (), SEEN, *ENDS[:2])),
    "recall short": (KindNo.LOT_RECALL, LotRecall(item="vaccine-mr-10", lot="0119X2")),
    "recall full": (
        KindNo.LOT_RECALL,
        LotRecall(
            WHEN, (EARLIER,), "vaccine-mr-10", "0119X2", 1, 5, "manufacturer", "send all of it back"
        ),
    ),
    "reading typed": (
        KindNo.READING_RECORD,
        ReadingRecord(None, (), b"s" * 16, "fridge 1", 29_666_666, (0, 52)),
    ),
    "reading run": (
        KindNo.READING_RECORD,
        ReadingRecord(WHEN, (EARLIER,), b"s" * 16, "fridge 1", 29_666_666, (0, 52, 10, -7), 3),
    ),
}
