"""What fact values ask of their fields beyond the types: the words the page has for it.

By structure and field; '' is what concerns several fields. `test_second_reader.py` holds each of
them against the code, by values that keep and that break it.
"""

from __future__ import annotations

from protocols.guidelines.decimals import SCALE_MAX
from protocols.guidelines.items import BARCODE_CHARS_MAX, PACK_UNITS_MAX
from protocols.guidelines.items import CODE_CHARS_MAX as TAUGHT_CHARS_MAX
from protocols.records.loggers import TENTHS_MAX
from protocols.records.movement import ITEM_CHARS_MAX, LOT_CHARS_MAX, UNITS_MAX
from protocols.records.reading import RUN_MAX, UNIT_CHARS_MAX
from protocols.records.shipping import LINES_MAX
from protocols.records.vaccination import CODE_CHARS_MAX
from protocols.records.vial import DOSES_MAX

_ITEM = f"1..{ITEM_CHARS_MAX} long"
_LOT = f"0..{LOT_CHARS_MAX} long"
_SCALE = f"0..{SCALE_MAX}"
_PAIR = {"store": "16 bytes", "item": _ITEM}
_SEEN = {"seen": "whole"}

RULES: dict[str, dict[str, str]] = {
    "AdministrationRecord": {
        **_SEEN,
        "order": "whole",
        "": (
            f"where `item` is not empty it is at most {ITEM_CHARS_MAX} long and `store` is 16 bytes"
        ),
    },
    "AefiReport": {"doses": "whole"},
    "AllotmentGrant": {
        **_PAIR,
        **_SEEN,
        "": "`to` has at least one element, each with a `device` of 32 bytes and `units` above 0",
    },
    "Amount": {"mantissa": "0..999999999", "scale": _SCALE},
    "BarcodeTeach": {
        "code": f"1..{BARCODE_CHARS_MAX} long",
        "item": f"1..{TAUGHT_CHARS_MAX} long",
        "units": f"1..{PACK_UNITS_MAX}",
    },
    "Beside": {"session": "16 bytes, not nil", "code": "1.. long"},
    "ConflictSettle": {"": "`value` is nil or as [the attribute](#attributes) holds it"},
    "DocumentOpen": {"subject": "0 or 16 bytes", "encounter": "0 or 16 bytes"},
    "DoseDecide": {"doses": "whole", "": "`doses` has at least two elements"},
    "DoseRecord": {
        **_SEEN,
        "vial": "whole",
        "session": "16 bytes",
        "vaccine": f"1..{CODE_CHARS_MAX} long",
        "lot": _LOT,
        "diluent_lot": _LOT,
    },
    "EncounterCounted": {"site": "16 bytes"},
    "EntryRetract": {"of": "whole"},
    "GuidelineStep": {"digest": "0 or 32 bytes"},
    "LotQuarantine": {**_PAIR, **_SEEN, "lot": _LOT},
    "LotRecall": {"item": _ITEM, "lot": f"1..{LOT_CHARS_MAX} long"},
    "LotRelease": {**_PAIR, **_SEEN, "lot": _LOT},
    "Movement": {
        **_PAIR,
        **_SEEN,
        "lot": _LOT,
        "units": "not 0",
        "other": "16 bytes",
        "shipment": "16 bytes",
        "cause": "whole",
        "patient": "16 bytes",
        "kit": f"0..{ITEM_CHARS_MAX} long",
        "": "`units` is below 0 in kinds 141 and 143 alone",
    },
    "ObservationRecord": {"mantissa": "-999999999..999999999", "scale": _SCALE},
    "OrderStop": {**_SEEN, "order": "whole"},
    "PackUse": {"digest": "0 or 32 bytes"},
    "ProtectionRecord": {"patient": "0 or 16 bytes"},
    "ReadingRecord": {
        "store": "16 bytes",
        "unit": f"1..{UNIT_CHARS_MAX} long",
        "": (
            f"`run` is 1 to {RUN_MAX} pairs; the first gap is 0, none is below it, and tenths are "
            f"-{TENTHS_MAX}..{TENTHS_MAX}"
        ),
    },
    "Restated": {"": "each value is nil or as [the attribute](#attributes) holds it"},
    "ResultAccept": {"results": "whole or founding"},
    "SessionOpen": {"site": "16 bytes", "store": "16 bytes"},
    "SiteRegister": {"part_of": "16 bytes"},
    "Step": {
        **_SEEN,
        "donor": "0 or 16 bytes",
        "to": "0 or 16 bytes",
        "": (
            f"`lines`, where there are any, are at most {LINES_MAX}, each with an `item` of 1 to "
            f"{ITEM_CHARS_MAX}, a `lot` of at most {LOT_CHARS_MAX} and `units` up to {UNITS_MAX}"
        ),
    },
    "StockCount": {
        **_PAIR,
        **_SEEN,
        "": f"the `lot` of each of `lots` is at most {LOT_CHARS_MAX} long",
    },
    "StockSettle": {**_PAIR, **_SEEN, "movement": "whole", "count": "whole"},
    "StockWitness": {**_PAIR, **_SEEN, "movement": "whole"},
    "TallyAdd": {"n": "not 0", "vial": "whole"},
    "TransferAccept": {**_SEEN, "offer": "whole"},
    "TransferDecline": {**_SEEN, "answers": "whole"},
    "TransferOffer": {**_SEEN},
    "TriageConfirm": {"triage": "whole or founding"},
    "TriageRecord": {"category": "0..4"},
    "VialDiscard": {"vial": "whole"},
    "VialOpen": {
        "store": "16 bytes",
        "doses": f"1..{DOSES_MAX}",
        "item": _ITEM,
        "lot": _LOT,
    },
}
