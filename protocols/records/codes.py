"""The closed lists of codes a line can be answered with, one sentence each.

A code never changes its meaning. Screens have their own words in `text/*.toml`; these sentences
are for programs that speak to `fieldnode record`.
"""

from __future__ import annotations

ERRORS: dict[str, str] = {
    "already_confirmed": "A person stands by this triage already.",
    "already_retracted": "This fact is marked as entered in error already.",
    "ambiguous": "Several patients match; `allowed` lists their ids.",
    "bad_code": "The short code has a wrong sign, length or check letter.",
    "bad_date": "A date is YYYY, YYYY-MM or YYYY-MM-DD, not before 1880.",
    "bad_id": "This is not an id of the kind that is needed here.",
    "bad_json": "The line is not one JSON object.",
    "bad_number": "This is not a number that can be taken here.",
    "bad_pack": "This is not a content pack that can be read; `fieldnode pack lint` says why.",
    "bad_signature": "The signature does not hold for this.",
    "bad_text": "The text holds signs that are not text.",
    "bad_time": "A time is ISO 8601 with an offset, a date, or Unix milliseconds.",
    "bad_value": "The value is not one of those in `allowed`.",
    "bad_version": "This software reads lines of the version in `allowed`.",
    "confirm_needed": "The value is doubtful; send it again with the code in `confirm`.",
    "empty": "The text is empty.",
    "field_twice": "A field stands twice in one object; say it once.",
    "future_date": "The date is in the future.",
    "grouping_mark": "The number may hold a thousands mark; write it with a decimal mark only.",
    "impossible": "The value is outside what is possible; `allowed` names the range.",
    "key_reused": "This key was used before with other content.",
    "licence_ended": "The person's licence has ended; `allowed` names who may.",
    "licence_unknown": "The person's licence cannot be read here; `allowed` names who may.",
    "locked": "The book is locked; a passphrase is needed.",
    "looks_centimetres": "The value looks like centimetres; millimetres are needed.",
    "looks_fahrenheit": "The value looks like degrees Fahrenheit; degrees Celsius are needed.",
    "missing_field": "A field that is needed is missing.",
    "no_encounter": "The patient has no open encounter; open one first.",
    "no_protection_scope": "This device has no place for what only those entrusted may read.",
    "not_a_kit": "This item is no kit.",
    "not_an_offer": "This is not an offer of a patient, nor what can be answered here.",
    "not_an_order": "This is not an order of a medicine.",
    "not_found": "Nothing here matches.",
    "not_recognised": "No authority of this country has recognised the person's licence yet;"
    " `allowed` names who may.",
    "not_retractable": "This fact cannot be marked as entered in error.",
    "not_taken": "This kind does not take this field; `kind` names what does.",
    "not_together": "Another line of this group was refused, so nothing of it was written.",
    "not_unaccepted": "This is not a value of a device that waits to be accepted.",
    "not_unassigned": "This is not a result that waits for a patient.",
    "not_unconfirmed": "This is not a triage that waits for a person to stand by it.",
    "not_writable": "The record could not be saved on this device.",
    "nothing_stated": "The line states nothing.",
    "offer_closed": "The offer was answered or taken back, or another acceptance came first.",
    "own_offer": "An offer is accepted on another device: that is the second signature.",
    "out_of_range": "The value is outside the range in `allowed`.",
    "outside_practice": "The person's licence does not cover this kind; `allowed` names who may.",
    "part_of_itself": "A site cannot be a part of itself, nor of one of its own parts.",
    "person_needed": "A person has to be signed in to write this kind.",
    "reason_needed": "This kind needs a reason.",
    "same_patient": "A patient cannot be linked with themselves.",
    "session_ended": "The person's session has ended; log in again.",
    "settle_otherwise": "Keeping this side settles nothing; its own kinds say what does.",
    "too_deep": "The line nests deeper than `limit`.",
    "too_long": "The text is longer than `limit`.",
    "too_many": "There are more items than `limit`.",
    "too_precise": "The number has more decimals than `limit`.",
    "unit_refused": "This unit is not taken; `allowed` lists those that are.",
    "unknown_field": "There is no such field; `allowed` lists those there are.",
    "unknown_item": "There is no such item in the catalogue; `allowed` names close ones.",
    "unknown_kind": "There is no such kind; `allowed` lists those there are.",
    "wrong_encounter": "The encounter belongs to another patient.",
    "wrong_subject": "The fact belongs to another patient or site.",
    "wrong_type": "The field holds another type of value than is needed.",
}

CONFIRMABLE: dict[str, str] = {
    "allergy_listed": "Something is listed that the patient reacts to; this takes the list back.",
    "given_recently": "This medicine was given a short while ago; `allowed` names when.",
    "offer_stands": "The patient is offered to somebody else too; both offers then stand.",
    "offered_elsewhere": "The offer names somebody else; `allowed` says whom.",
    "order_stopped": "The order was stopped or replaced.",
    "ordered_already": "The same medicine is ordered already; `allowed` names the order.",
    "weights_differ": "The patient's weights differ too much; `allowed` lists them.",
    "allergy_match": "The patient is said to react to this; `allowed` names what is listed.",
    "future_time": "The time is ahead of this device's clock.",
    "tag_in_use": "Another patient carries this tag.",
    "unusual_value": "The value is possible and unusual at this age.",
}
"""Refused as `confirm_needed` until the line's `confirm` holds the code; then a warning."""

WARNINGS: dict[str, str] = CONFIRMABLE | {
    "already_stopped": "The order was stopped before; this says so again.",
    "already_closed": "The encounter was closed before; this replaces that.",
    "clock_doubtful": "This device's clock cannot be right; the record says so too.",
    "encounter_open": "The patient has another open encounter.",
    "quarantined": "Saved above a seal: it is shown as that, and counts nowhere until it is let"
    " through.",
    "role_refused": "The role may not write this kind: it is kept, shown as refused and counts"
    " nowhere.",
    "not_unsettled": "The attribute had no different values; this states it anew.",
    "unassigned": "No certain patient: the result waits in unassigned results.",
}
"""Saved all the same, and said."""
