"""A draft of a form of care taken up again: what it was about is looked for in the care of now."""

from __future__ import annotations

from collections.abc import Callable

from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.allergies import AllergyPage, NoneKnownPage, RefutePage
from fieldnode.tui.screens.beds import BedPage
from fieldnode.tui.screens.discharge import DischargePage
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.give import GivePage, GiveWithoutPage
from fieldnode.tui.screens.identify import IdentifyPage
from fieldnode.tui.screens.intake import IntakeForm
from fieldnode.tui.screens.medicines import StopPage
from fieldnode.tui.screens.note import AddendumPage
from fieldnode.tui.screens.order import OrderPage
from fieldnode.tui.screens.point_of_care import PointOfCarePage
from fieldnode.tui.screens.problems import ProblemOverPage, ProblemPage
from fieldnode.tui.screens.procedure import ProcedurePage
from fieldnode.tui.screens.scale import ScalePage
from fieldnode.tui.screens.visit import VisitPage
from protocols.live.api import BoardLine, Draft
from protocols.live.bedside import Care


def care_form(desk: Desk, draft: Draft, care: Care) -> FormPage | None:
    """Return the form of a draft; None where what it was about is there no more."""
    about, head = draft.fields.get("about", ""), care.head
    if draft.form in _OF_HEAD:
        return _OF_HEAD[draft.form](desk, head)
    match draft.form:
        case "order":
            return OrderPage(desk, care)
        case "give_without":
            return GiveWithoutPage(desk, care)
        case "discharge":
            return DischargePage(desk, care)
        case "visit":
            return VisitPage(desk, care)
        case "addendum":
            return AddendumPage(desk, head, about, draft.fields.get("what", ""))
    return _about(desk, draft, care, about)


_OF_HEAD: dict[str, Callable[[Desk, BoardLine], FormPage]] = {
    page.name: page
    for page in (
        AllergyPage,
        BedPage,
        IdentifyPage,
        IntakeForm,
        NoneKnownPage,
        PointOfCarePage,
        ProblemPage,
        ProcedurePage,
        ScalePage,
    )
}
"""Forms that need nothing but whom they are about."""


def _about(desk: Desk, draft: Draft, care: Care, about: str) -> FormPage | None:
    allergy = next((one for one in care.allergies if one.fact == about), None)
    problem = next((one for one in care.conditions if one.fact == about), None)
    medicine = next((one for one in care.medicines if one.order == about), None)
    if draft.form == "allergy_refute" and allergy is not None:
        return RefutePage(desk, care.head, allergy)
    if draft.form == "problem_over" and problem is not None:
        return ProblemOverPage(desk, care.head, problem, draft.fields.get("becomes", "resolved"))
    if draft.form == "give" and medicine is not None:
        return GivePage(desk, care, medicine)
    if draft.form == "stop_order" and medicine is not None:
        return StopPage(desk, care, medicine)
    return None
