"""Languages that are not complete: what stands in for them, what they admit, who can draw them."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.text import catalogue, languages
from fieldnode.text.catalogue import (
    COMPLETE,
    LANGUAGES,
    Catalogue,
    critical,
    drawable,
    lacking,
    language_of,
    load,
    missing,
    on_label,
    pseudo,
)
from fieldnode.text.plurals import every_form, forms
from fieldnode.text.status import Status, progress, status
from fieldnode.tui.cores.keys import action_key
from protocols.guidelines.vocabulary import rows_of, vocabulary, word
from protocols.guidelines.words import word as pack_word

DRAFTS = [code for code in LANGUAGES if code not in COMPLETE]
KEPT_UP_PERCENT = 97
"""New words come in English and French first: so far a draft may be behind for a while."""
PRINTS = Path(catalogue.__file__).parents[1] / "prints"
KEY = re.compile(r'"([a-z_]+\.[a-z_.]+)"')

CLDR = {
    "en": {"one": [1], "many": [0, *range(2, 17), 100, 1000, 10000, 1000000]},
    "es": {"one": [1], "many": [0, *range(2, 17), 100, 1000, 10000]},
    "pt": {"one": [1], "many": [0, *range(2, 17), 100, 1000, 10000]},
    "fr": {"one": [0, 1], "many": [*range(2, 18), 100, 1000, 10000]},
    "uk": {
        "one": [1, 21, 31, 41, 51, 61, 71, 81, 101, 1001],
        "few": [2, 3, 4, 22, 23, 24, 32, 33, 34, 42, 43, 44, 52, 53, 54, 62, 102, 1002],
        "many": [0, *range(5, 20), 100, 111, 112, 114, 1000, 10000, 100000, 1000000],
    },
    "ar": {
        "zero": [0],
        "one": [1],
        "two": [2],
        "few": [*range(3, 11), *range(103, 111), 1003],
        "many": [*range(11, 27), 99, 111, 199, 1011],
        "other": [100, 101, 102, 200, 201, 202, 300, 1000, 1001, 1002, 10000, 1000000],
    },
}
"""The samples beside the cardinal rules of CLDR; its `other` is our `many`, except in Arabic."""


@pytest.mark.parametrize("language", CLDR)
def test_plural_forms_are_those_of_the_samples_of_cldr(language):
    for form, numbers in CLDR[language].items():
        assert {forms(language, number)[0] for number in numbers} == {form}
    assert set(every_form(language)) == set(CLDR[language])


def test_ukrainian_counts_as_it_is_spoken():
    words = load("uk")

    assert words.count("lock.minutes", 1) == "1 хвилина"
    assert words.count("lock.minutes", 3) == "3 хвилини"
    assert words.count("lock.minutes", 11) == "11 хвилин"
    assert words.count("lock.minutes", 22) == "22 хвилини"


def test_arabic_says_two_without_the_number():
    words = load("ar")

    assert words.count("print.patients", 2) == "مريضان تحت الرعاية"
    assert words.count("print.patients", 5).startswith("5 ")
    assert "مريضًا" in words.count("print.patients", 11)


@pytest.mark.parametrize("language", DRAFTS)
def test_no_critical_word_is_lacking(language):
    assert lacking(language) == frozenset()
    assert load(language).language == language


@given(st.sampled_from(sorted(critical())))
def test_a_language_without_any_one_critical_word_cannot_be_chosen(key):
    spanish = load("es")
    words = dict.fromkeys(spanish.keys() - {key}, "…")

    assert missing("es", words) == {key}


def test_what_is_lacking_comes_in_the_second_language_with_its_own_plural():
    french = load("fr")
    words = Catalogue("uk", {"menu.title": "МЕНЮ"}, french)

    assert words("menu.title") == "МЕНЮ"
    assert words("triage.red") == "ROUGE"
    assert words.count("lock.minutes", 0) == french.count("lock.minutes", 0) == "0 minute"
    assert words.help_of("roster") == french.help_of("roster")
    assert words.choice == "uk:fr"
    assert words.languages == ("uk", "fr", "en")


def test_a_second_language_is_only_a_complete_one():
    assert load("es:uk").languages == ("es", "en")
    assert load("es:fr").languages == ("es", "fr", "en")
    assert load("fr").languages == ("fr", "en")
    assert load("xx:fr").languages == ("fr", "en")
    assert load("").languages == ("en",)


def test_a_draft_is_spoken_only_to_whoever_chose_it():
    assert language_of("uk_UA.UTF-8") == ""
    assert language_of("fr_CD.UTF-8") == "fr"


# what a language says of itself


@pytest.mark.parametrize("language", DRAFTS)
def test_nobody_has_reviewed_the_drafts_yet(language):
    come = progress(language)

    assert come.states == ("draft",)
    assert come.by == ()
    assert load(language).draft


def test_the_first_languages_are_no_drafts():
    for language in COMPLETE:
        assert progress(language).percent == 100
        assert not load(language).draft


@pytest.mark.parametrize("language", ["es", "pt", "uk"])
def test_help_of_a_draft_is_about_pages_that_there_are(language):
    told = catalogue._help(language)

    assert set(told) <= set(catalogue._help("en"))
    for text in told.values():
        assert all("|" in row for row in text.splitlines() if row)
    assert load(f"{language}:fr").help_of("triage") == told["triage"]
    assert load(f"{language}:fr").help_of("roster") == load("fr").help_of("roster")


@pytest.mark.parametrize("language", ["es", "pt", "uk"])
def test_a_draft_that_a_terminal_draws_keeps_up_with_english(language):
    assert progress(language).percent >= KEPT_UP_PERCENT


def test_what_stands_on_paper_is_said_in_arabic_too():
    named = {key for path in PRINTS.glob("*.py") for key in KEY.findall(path.read_text())}
    lacking = {key for key in keys_of(named) if not catalogue.said("ar", key)}

    # New words come in English and French first; a paper of two languages is what this holds back.
    assert len(lacking) * 20 <= len(keys_of(named)), sorted(lacking)


def keys_of(named):
    english = load("en").keys()
    return {key for key in english if key in named or key.rpartition(".")[0] in named}


def test_a_review_is_of_a_key_before_its_table_and_names_who_made_it():
    held = msgspec.convert(
        {
            "default": "draft",
            "except": [
                {"of": ["triage"], "state": "reviewed", "by": "N. N., nurse, 2026-11-20"},
                {"of": ["triage.expectant"], "state": "machine draft"},
            ],
        },
        Status,
    )

    assert held.of("triage.red") == ("reviewed", "N. N., nurse, 2026-11-20")
    assert held.of("triage.expectant") == ("machine draft", "")
    assert held.of("menu.title") == ("draft", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_reviewed_is_named(language):
    held = status(language)

    for state, by in [(held.default, held.by), *((one.state, one.by) for one in held.other)]:
        assert (state == "reviewed") == bool(by)


# what a terminal can draw


@pytest.mark.parametrize(
    ("code", "term", "encoding", "why"),
    [
        ("ar", "xterm-256color", "utf-8", "right_to_left"),
        ("ar", "linux", "utf-8", "right_to_left"),
        ("uk", "xterm", "utf-8", ""),
        ("uk", "linux", "utf-8", ""),
        ("uk", "xterm", "iso8859-1", "encoding"),
        ("uk", "xterm", "koi8-u", ""),
        ("uk", "xterm", "ascii", "encoding"),
        ("es", "xterm", "iso8859-1", ""),
        ("es", "xterm", "ascii", "encoding"),
        ("fr", "xterm", "ANSI_X3.4-1968", "encoding"),
        ("en", "dumb", "ascii", ""),
        ("es", "xterm", "no such set", "encoding"),
        ("es", "xterm", "", ""),
    ],
)
def test_what_a_terminal_cannot_draw_has_a_reason(code, term, encoding, why):
    assert languages.hindrance(code, term, encoding) == why


def test_a_console_that_may_lack_the_letters_is_doubted():
    assert languages.doubtful("uk", "linux")
    assert not languages.doubtful("uk", "xterm")
    assert not languages.doubtful("es", "linux")


def test_the_screen_speaks_the_second_language_where_it_cannot_draw_the_first():
    assert drawable("ar:fr", "xterm", "utf-8").language == "fr"
    assert drawable("ar", "xterm", "utf-8").language == "en"
    assert drawable("uk:fr", "xterm", "utf-8").choice == "uk:fr"
    assert drawable("uk:fr", "xterm", "iso8859-1").language == "fr"
    assert drawable("uk:fr", "xterm", "ascii").language == "en"


def test_a_wristband_speaks_a_language_that_printers_have_letters_for():
    assert on_label(load("uk:fr")).language == "fr"
    assert on_label(load("ar")).language == "en"
    assert on_label(load("es:fr")).choice == "es:fr"
    assert on_label(pseudo()).language == "pseudo"


# clinical words


@pytest.mark.parametrize("room", ["allergen", "condition", "procedure", "fluid"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_of_the_pack_has_a_word_in_every_language(room, language):
    assert not [row.name for row in rows_of(room) if not row.words.get(language)]
    assert vocabulary().is_draft(language) == (language in DRAFTS)


def test_a_code_is_said_in_the_first_language_that_has_a_word():
    assert word("penicillins", "es", "fr") == "Penicilinas"
    assert word("penicillins", "xx", "fr") == "Pénicillines"
    assert word("penicillins", "xx") == "Penicillins"
    assert word("no such row", "es") is None
    said = {"en": "fever", "fr": "fièvre"}
    assert pack_word(said, ("es", "fr", "en")) == ("fièvre", "fr")
    assert pack_word(said, "es") == ("fever", "en")
    assert pack_word({}, ("es", "fr"), "fever") == ("fever", "")


# keys by position

UKRAINIAN = ("йцукенгшщзхїфівапролджєячсмитьбю.", "qwertyuiop[]asdfghjkl;'zxcvbnm,./")
RUSSIAN = ("йцукенгшщзхъфывапролджэячсмитьбю.", "qwertyuiop[]asdfghjkl;'zxcvbnm,./")
ARABIC = ("ضصثقفغعهخحجدشسيبلاتنمكطئءؤرﻻىةوزظ", "qwertyuiop[]asdfghjkl;'zxcvbnm,./")
"""The three rows of letters as XKB has them (`ua`, `ru`, `ara`) over those of `us`."""


@pytest.mark.parametrize("layout", [UKRAINIAN, RUSSIAN, ARABIC])
def test_a_letter_acts_as_the_latin_one_on_the_same_key(layout):
    for theirs, latin in zip(*layout, strict=True):
        if theirs.isalpha():
            assert action_key(theirs) == latin
            assert action_key(theirs.upper()) == latin
