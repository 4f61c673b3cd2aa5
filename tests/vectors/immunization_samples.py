"""One short and one full sample of the value of every kind of immunization, as it is signed."""

from __future__ import annotations

from protocols.records.administration import AdministrationRecord
from protocols.records.aefi import AefiReport
from protocols.records.amounts import Amount
from protocols.records.beside import Beside
from protocols.records.closing import Left, SessionClose
from protocols.records.decision import DoseDecide
from protocols.records.dose import DoseRecord
from protocols.records.kinds import KindNo
from protocols.records.observation import ObservationRecord
from protocols.records.session import Cell, SessionOpen, Target
from protocols.records.shape import Circumstances, Source, Statement
from protocols.records.tally import TallyAdd
from protocols.records.vaccination import Lot
from protocols.records.vial import VialDiscard, VialOpen

EARLIER = (b"e" * 16, 3)
OTHER = (b"f" * 16, 0)
WHEN = Circumstances(1_780_000_000, "day", "Ana", Source.PAPER, None, "why", ("future_time",))

IMMUNIZATION: dict[str, tuple[KindNo, Statement]] = {
    "session short": (KindNo.SESSION_OPEN, SessionOpen(vaccines=("mr",))),
    "session full": (
        KindNo.SESSION_OPEN,
        SessionOpen(
            WHEN,
            (EARLIER,),
            b"s" * 16,
            "Kome school",
            ("R. Amin", "J. Cho"),
            "Europe/Paris",
            ((1_780_000_000, 120), (1_792_890_000, 60)),
            ("mr", "bopv"),
            (Target("measles", 300, 2), Target("polio", 10)),
            (Lot("vaccine-mr-10", "mr", "MR-1", 20_877),),
            b"t" * 16,
            (Cell(1, "mr", 1, 2, 2), Cell(9, "bopv", 0)),
            "schedule-outbreak",
            ("yellow-fever",),
            20_700,
        ),
    ),
    "session of interventions": (
        KindNo.SESSION_OPEN,
        SessionOpen(
            interventions=("vitamin-a", "muac"),
            cells=(Cell(3, band=2, sex=1, intervention="vitamin-a"),),
        ),
    ),
    "vitamin A of a session": (
        KindNo.ADMINISTRATION_RECORD,
        AdministrationRecord(
            substance="vitamin A",
            dose=Amount(200_000, 0, 5),
            route=0,
            lot="VA-1",
            store=b"t" * 16,
            item="vitamin-a-200k-cap",
            units=1,
            beside=Beside(b"s" * 16, "vitamin-a", 20_600, 121),
        ),
    ),
    "arm of a session": (
        KindNo.OBSERVATION_RECORD,
        ObservationRecord(code=9, mantissa=112, beside=Beside(b"s" * 16, "muac", 20_600)),
    ),
    "session close short": (KindNo.SESSION_CLOSE, SessionClose()),
    "session close full": (
        KindNo.SESSION_CLOSE,
        SessionClose(WHEN, (EARLIER,), (Left("vaccine-mr-10", "MR-1", 40),), "rain"),
    ),
    "vial short": (KindNo.VIAL_OPEN, VialOpen(item="vaccine-mr-10", vaccine="mr", doses=10)),
    "vial full": (
        KindNo.VIAL_OPEN,
        VialOpen(
            WHEN, (EARLIER,), "vaccine-mr-10", "mr", "MR-1", 20_877, 10, "diluent-mr-10", "D-8",
            2, b"t" * 16, 6, 1, "vaccines 1",
        ),
    ),
    "vial discard": (KindNo.VIAL_DISCARD, VialDiscard(WHEN, (), EARLIER, 2, 3, 1)),
    "vaccine dose short": (
        KindNo.DOSE_RECORD,
        DoseRecord(vaccine="mr", series="measles", dose=1, day=20_600),
    ),
    "vaccine dose full": (
        KindNo.DOSE_RECORD,
        DoseRecord(
            WHEN, (EARLIER,), "mr", "measles", 0, 20_600, b"s" * 16, EARLIER, "MR-1", 20_877,
            (OTHER,), 2, 1, "D-8", 2, "04", 1, "Muyinga",
        ),
    ),
    "tally one": (KindNo.TALLY_ADD, TallyAdd(digit=1)),
    "tally full": (KindNo.TALLY_ADD, TallyAdd(WHEN, (EARLIER,), 9, -3, EARLIER)),
    "aefi short": (KindNo.AEFI_REPORT, AefiReport(severity=1, symptoms=(4,))),
    "aefi full": (
        KindNo.AEFI_REPORT,
        AefiReport(WHEN, (EARLIER,), 3, (7, 9), "fits", 1_780_000_060, (EARLIER,), 2),
    ),
    "dose decide": (KindNo.DOSE_DECIDE, DoseDecide(None, (), 0, (EARLIER, OTHER))),
    "dose decide full": (
        KindNo.DOSE_DECIDE,
        DoseDecide(WHEN, (EARLIER,), 1, (EARLIER, OTHER)),
    ),
}  # fmt: skip
