"""Persons on a real node: two at one terminal, tries that survive, what a lock ends, what leaks."""

import asyncio
import json
from typing import Any

import pytest

from protocols.errors import InputError
from protocols.ledger import persons
from protocols.ledger.folder import open_ledger
from protocols.ledger.persons import Grant
from protocols.live.api import Draft
from protocols.live.clock import now
from protocols.live.hardware import machine
from protocols.live.tries import FREE_TRIES
from protocols.trust.persons import Cost, Profile
from tests.process.live_desk import PASSPHRASE, made, served, terminal

CHEAP = Cost(1, 8192)
AMINA, JUN = "amina's passphrase", "jun's passphrase"
PIN = "4817"
CANARY = "Zzyxwvanary"


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    """A node with two nurses, of whom one may write no notes."""
    folder = made(tmp_path_factory.mktemp("people") / "node")
    moment = now()
    ledger = open_ledger(folder, PASSPHRASE, moment.entropy, machine(folder))
    licensed: dict[str, Any] = {"authority": "Council", "licence": "1", "recognised_by": "Ministry"}
    for name, passphrase, practice in ((CANARY, AMINA, ()), ("Jun Cho", JUN, (24,))):
        key = persons.new_key(passphrase, moment.entropy, CHEAP)
        who = Profile(1, name, "nurse", practice=practice, **licensed)
        persons.add(ledger, key, who, Grant((1,)), moment.entropy, moment.wall_ms)
    ledger.close()
    return folder


@pytest.fixture
def folder(pattern, tmp_path):
    import shutil

    return shutil.copytree(pattern, tmp_path / "node")


def line(kind, key, **more):
    return {"v": 1, "kind": kind, "key": key, "data": {}, **more}


REGISTER = line("patient.register", "r1", data={"given_name": "Musa"})
TRIAGE = line("triage.record", "t1", data={"category": "red", "tag": "TG-1"})


def note(patient, key="n1"):
    return line("note.add", key, patient=patient, data={"text": "seen"})


def refused(call):
    async def code():
        with pytest.raises(InputError) as error:
            await call
        return error.value.code

    return code()


async def with_pin(node, person="1", passphrase=AMINA):
    await node.person_pin(person, passphrase, PIN)


def test_two_people_on_two_terminals_and_one_after_the_other_on_one(folder):
    async def seen():
        async with served(folder), terminal(folder) as one, terminal(folder) as two:
            await one.login("1", passphrase=AMINA)
            await two.login("2", passphrase=JUN)
            (answer,) = await one.record([REGISTER])
            patient = answer.patient
            await two.record([line("triage.record", "t2", patient=patient,
                                   data={"category": "red"})])  # fmt: skip
            await two.login("1", passphrase=AMINA)
            await two.record([note(patient)])
            await two.lock()
            await two.unlock(PASSPHRASE)
            await two.record([note(patient, "n2")])
            greeted = (await one.hello()).person, (await two.hello()).person
            return greeted, [(x.kind, x.author) for x in (await one.chart(patient, 0, 9)).lines]

    greeted, lines = asyncio.run(seen())
    assert greeted == (CANARY, "")
    assert lines[::-1] == [
        ("patient.register", CANARY),
        ("triage.record", "Jun Cho"),
        ("note.add", CANARY),
        ("note.add", "nord-b"),
    ]


