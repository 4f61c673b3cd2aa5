"""Who is erased, or is not for this device any more, goes from the screen that shows them."""

import pytest

from protocols.errors import InputError, LinkError
from tests.screens.test_pages import Person

WHOSE = ("Osei", "Kwame", "EFH")


def shown(person):
    return [name for name in WHOSE if name in person.screen]


def changed(person):
    """Rows changed at the node; nobody struck a key."""
    person.shell.changed()
    person.settle()
    person.look()
    return person


def refusing(person, failure, *calls):
    async def refused(*_args, **_more):
        raise failure

    for call in calls:
        setattr(person.node, call, refused)


@pytest.mark.parametrize("code", ["not_found", "sealed_here", "other_team"])
@pytest.mark.parametrize(
    "keys", [("enter",), ("enter", "m"), ("enter", "c", "a"), ("enter", "c", "v")]
)
def test_a_page_about_somebody_empties_when_the_node_says_they_are_not_here(keys, code):
    person = Person().press(*keys)
    assert shown(person)
    page = person.shell.page
    refusing(person, InputError(code), "chart", "care", "child")
    changed(person)

    assert shown(person) == []
    assert "not on this device any more" in person.screen
    # Nothing can be written from here about who is gone.
    person.press("n", "v", "o", "a", "t", "d", "p")
    assert person.shell.page is page and person.node.written == []


@pytest.mark.parametrize("keys", [("enter",), ("enter", "m")])
def test_a_page_stays_as_it_is_while_the_node_is_away(keys):
    person = Person().press(*keys)
    refusing(person, LinkError("away"), "chart", "care")

    assert shown(changed(person))


def test_what_is_typed_about_who_was_erased_is_not_kept_and_the_form_says_why():
    person = Person().press("enter", "n", "pale")
    refusing(person, InputError("not_found"), "draft_put")
    person.press("ctrl+t")
    assert "not on this device any more" in person.screen
    tried = []

    async def put(draft):
        tried.append(draft)

    person.node.draft_put = put  # type: ignore[method-assign]
    person.press("escape")
    tried.clear()
    # A node that was away is asked again with the next change; one that refused is not.
    changed(person)
    assert tried == []
