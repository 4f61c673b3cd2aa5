"""What a licence or a role does not allow is said before it is done, on pages that are no forms."""

import pytest

from protocols.live.api import Recorded
from tests.screens.fake_node import refusing, staff, waiting_results, ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person

HADDAD = ("f3", *"haddad", "enter", "enter")
WAYS = {
    "conflict.settle": ((*HADDAD, "u"), "settle"),
    "patient.identify": ((*HADDAD, "u"), "shared_tag"),
    "result.assign": (("r", "enter", *"haddad", "enter", "enter"), "result_assign"),
    "entry.retract": ((*HADDAD, "e"), "in_error"),
}
FIRST = {"entry.retract": ("2",)}
"""What is said before Enter does it."""
LICENCE = "Your licence does not cover this."


def person_for(kind, reason=None, **more) -> Person:
    node = ward()
    node.staff, node.waiting = staff(), waiting_results()
    if kind == "patient.identify":
        node.patients["pat_00003"].tags = ("TG-000412",)
    if reason:
        node.stopped = {kind: refusing(kind, reason, **more)}
    return Person(node).press("f9", "1", *"4817", "enter")


def written(person, kind):
    return [one for one in person.node.written if one["kind"] == kind]


@pytest.mark.parametrize("kind", WAYS)
def test_where_nothing_stops_anybody_no_question_comes(kind):
    way, page = WAYS[kind]
    person = person_for(kind).press(*way)
    assert person.shell.page.name == page
    person.press(*FIRST.get(kind, ()), "enter")

    assert len(written(person, kind)) == 1


@pytest.mark.parametrize("kind", WAYS)
def test_a_licence_that_does_not_cover_it_is_said_with_who_may_and_a_reason_overrides(kind):
    way, page = WAYS[kind]
    person = person_for(kind, "outside_practice", overridable=True).press(*way)
    assert person.shell.page.name == "gate"
    for part in (LICENCE, "Who may: nurse, Amina Okoro"):
        assert part in person.screen, part
    person.press("o", *"nobody else", "enter")

    (kinds, reason, _patient), = person.node.trail  # fmt: skip
    assert (kinds, reason) == ((kind,), "nobody else")
    assert person.shell.page.name == page
    person.press(*FIRST.get(kind, ()), "enter")
    assert len(written(person, kind)) == 1


@pytest.mark.parametrize("kind", WAYS)
def test_leaving_the_question_leaves_the_page_too_and_writes_nothing(kind):
    way, page = WAYS[kind]
    person = person_for(kind, "licence_ended", overridable=True).press(*way, "escape")

    assert person.shell.page.name not in ("gate", page)
    person.press("enter")
    assert written(person, kind) == [] and person.node.trail == []


@pytest.mark.parametrize("kind", WAYS)
def test_what_a_role_does_not_allow_may_be_written_and_counts_nowhere(kind):
    way, page = WAYS[kind]
    person = person_for(kind, "role_refused").press(*way)
    assert "Your role may not write this." in person.screen
    assert "override" not in person.screen
    kept = Recorded(0, True, "k", "fct_0.0", warnings=("role_refused",), facts=("fct_0.0",))
    person.node.refuse[kind] = kept
    person.press("w", *FIRST.get(kind, ()), "enter")

    assert "KEPT, and counts nowhere" in person.screen
    assert person.node.trail == []


@pytest.mark.parametrize("kind", WAYS)
def test_a_licence_that_ended_meanwhile_asks_when_it_is_saved(kind):
    way, page = WAYS[kind]
    person = person_for(kind).press(*way)
    person.node.refuse[kind] = Recorded(
        0, False, error="licence_ended", kind=kind, allowed=("nurse",)
    )
    person.press(*FIRST.get(kind, ()), "enter")
    assert person.shell.page.name == "gate"
    assert "Your licence has ended." in person.screen
    del person.node.refuse[kind]
    person.press("1", *"no other", "enter")

    assert person.node.trail[0][:2] == ((kind,), "no other")
    assert len(written(person, kind)) == 1


def test_a_code_that_is_scanned_there_overrides_nothing():
    person = person_for("conflict.settle", "outside_practice", overridable=True)
    person.press(*WAYS["conflict.settle"][0], *"]C1TG-000412", "enter")

    assert person.shell.page.name == "gate"
    assert person.node.trail == []


def test_line_mode_asks_too():
    node = ward()
    node.staff = staff()
    kind = "conflict.settle"
    node.stopped = {kind: refusing(kind, "outside_practice", overridable=True)}
    _, said = told("f9", "1", "4817", "f3", "haddad", "", "u", "o", "alone", "", node=node)

    assert LICENCE in said
    assert [one["kind"] for one in node.written] == [kind]
