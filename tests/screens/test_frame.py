"""The rows around every page."""

import pytest

from fieldnode.tui.cores.display import Size
from tests.screens.fake_node import FakeNode
from tests.screens.test_goldens import LANGUAGES, SCREENS, shell_after
from tests.screens.test_pages import Person


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 100, 132])
@pytest.mark.parametrize("name", ["board", "vitals", "lock"])
def test_the_first_and_the_last_row_have_one_ground_from_edge_to_edge(name, width, language):
    lines = shell_after(SCREENS[name], LANGUAGES[language]).draw(Size(width, 24))

    assert {span.role.partition("_")[0] for span in lines[0]} == {"head"}
    assert {span.role.partition("_")[0] for span in lines[-1]} == {"bar"}


def test_a_node_that_met_nobody_does_not_count_its_peers():
    person = Person(FakeNode()).press("f7")

    assert "On no other device yet." in person.screen
    assert "0 peers" not in person.screen
