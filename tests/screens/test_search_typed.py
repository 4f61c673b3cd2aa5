"""F3 shows what is found while it is typed, never of another question, and opens nobody unseen."""

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LinkError
from tests.screens.fake_node import at_once, ward
from tests.screens.test_pages import Person


def typed(*keys) -> Person:
    return Person().press("f3", *keys)


def searches(node):
    """Let a node count what it is asked for."""
    asked, search = [], node.search

    async def counted(text, limit):
        asked.append(text)
        return await search(text, limit)

    node.search = counted
    return asked


def test_what_is_found_stands_below_while_it_is_typed_and_opens_nobody():
    person = typed("had")
    assert "Haddad Nour" in person.screen
    assert person.shell.page.name == "search"
    person.press("enter")
    assert person.shell.page.name == "search"
    assert person.press("enter").shell.page.name == "chart"


def test_an_arrow_chooses_from_what_is_shown():
    person = typed("ha", "down", "enter")

    assert person.shell.page.name == "chart"


def test_one_letter_is_too_little_and_nothing_of_a_longer_question_stays():
    person = typed("had", "backspace", "backspace")

    assert "Haddad" not in person.screen


def test_an_answer_to_what_was_typed_before_is_not_shown_and_one_call_is_under_way():
    node = ward()
    asked = searches(node)
    person = Person(node).press("f3")
    shell = person.shell
    for key in "haddad":
        shell.key(key, person.now_ms)
    assert len(shell.asks) == 1
    first = shell.asks.pop()
    shell.answer(first, at_once(first.call(node)))
    assert "Haddad Nour" not in person.screen
    assert len(shell.asks) == 1
    person.settle()

    assert asked == ["ha", "haddad"]
    assert "Haddad Nour" in person.screen


def test_enters_typed_ahead_open_nobody():
    person = typed()
    person.hurry(*"haddad", "enter", "enter", "enter")
    assert person.shell.page.name == "search"
    assert "Haddad Nour" in person.screen
    person.look()
    person.press("enter")
    assert person.shell.page.name == "chart"


def test_while_the_node_is_away_nothing_is_shown_and_it_goes_on_later():
    node = ward()
    person = Person(node).press("f3", "h")
    node.down = LinkError("no_daemon")
    person.press("ad")
    assert "Haddad" not in person.screen
    node.down = None

    assert "Haddad Nour" in person.press("d").screen


KEYS = st.sampled_from([*"hadzx", "backspace", "down", "up", "enter"])


@settings(max_examples=60)
@given(st.lists(st.tuples(KEYS, st.integers(0, 2)), max_size=25))
def test_however_keys_and_answers_fall_what_is_shown_belongs_to_what_stands_there(steps):
    node = ward()
    person = Person(node).press("f3")
    shell = person.shell
    for key, answered in steps:
        page = person.page
        if page.name != "search":
            break
        shell.key(key, person.now_ms)
        for _ in range(min(answered, len(shell.asks))):
            ask = shell.asks.pop(0)
            shell.answer(ask, at_once(ask.call(node)))
        assert sum(not ask.holds for ask in shell.asks) <= 1
        if page is person.page:
            assert page._shown in (None, page._question)
            assert page._asked in (None, page._question) or shell.busy
            assert page._shown is not None or not page._rows.total or shell.busy
