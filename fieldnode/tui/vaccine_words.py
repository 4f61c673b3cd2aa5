"""Vaccines as a person reads them: words of packs, states, days, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Span
from fieldnode.tui.wording import age, clock
from protocols.live.drive import GivenLine, RuleLine, VialLine
from protocols.records.display import clean_text

STATE_ROLES = {
    "due": "good",
    "overdue": "warn",
    "not-yet": "dim",
    "contraindicated": "bad",
    "complete": "dim",
    "too-old": "dim",
    "unsure": "warn",
    "other": "dim",
}


def vaccine_word(words: Catalogue, told: Mapping[str, str]) -> str:
    """Return a word of a pack in the reader's language, else in English."""
    for language in words.languages:
        if found := told.get(language):
            return clean_text(found)
    return clean_text(told.get("en", "?"))


def state(words: Catalogue, known: str) -> Span:
    """Return what the schedule says, in its role."""
    key = f"due_state.{known}"
    return Span(words(key) if words.has(key) else known, STATE_ROLES.get(known, "plain"))


def dose_span(words: Catalogue, row: GivenLine) -> Span:
    """Return what a record of a dose counts for, the worst of its series; or why for nothing."""
    if row.replaced:
        return Span(words("vaccine_card.replaced"), "dim")
    if row.spare:
        return Span(words("vaccine_card.spare"), "warn")
    if row.status != "given":
        return Span(words(f"dose_status.{row.status}"), "warn")
    states = {known for _, known in row.states}
    worst = next(
        (one for one in ("invalid", "unsure", "valid", "beside") if one in states), "uncounted"
    )
    roles = {"valid": "good", "invalid": "bad", "unsure": "warn"}
    return Span(words(f"dose_state.{worst}"), roles.get(worst, "plain"))


def lot_text(words: Catalogue, row: GivenLine) -> str:
    """Return the lot of a dose, and that it is recalled: it stays beside the dose."""
    recalled = words("lot_stop.recalled") if row.recalled else ""
    return " ".join(part for part in (recalled, clean_text(row.lot)) if part)


def why(words: Catalogue, rule: RuleLine | None, known: str = "") -> str:
    """Return the rule that said so, with its pack and version unless it is the `known` one."""
    if rule is None:
        return ""
    key = f"dose_rule.{rule.name}"
    limit = vaccine_word(words, rule.words) if rule.words else age(words, rule.limit)
    said = words(key, limit=limit) if words.has(key) else rule.name
    pack = f"{rule.pack} {rule.version}"
    return said.strip() if pack == known else f"{said.strip()} ({pack})"


def vial_text(words: Catalogue, vial: VialLine, now_ms: int, zone: tzinfo) -> Span:
    """Return one open vial: what is left of it, and until when it may be used."""
    named = vaccine_word(words, vial.words)
    told = words("drive.vial", vaccine=named, lot=vial.lot, left=vial.left, doses=vial.doses)
    if vial.stop:
        return Span(" ".join((told, words(f"lot_stop.{vial.stop}"))), "bad")
    if vial.past:
        return Span(" ".join((told, words("drive.vial_past"))), "bad")
    if vial.limit_ms is None:
        return Span(" ".join((told, words("drive.vial_no_limit"))), "warn")
    until = words("drive.vial_until", at=clock(vial.limit_ms, now_ms, zone))
    near = vial.limit_ms - now_ms < WARN_MS or vial.left <= 0
    return Span(f"{told} {until}", "warn" if near else "value")


WARN_MS = 30 * 60_000
"""So long before its limit a vial is said in another colour."""
