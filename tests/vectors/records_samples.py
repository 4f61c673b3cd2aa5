"""One short and one full sample of the value of every kind of care, as it is signed."""

from __future__ import annotations

from protocols.records.acceptance import ResultAccept
from protocols.records.administration import AdministrationRecord
from protocols.records.allergy import AllergyRecord
from protocols.records.amounts import Amount
from protocols.records.barcode import BarcodeTeach
from protocols.records.catalogue import encode_fact
from protocols.records.condition import ConditionRecord
from protocols.records.confirmation import TriageConfirm
from protocols.records.custody import Party, TransferAccept, TransferDecline, TransferOffer
from protocols.records.encounter import EncounterClose, EncounterOpen
from protocols.records.guideline import GuidelineStep
from protocols.records.intake import IntakeRecord
from protocols.records.kinds import KindNo
from protocols.records.medicine import Frequency, Proposal
from protocols.records.order import OrderPlace
from protocols.records.procedure import ProcedureRecord
from protocols.records.scale import ObservationScale
from protocols.records.seen import AlertAck
from protocols.records.shape import Circumstances, Source, Statement
from protocols.records.stop import OrderStop
from tests.vectors.immunization_samples import IMMUNIZATION
from tests.vectors.shipment_samples import VALUES as SHIPMENTS
from tests.vectors.stock_samples import VALUES as STOCK

EARLIER = (b"e" * 16, 3)
WHEN = Circumstances(1_780_000_000, "hour", "Ana", Source.PAPER, None, "why", ("tag_in_use",))

