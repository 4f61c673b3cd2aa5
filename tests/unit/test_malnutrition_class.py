"""A form says of an upper arm what the guideline says of it, and never more."""

from fractions import Fraction

import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.display import text_of
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.malnutrition import classed, form_of, told_of
from fieldnode.tui.scoring import Whom
from protocols.guidelines.ages import UNKNOWN, of_days
from protocols.guidelines.questions import Person
from protocols.guidelines.readings import Reading
from protocols.guidelines.running import run
from protocols.live.guidance import PackInUse
from tests.screens.fake_guidance import text_of as pack_text

SHIPPED = form_of(PackInUse("malnutrition", "1", pack_text("malnutrition"), "", ""))
SIGNED = form_of(PackInUse("malnutrition", "1", pack_text("malnutrition"), "", "Dr Lead"))
TODDLER, INFANT, ADULT = of_days(24 * 30.4), of_days(90), of_days(30 * 365.25)


def said(age, pack=SHIPPED, language="en", **answers):
    given = {name: Answer(str(text)) for name, text in answers.items()}
    lines = told_of(pack, given, Whom(age, 9), load(language))
    return " ".join(text_of(line).strip() for line in lines)


@pytest.mark.parametrize(
    ("mm", "oedema", "words"),
    [
        (114, "none", "severe acute malnutrition: upper arm below 115 mm"),
        (115, "none", "moderate acute malnutrition"),
        (124, "none", "moderate acute malnutrition"),
        (125, "none", "upper arm 125 mm or more, no oedema"),
        (140, "both-feet", "severe acute malnutrition: oedema"),
    ],
)
def test_every_limit_of_the_pack_is_said_as_the_guideline_says_it(mm, oedema, words):
    found = said(TODDLER, muac=mm, oedema=oedema)
    readings = {"muac": Reading(Fraction(mm)), "oedema": Reading(choice=oedema)}
    result = run(SHIPPED, {}, Person(TODDLER, None, None, readings)).result

    assert words in found and result.words["en"] in found


@pytest.mark.safety(8)
def test_safety_8_a_class_says_not_approved_until_a_clinical_lead_signs():
    assert said(TODDLER, muac=110, oedema="none").startswith("NOT APPROVED")
    assert "NOT APPROVED" not in said(TODDLER, SIGNED, muac=110, oedema="none")


def test_what_oedema_could_change_is_not_said_without_it_and_what_it_cannot_is():
    assert "severe" in said(TODDLER, muac=110)
    lacking = said(TODDLER, muac=120)
    assert "Swelling of both feet?" in lacking and "moderate" not in lacking
    assert said(TODDLER, oedema="none") != ""
    assert said(TODDLER) == ""


def test_of_an_age_that_is_unknown_nothing_is_classed():
    assert "severe" not in said(UNKNOWN, muac=110, oedema="none")
    assert "no limit" in said(INFANT, muac=110, oedema="none")
    assert "wasting" in said(ADULT, muac=229, oedema="none")


def test_it_is_said_in_the_readers_language():
    assert "malnutrition aiguë sévère" in said(TODDLER, language="fr", muac=110, oedema="none")


def test_a_pack_of_another_limit_is_followed():
    text = pack_text("malnutrition").replace("muac < 115", "muac < 118")
    other = form_of(PackInUse("malnutrition", "2", text, "", ""))
    person = Person(TODDLER, None, None, {
        "muac": Reading(Fraction(116)), "oedema": Reading(choice="none")})  # fmt: skip

    assert classed(other, person)[0].id == "sam-muac"
    assert classed(SHIPPED, person)[0].id == "mam"
