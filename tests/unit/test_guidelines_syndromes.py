"""Our list of complaints is richer than the minimum data set; every row counts under an item."""

from __future__ import annotations

from importlib.resources import files

import pytest

from protocols.errors import InputError, SetupError
from protocols.guidelines.syndromes import (
    EVENT_ITEMS,
    MDS,
    check,
    named,
    numbered,
    read_syndromes,
    shipped_syndromes,
    shown,
)
from protocols.records.encounter import OUTCOMES

PACK = shipped_syndromes()
TEXT = (files("protocols.guidelines") / "packs" / "syndromes.toml").read_text("utf-8")


def test_every_item_that_is_not_an_events_own_has_a_row():
    for kind, items in MDS.items():
        covered = {row.mds for row in PACK.rows(kind)}

        assert covered == set(items) - set(EVENT_ITEMS)
    assert len(PACK.syndrome) > 2 * len(MDS["syndrome"])


def test_numbers_never_change():
    """They are on the wire: rows are only ever added at the end."""
    assert [row.number for row in PACK.syndrome] == list(range(1, len(PACK.syndrome) + 1))
    assert [PACK.syndrome[at - 1].id for at in (1, 20, 30, 44, 56)] == [
        "injury-head-spine",
        "cholera-suspected",
        "abdomen-surgical",
        "sam",
        "other",
    ]
    assert [row.id for row in PACK.relation] == ["direct", "indirect", "unrelated"]
    assert numbered(PACK.outcome, 7).id == "died"
    assert numbered(PACK.outcome, 99) is None


def test_a_chart_written_in_french_reads_in_english():
    row = named(PACK.syndrome, "measles-suspected", "data.syndrome")

    assert shown(row, "fr").text == "Rougeole suspectée"
    assert shown(row, "en").text == "Measles, suspected"
    assert shown(row, "xx") == shown(row, "en")


def test_a_screen_can_say_which_languages_are_drafts():
    assert [language for language in PACK.languages if PACK.is_draft(language)] == [
        "es",
        "pt",
        "uk",
        "ar",
    ]
    assert PACK.is_draft("xx")


def test_an_unknown_row_is_refused_with_those_there_are():
    with pytest.raises(InputError) as refused:
        named(PACK.relation, "partly", "data.relation")

    assert refused.value.allowed == ("direct", "indirect", "unrelated")


def test_every_outcome_that_can_be_recorded_has_an_item():
    assert {row.id: row.mds for row in PACK.outcome} == {
        name: item for name, item in OUTCOMES if item is not None
    }


def test_the_shipped_pack_is_in_order_and_not_approved():
    assert check(PACK) == []
    assert not PACK.pack.approved


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("mds = 4\n", "mds = 3\n", "injury-head-spine: mds is 4 to 29"),
        ("mds = 44\n", "mds = 43\n", "direct: mds is 44 to 46"),
        ("number = 2\n", "number = 1\n", "injury-torso: shares its number"),
        ('id = "injury-torso"', 'id = "injury-head-spine"', "shares its id"),
        ('fr = "Plaie", ', "", "wound: no words in fr"),
        ('ar = "جرح" ', 'ar = "" ', "wound: no words in ar"),
    ],
)
def test_a_pack_with_a_fault_is_refused(old, new, place):
    assert old in TEXT

    with pytest.raises(SetupError) as refused:
        read_syndromes(TEXT.replace(old, new, 1))

    assert place in str(refused.value.values["place"])