VALUES: dict[str, tuple[KindNo, Statement]] = {
    "allergy none known": (KindNo.ALLERGY_RECORD, AllergyRecord(status=1)),
    "allergy full": (
        KindNo.ALLERGY_RECORD,
        AllergyRecord(WHEN, (EARLIER,), 2, 1, "mango", 5, 3, 2, "as a child"),
    ),
    "order short": (
        KindNo.ORDER_PLACE,
        OrderPlace(substance="zinc", dose=Amount(20), frequency=Frequency(1, 1)),
    ),
    "order full": (
        KindNo.ORDER_PLACE,
        OrderPlace(
            WHEN,
            (EARLIER,),
            "paracetamol",
            "atc:N02BE01",
            Amount(1875, 1, 0),
            1,
            Frequency(3, 0, 4),
            "tablet",
            "500 mg",
            1_780_000_060,
            48,
            "fever",
            Proposal("formulary", "3", "child", "12.5 kg x 15 mg/kg"),
            Amount(125, 1, 16),
            1,
            "no other",
        ),
    ),
    "order stop": (KindNo.ORDER_STOP, OrderStop(WHEN, (), EARLIER, (EARLIER, (b"f" * 16, 0)))),
    "dose short": (
        KindNo.ADMINISTRATION_RECORD,
        AdministrationRecord(order=EARLIER, substance="zinc", dose=Amount(20), route=0),
    ),
    "dose full": (
        KindNo.ADMINISTRATION_RECORD,
        AdministrationRecord(
            WHEN,
            (EARLIER,),
            None,
            1,
            "morphine",
            Amount(5, 1, 0),
            1,
            (EARLIER,),
            "atc:N02AA01",
            "left arm",
            "A1047",
            Amount(95, 1, 0),
            "J. Cho",
            b"s" * 16,
            b"l" * 16,
        ),
    ),
    "procedure short": (KindNo.PROCEDURE_RECORD, ProcedureRecord(code=23)),
    "procedure full": (
        KindNo.PROCEDURE_RECORD,
        ProcedureRecord(WHEN, (EARLIER,), 1, "deep", "hand", 1, 2, 1, "six stitches"),
    ),
    "intake short": (KindNo.INTAKE_RECORD, IntakeRecord(what=1, tenths_ml=2000)),
    "intake full": (
        KindNo.INTAKE_RECORD,
        IntakeRecord(WHEN, (EARLIER,), 33, 3000, 2, 1, "rice water"),
    ),
    "step short": (
        KindNo.GUIDELINE_STEP,
        GuidelineStep(name="cholera-c", version="1", step="first"),
    ),
    "step full": (
        KindNo.GUIDELINE_STEP,
        GuidelineStep(
            WHEN,
            (EARLIER,),
            "cholera-c",
            "2.1",
            b"d" * 32,
            1,
            "first",
            {"age_group": "5-y-up", "wasted": 0, "muac": None},
            ("30 × 54 = 1 620 mL",),
            "severe",
            1,
            1,
        ),
    ),
    "offer short": (KindNo.TRANSFER_OFFER, TransferOffer(to=Party(name="Red Crescent"))),
    "offer full": (
        KindNo.TRANSFER_OFFER,
        TransferOffer(
            WHEN,
            (EARLIER,),
            Party(1, b"s" * 16, "Camp 4"),
            "Ministry",
            b"d" * 32,
            (EARLIER,),
            *("mechanism", "injuries", "signs", "treatment"),
            *("situation", "background", "assessment", "recommendation", "by road"),
        ),
    ),
    "accept": (
        KindNo.TRANSFER_ACCEPT,
        TransferAccept(None, (), EARLIER, Party(2, b"d" * 32), (EARLIER,)),
    ),
    "decline": (KindNo.TRANSFER_DECLINE, TransferDecline(WHEN, (), EARLIER, (EARLIER,))),
    "condition short": (KindNo.CONDITION_RECORD, ConditionRecord(text="burn")),
    "condition full": (
        KindNo.CONDITION_RECORD,
        ConditionRecord(WHEN, (EARLIER,), 2, 10, "", -(2026 * 13 + 4), 1, "since the flood"),
    ),
    "result accept": (KindNo.RESULT_ACCEPT, ResultAccept(None, (), (EARLIER,))),
    "barcode short": (KindNo.BARCODE_TEACH, BarcodeTeach(code="A1", item="ors-1l-sachet")),
    "barcode full": (
        KindNo.BARCODE_TEACH,
        BarcodeTeach(WHEN, (EARLIER,), "05901234123457", "ors-1l-sachet", 100),
    ),
    "result accept of what began the document": (
        KindNo.RESULT_ACCEPT,
        ResultAccept(WHEN, (), ((b"", 1), (b"", 2))),
    ),
    "triage confirm": (KindNo.TRIAGE_CONFIRM, TriageConfirm(None, (), EARLIER)),
    "triage confirm of what began the document": (
        KindNo.TRIAGE_CONFIRM,
        TriageConfirm(WHEN, (), (b"", 1)),
    ),
    "alert seen short": (KindNo.ALERT_ACK, AlertAck(None, (), 2, 1_780_000_000_000)),
    "alert seen full": (
        KindNo.ALERT_ACK,
        AlertAck(WHEN, (EARLIER,), 1, 1_780_000_000_000, ("limit.heart-rate.high",)),
    ),
    "scale short": (KindNo.OBSERVATION_SCALE, ObservationScale()),
    "scale full": (KindNo.OBSERVATION_SCALE, ObservationScale(WHEN, (EARLIER,), 2)),
    "encounter open before": (KindNo.ENCOUNTER_OPEN, EncounterOpen(None, (), None, 3, "fell")),
    "encounter open full": (
        KindNo.ENCOUNTER_OPEN,
        EncounterOpen(None, (), b"s" * 16, 3, "fell", "A3", b"c" * 16, 7, 1, "W1", 4),
    ),
    "encounter close before": (KindNo.ENCOUNTER_CLOSE, EncounterClose(None, (), 1)),
    "encounter close full": (
        KindNo.ENCOUNTER_CLOSE,
        EncounterClose(None, (EARLIER,), 4, "by car", "Camp 4", 7, 1),
    ),
    **STOCK,
    **SHIPMENTS,
    **IMMUNIZATION,
}


def samples() -> dict[str, bytes]:
    """Every sample by name."""
    return {name: encode_fact(kind, value) for name, (kind, value) in VALUES.items()}
