"""Other teams' patients in lists: marked where they came by a release, and noted in the trail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from protocols.ids import PatientId
from protocols.ledger import abroad, audit, releasing
from protocols.live import calls, foreign
from protocols.live.api import BoardLine, BoardPage
from protocols.live.local import Caller
from protocols.live.running import Desk
from protocols.trust.audit import What
from tests.unit.camps import CARE, Camp, know, new_key
from tests.unit.founders import TWO_LAWS
from tests.unit.stage import WALL_MS, Device, Stage, patient, triage
from tests.unit.test_release import LEAVES, release, two_orgs, ward


def board(stage: Stage, device: Device, lists: foreign.Lists, *, call: str = "board") -> BoardPage:
    now = stage.now(device)
    page = foreign.LISTS[call](device.node, now, {"text": "Amina"})
    shown, effects = lists.show(device.node, now, page, reader=1, call=call, session=0)
    stage.carry(device, effects)
    stage.run(20_000)
    return shown


def outside(device: Device) -> list[tuple[str, int]]:
    """What the device's own trail says was read of other teams: why, and of how many."""
    return [
        (line.detail.reason, line.detail.count)
        for line in audit.lines(device.ledger)
        if line.what == What.READ_OUTSIDE_TEAM and line.device == device.id and line.detail
    ]


def shared() -> tuple[Stage, Device, Device]:
    """Ann of the ministry wrote of two, Joe of Japan of one; both read all."""
    camp = Camp(CARE)
    ann, joe = camp.issuer("ministry"), camp.device("joe", "japan")
    know(ann, joe)
    new_key(ann, ann.ledger.authority.care_scope)
    stage = Stage()
    stage.link(ann, joe)
    stage.run(2_000)
    for device, name in ((ann, "Amina"), (ann, "Zebulon"), (joe, "Osei")):
        whom = stage.write(device, patient(name))[0].id or ""
        stage.write(device, triage(whom))
    stage.run(3_000)
    return stage, ann, joe


def test_who_is_known_by_a_release_says_by_whose_and_since_when():
    for text in (LEAVES, TWO_LAWS):
        stage, ke, second, jp = two_orgs(text)
        shown, _ = ward(stage, ke)
        written = release(stage, ke, second, shown)
        raw = releasing.export(ke.ledger, [each.entry.hash for each in written])
        releasing.import_file(jp.ledger, raw, WALL_MS)
        jp.ledger.catch_up_all()

        lines = board(stage, jp, foreign.Lists()).lines
        (one,) = (line for line in lines if line.patient == shown)
        assert one.released == "Kenya"
        assert one.released_ms == releasing.shown(jp.ledger)[0].written_ms > 0
        # Where it is at home it is marked nowhere.
        assert not any(line.released for line in board(stage, ke, foreign.Lists()).lines)
        assert abroad.came(ke.ledger, [PatientId.parse(shown)]) == {}


def test_other_teams_patients_on_a_board_are_noted_together_and_once_a_session():
    stage, ann, joe = shared()
    lists = foreign.Lists()
    assert len(board(stage, joe, lists).lines) == 3
    assert outside(joe) == [("board", 2)]
    board(stage, joe, lists)
    assert outside(joe) == [("board", 2)]
    # Somebody new of the other team is one more; the next session notes all of them anew.
    whom = stage.write(ann, patient("Late"))[0].id or ""
    stage.write(ann, triage(whom))
    stage.run(3_000)
    board(stage, joe, lists)
    assert sorted(outside(joe)) == [("board", 1), ("board", 2)]
    lists.close(1)
    board(stage, joe, lists)
    assert sorted(outside(joe)) == [("board", 1), ("board", 2), ("board", 3)]


def test_a_search_is_noted_as_one_and_the_own_team_is_not():
    stage, ann, joe = shared()
    board(stage, joe, foreign.Lists(), call="search")
    assert outside(joe) == [("search", 1)]
    board(stage, ann, foreign.Lists(), call="search")
    assert outside(ann) == []


def test_writing_about_somebody_makes_them_a_patient_of_ours():
    stage, ann, joe = shared()
    whom = next(line.patient for line in board(stage, ann, foreign.Lists()).lines)
    known = abroad.others(joe.ledger, [PatientId.parse(whom)])
    stage.write(joe, triage(whom))
    stage.run(3_000)
    assert abroad.others(joe.ledger, [PatientId.parse(whom)]) == set()
    assert known <= {PatientId.parse(whom)}


def test_in_an_operation_of_one_organisation_nobody_is_another_teams():
    camp = Camp(CARE, orgs=("ministry",))
    ann, ben = camp.issuer("ministry"), camp.device("ben", "ministry")
    know(ann, ben)
    new_key(ann, ann.ledger.authority.care_scope)
    stage = Stage()
    stage.link(ann, ben)
    stage.write(ann, patient("Amina"))
    stage.run(3_000)
    board(stage, ben, foreign.Lists())
    assert outside(ben) == []


def names_patients(told: Any) -> bool:
    """Whether an answer of this type may hold a line of the board."""
    if isinstance(told, type) and issubclass(told, msgspec.Struct):
        return told is BoardLine or any(map(names_patients, get_type_hints(told).values()))
    return any(map(names_patients, get_args(told)))


def test_whatever_names_patients_is_noted_or_asks_why_first():
    """A new call that answers with lines of the board is one of these, or nobody is told of it."""
    naming = {
        name for name, run in calls.READS.items() if names_patients(get_type_hints(run)["return"])
    }
    assert naming == foreign.NAMING


def test_who_is_looked_up_by_what_is_typed_into_a_form_stands_in_the_trail():
    """Registering asks who looks alike: that is a search as good as any."""
    stage, _, joe = shared()
    desk = desk_on(Beside(stage, joe)).handlers()

    def ask(call: str, **args: Any) -> Any:
        return answer_of(desk[call](Caller(7, 0), args))

    alike = ask("alike", names=["Amina"])
    assert [line.head.name for line in alike.lines] == ["Amina"]
    stage.run(20_000)
    assert outside(joe) == [("alike", 1)]
    ask("alike", names=["Amina"])
    ask("beds")
    stage.run(20_000)
    assert outside(joe) == [("beds", 1), ("alike", 1)]
    ask("alike", names=["Osei"])
    ask("lookalikes")
    stage.run(20_000)
    assert len(outside(joe)) == 2


def desk_on(service: Any) -> Desk:
    """A node's desk on a service that is no more than its `call`."""
    return Desk(service, Path("unused"))


def answer_of(call: Awaitable[object]) -> Any:
    async def waited() -> object:
        return await call

    return asyncio.run(waited())


class Beside:
    """A service whose node answers here and now."""

    def __init__(self, stage: Stage, device: Device) -> None:
        self._stage, self._device = stage, device

    async def call(self, run: Any) -> object:
        found, effects = run(self._device.node, self._stage.now(self._device))
        self._stage.carry(self._device, effects)
        return found
