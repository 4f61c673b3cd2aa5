"""Every word a person sees: in every language, with the same values, and none too many."""

import re
import tomllib
from pathlib import Path

import pytest

from fieldnode.text.catalogue import COMPLETE, LANGUAGES, Catalogue, language_of, load, pseudo
from fieldnode.text.plurals import every_form
from protocols.guidelines.observations import observations
from protocols.live import lines
from protocols.records import attributes
from protocols.records.catalogue import KINDS
from protocols.records.codes import CONFIRMABLE, ERRORS

ROOT = Path(lines.__file__).parents[2]
SOURCE = "".join(
    path.read_text()
    for room in ("tui", "prints")
    for path in (ROOT / "fieldnode" / room).rglob("*.py")
)
LITERAL = re.compile(r'"([a-z_]+\.[a-zA-Z0-9_.-]+)"')
FAMILIES = ("about_risk", "meanwhile", "settles", "likeness", "dispute", "transfer", "purpose",
            "erase_reason", "counted", "counted_by", "concern", "concerns_why", "obs", "short",
            "field", "kind", "saved", "saved_long", "value", "absent", "acvpu", "error",
            "confirm", "age", "sex", "triage", "count", "theme", "form_name", "vitals", "sync",
            "lock", "rank", "seal_reason", "seal_means", "seal_refused", "why_not",
            "sensitivity", "apart", "apart_means", "lane", "test_card", "along", "print",
            "language", "risk", "isolation", "crossed", "fluid", "shipment_state",
            "discrepancy", "reserve", "recall_why", "recall_level", "recipient_how",
            "cold_class", "site_type", "measure", "often", "medicine_state", "medicine_warning",
            "no_dose",
            "item_unit", "stock_mark", "move_why", "hold_why", "lacks", "dose_rule",
            "dose_state", "dose_status", "due_state", "discard", "vvm", "aefi_symptom",
            "aefi_severity", "aefi_outcome", "drive_menu", "cover", "twice",
            "lot_stop")  # fmt: skip
KINDS_NAMED = [kind.name for kind in KINDS if kind.name and kind.plan is not None]
PLACES = re.compile(r"\{(\w+)\}")


def words_of(language):
    return load(language)._words


@pytest.mark.parametrize("language", sorted(set(COMPLETE) - {"en"}))
def test_a_complete_language_has_the_same_keys(language):
    assert set(words_of(language)) == set(words_of("en"))


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_word_of_every_language_has_the_values_of_english(language):
    english = words_of("en")
    for key, text in words_of(language).items():
        stem, _, form = key.rpartition(".")
        known = key if key in english else f"{stem}.many" if form in every_form(language) else ""
        if known not in english:
            continue  # a word that English has given up: nobody sees it any more
        wanted = set(PLACES.findall(english[known]))
        # Languages with a form for exactly none, one or two need not repeat the number.
        free = {"n"} if form in ("zero", "one", "two") else set()
        assert set(PLACES.findall(text)) | free == wanted | free, key


def test_every_key_in_the_source_has_words():
    rooms = {key.partition(".")[0] for key in words_of("en")}
    counted = {key.rpartition(".")[0] for key in words_of("en")}
    used = {key for key in LITERAL.findall(SOURCE) if key.partition(".")[0] in rooms}
    known = set(words_of("en")) | counted

    assert used - known <= set(KINDS_NAMED)


def test_no_word_is_without_use():
    literal = set(LITERAL.findall(SOURCE))
    unused = {
        key
        for key in words_of("en")
        if key not in literal
        and key.rpartition(".")[0] not in literal
        and key.partition(".")[0] not in FAMILIES
    }

    assert not unused


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_kinds_attributes_and_observations_have_words(language):
    words = load(language)

    assert not [code for code in ERRORS if not words.has(f"error.{code}")]
    assert not [code for code in CONFIRMABLE if not words.has(f"confirm.{code}")]
    assert not [kind for kind in KINDS_NAMED if not words.has(f"kind.{kind}")]
    assert not [one.name for one in observations().observation if not words.has(f"obs.{one.name}")]
    care = [one.name for one in attributes.ATTRIBUTES if one.number < attributes.SITE_FIRST]
    assert not [name for name in care if not words.has(f"field.{name}")]


def test_english_stands_in_for_a_missing_word():
    assert Catalogue("xx", {})("triage.red") == "RED"


def test_one_and_many_follow_the_language():
    assert "entries" in load("en").count("sync.here", 0)
    assert "entrée " in load("fr").count("sync.here", 0)
    assert "entries" in load("en").count("sync.here", 2)


def test_the_pseudo_language_is_two_fifths_longer_and_keeps_its_values():
    english, longer = words_of("en"), pseudo()._words

    for key, text in english.items():
        assert len(longer[key]) >= len(text)
        assert PLACES.findall(longer[key]) == PLACES.findall(text)
    assert len(longer["menu.title"]) == len("MENU") + 2


@pytest.mark.parametrize(
    ("locale", "language"), [("fr_BE.UTF-8", "fr"), ("en_US", "en"), ("C.UTF-8", ""), ("sw_KE", "")]
)
def test_the_locale_names_a_language_when_it_is_ours(locale, language):
    assert language_of(locale) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_are_plain_toml(language):
    path = ROOT / "fieldnode" / "text" / f"{language}.toml"

    assert tomllib.loads(path.read_text())
