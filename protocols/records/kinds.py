"""Kind numbers on the wire, in blocks of eight per family; roles in a charter list them.

A number never changes its meaning and is never used again. 1-63 are the engine's, 64-127 are
kept for care, 128 and above for stores, immunization and reports.
"""

from __future__ import annotations

from enum import IntEnum


class KindNo(IntEnum):
    """What one fact is."""

    DOCUMENT_OPEN = 1

    PATIENT_REGISTER = 8
    PATIENT_IDENTIFY = 9
    PATIENT_LINK = 10
    PATIENT_UNLINK = 11

    ENCOUNTER_OPEN = 16
    ENCOUNTER_CLOSE = 17
    ENCOUNTER_MOVE = 18

    TRIAGE_RECORD = 24
    TRIAGE_CONFIRM = 25

    OBSERVATION_RECORD = 32
    RESULT_ASSIGN = 33
    RESULT_ACCEPT = 34

    NOTE_ADD = 40

    SITE_REGISTER = 48

    ENTRY_RETRACT = 56
    CONFLICT_SETTLE = 57

    PROTECTION_RECORD = 64

    ALLERGY_RECORD = 72

    CONDITION_RECORD = 80

    ORDER_PLACE = 88
    ORDER_STOP = 89
    ADMINISTRATION_RECORD = 90

    PROCEDURE_RECORD = 96

    INTAKE_RECORD = 104

    TRANSFER_OFFER = 112
    TRANSFER_ACCEPT = 113
    TRANSFER_DECLINE = 114

    PACK_PUBLISH = 120
    PACK_APPROVE = 121
    PACK_USE = 122
    GUIDELINE_STEP = 124

    ENCOUNTER_COUNTED = 128