def test_a_locked_terminal_lists_people_and_lets_one_of_them_in(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            await with_pin(node)
            await node.lock()
            people = await node.people()
            codes = [await refused(call) for call in (node.whoami(), node.may([]),
                     node.board(0, 9), node.draft_list())]  # fmt: skip
            me = await node.login("1", pin=PIN)
            return people, codes, me, (await node.board(0, 9)).total, await node.whoami()

    people, codes, me, total, again = asyncio.run(seen())
    assert [(one.number, one.name, one.pin) for one in people] == [
        (1, CANARY, True), (2, "Jun Cho", False),
    ]  # fmt: skip
    assert codes == ["locked"] * 4
    assert (me.name, me.profession, me.licence, me.roles, total) == (CANARY, "nurse", "1",
                                                                     ("care",), 0)  # fmt: skip
    assert again == me
    assert all(not one.reason for one in me.may)


def test_triage_goes_on_without_anybody_and_nothing_else_does(folder):
    async def seen():
        async with served(folder), terminal(folder) as node, terminal(folder) as other:
            tagged = {"given_name": "Musa", "tags": ["TG-1"]}
            (first,) = await other.record([{**REGISTER, "data": tagged}])
            await node.lock()
            (answer,) = await node.record([{**TRIAGE, "key": "t9", "data": {"category": "green"}}])
            codes = [
                await refused(node.record([REGISTER])),
                await refused(node.record([TRIAGE, note(first.patient)], together=True)),
            ]
            (carrier,) = (await node.tagged("TG-1")).lines
            (open_one,) = (await other.tagged("TG-1")).lines
            return answer, codes, carrier, open_one

    answer, codes, carrier, open_one = asyncio.run(seen())
    assert answer.ok and codes == ["locked", "locked"]
    assert (carrier.name, open_one.name) == ("", "Musa")
    assert carrier.tag == "TG-1"


def test_a_locked_terminal_is_told_how_much_triage_waits_and_only_a_person_confirms(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            await node.lock()
            (written,) = await node.record(
                [line("triage.record", "t1", data={"category": "red", "tag": "C7"})]
            )
            locked = await node.unconfirmed(100)
            yes = line("triage.confirm", "c1", data={"triage": written.facts[0]})
            shut = await refused(node.record([yes]))
            await node.login("1", passphrase=AMINA)
            listed = await node.unconfirmed(100)
            (done,) = await node.record([yes])
            return written, locked, shut, listed, done, await node.unconfirmed(100)

    written, locked, shut, listed, done, after = asyncio.run(seen())
    assert (locked.total, locked.lines, shut) == (1, (), "locked")
    assert [(one.fact, one.tag) for one in listed.lines] == [(written.facts[0], "C7")]
    assert done.ok and (after.total, after.lines) == (0, ())


def test_tries_are_counted_for_all_terminals_and_over_a_restart(folder):
    async def wrong():
        async with served(folder), terminal(folder) as one, terminal(folder) as two:
            await with_pin(one)
            tried = await asyncio.gather(
                *(refused(who.login("1", pin="9073")) for who in [one, two] * FREE_TRIES)
            )
            other = await two.login("2", passphrase=JUN)
            return tried, other.name

    async def again():
        async with served(folder), terminal(folder) as node:
            with pytest.raises(InputError) as error:
                await node.login("1", passphrase=AMINA)
            return error.value.code, error.value.values["wait_s"], (await node.people())[0].wait_s

    tried, other = asyncio.run(wrong())
    assert tried[:FREE_TRIES] == ["wrong_pin"] * FREE_TRIES
    assert tried[FREE_TRIES:] == ["too_many_tries"] * FREE_TRIES
    assert other == "Jun Cho"
    code, wait_s, shown = asyncio.run(again())
    assert code == "too_many_tries" and 20 <= wait_s <= 30 and shown == wait_s


def test_wrong_secrets_have_names_of_their_own_and_change_nothing(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            codes = [
                await refused(node.login("1", passphrase="another")),
                await refused(node.login("1", pin=PIN)),
                await refused(node.login("9", passphrase=AMINA)),
                await refused(node.person_pin("1", AMINA, "1234")),
                await refused(node.person_pin("1", "another", PIN)),
            ]
            return codes, (await node.hello()).person

    assert asyncio.run(seen()) == (
        ["wrong_person_passphrase", "no_pin", "unknown_person", "pin_pattern",
         "wrong_person_passphrase"],
        "",
    )  # fmt: skip


def test_what_a_terminal_takes_to_be_a_session_must_be_one(folder):
    async def seen():
        async with terminal(folder) as node:
            async with served(folder):
                await node.login("1", passphrase=AMINA)
            async with served(folder):
                code = await refused(node.record([REGISTER]))
                back = (await node.hello()).person
                await node.login("1", passphrase=AMINA)
                (answer,) = await node.record([REGISTER])
                return code, back, answer.ok

    assert asyncio.run(seen()) == ("session_ended", "", True)


def test_a_licence_is_overridden_until_the_session_ends_and_the_trail_says_so(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            await node.login("2", passphrase=JUN)
            (first,) = await node.record([REGISTER])
            (permission,) = await node.may(["note.add"])
            (refusal,) = await node.record([note(first.patient)])
            blank = await refused(node.override(["note.add"], " "))
            await node.override(["note.add"], "nobody else", first.patient)
            (after,) = await node.may(["note.add"])
            (taken,) = await node.record([note(first.patient)])
            await node.login("2", passphrase=JUN)
            (later,) = await node.may(["note.add"])
            trail = await node.call("audit", limit=20)
            return permission, refusal, blank, after, taken, later, trail

    permission, refusal, blank, after, taken, later, trail = asyncio.run(seen())
    assert (permission.reason, permission.overridable) == ("outside_practice", True)
    assert permission.who == (CANARY,)
    assert (refusal.ok, refusal.error, blank) == (False, "outside_practice", "reason_needed")
    assert after.reason == "" and taken.ok and later.reason == "outside_practice"
    assert "note.add: nobody else" in json.dumps(trail)


def test_a_draft_stays_with_who_typed_it(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            await node.draft_put(Draft("note", "d0", {"text": "nobody's"}))
            await node.login("1", passphrase=AMINA)
            await node.draft_put(Draft("note", "d1", {"text": "hers"}))
            hers = [one.subject for one in await node.draft_list()]
            await node.login("2", passphrase=JUN)
            his = [one.subject for one in await node.draft_list()]
            await node.call("person_leave", person="1")
            return sorted(hers), his, sorted(one.subject for one in await node.draft_list())

    assert asyncio.run(seen()) == (["d0", "d1"], ["d0"], ["d0", "d1"])


def test_no_secret_and_no_name_is_in_any_file_or_log(folder, tmp_path):
    import io

    from fieldnode.client import NodeClient
    from protocols.live.journal import Journal
    from protocols.live.lines import find_socket
    from protocols.live.running import Desk, factory_of
    from protocols.live.service import Service, Settings

    log = io.StringIO()

    async def lived():
        service = Service(
            factory_of(folder, PASSPHRASE), Settings(folder=folder, discovery=False), Journal(log)
        )
        desk = Desk(service, folder)
        await service.start(desk.handlers(), left=desk.left)
        node = NodeClient(find_socket(folder))
        await node.person_pin("1", AMINA, "60412988")
        for secret in ({"pin": "90731465"}, {"passphrase": "wrong " + AMINA}):
            await refused(node.login("1", **secret))
        await node.login("1", pin="60412988")
        await node.record([REGISTER])
        raw = await node.call("person_export", person="1")
        await refused(node.call("person_import", file="AAAA"))
        await node.close()
        await service.stop()
        desk.close()
        return raw

    raw = asyncio.run(lived())
    from protocols.live.people import as_bytes

    kept = log.getvalue().encode() + as_bytes(raw)
    kept += b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    kept += "".join(str(path) for path in folder.rglob("*")).encode()
    for secret in (AMINA, JUN, PASSPHRASE, "60412988", "90731465", CANARY, "Jun Cho"):
        assert secret.encode() not in kept, secret
