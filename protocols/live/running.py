"""A node of a data folder, made ready to run: its factory, and the calls it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from protocols.errors import InputError, LinkError
from protocols.ids import PatientId
from protocols.ledger import results
from protocols.ledger.backup import backup, check_running, source_of
from protocols.ledger.folder import fits, lock_for_good, open_ledger
from protocols.ledger.keyfile import recover_to
from protocols.ledger.recording import Answer, Seat
from protocols.ledger.unconfirmed import UNCONFIRMED_MAX
from protocols.live import (
    answers,
    audited,
    calls,
    consigning,
    disputing,
    foreign,
    handingover,
    members,
    papers,
    printing,
    protecting,
    proving,
    reviewing,
)
from protocols.live.address import Address
from protocols.live.api import BoardPage
from protocols.live.audited import Glass
from protocols.live.checking import Apart
from protocols.live.clock import mono_ms
from protocols.live.confirming import unconfirmed
from protocols.live.hardware import machine
from protocols.live.local import Caller, Handler
from protocols.live.service import Service
from protocols.live.settings import greeting, settings
from protocols.live.sittings import Sittings
from protocols.live.tallied import tally
from protocols.live.tries import Tries
from protocols.live.worker import NodeFactory
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.trust.audit import What
from protocols.trust.enrolment import parse_code

LINES_MAX = 512
"""Lines in one `record` call."""
PIECE_LINES = 16
"""Lines written in one turn of the node's thread, so that an urgent record waits for no import."""
RECEIVE = "stock.receive"
"""A packing list is received whole or not at all, so a group of these may fill a whole call."""
TRIAGE = "triage.record"
"""The one kind that a locked terminal may write, as nobody identified."""
ASKED_LOCKED = frozenset({"people", "login", "draft_put", "draft_drop"})
"""Calls about persons and their drafts that a locked terminal may make."""
ENROL_S = 30.0

Result = TypeVar("Result")


def factory_of(
    folder: Path, passphrase: str | None, moved: Callable[[str], None] | None = None
) -> NodeFactory:
    """Return what opens a data folder on the node's thread and closes it after.

    Args:
        moved: Told 'restored' or 'copied' when the book had to begin a new epoch.
    """

    def factory(moment: Now) -> AbstractContextManager[Node]:
        return _opened(folder, passphrase, moment, moved)

    return factory


@contextmanager
def _opened(
    folder: Path, passphrase: str | None, moment: Now, moved: Callable[[str], None] | None
) -> Iterator[Node]:
    ledger = open_ledger(folder, passphrase, moment.entropy, machine(folder), moved)
    try:
        node = Node(ledger)
        yield node
        node.stop()
    finally:
        ledger.close()


class Desk:
    """Answers the local socket for one running service."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._locked: set[int] = set()
        self._tries = Tries()
        self._trying = asyncio.Lock()
        self._apart = Apart()
        self._sittings = Sittings(service, self._unlocked)
        self._glass = Glass()
        self._listed = foreign.Lists()
        self._told: set[tuple[int, str]] = set()
        """Readers and tables whose reading of other teams' rows is in the audit trail."""

    def handlers(self) -> dict[str, Handler]:
        """Return the table of calls."""
        simple: dict[str, Callable[[Node, Now, Mapping[str, Any]], object]] = {
            "sync": lambda node, now, _: answers.sync_state(node, now.wall_ms, now.ahead_ms),
            "unassigned": lambda node, _, args: answers.unassigned(
                node.ledger, _number(args, "limit", results.RESULTS_MAX)
            ),
            "kinds": lambda *_: answers.kinds(),
            "settings": settings,
        }
        simple |= calls.READS
        # Triage goes on without anybody identified, guided too (SAFETY 20).
        guide = "pack_in_use"
        table = {name: self._plain(run, anybody=name == guide) for name, run in simple.items()}
        table |= {name: self._doing(run) for name, run in calls.DEEDS.items()}
        table |= {name: self._naming(name, calls.READS[name]) for name in foreign.NAMING}
        table |= {name: self._lists(name, run) for name, run in foreign.LISTS.items()}
        table |= {"export": self._export, "passphrase_changed": self._doing(_changed)}
        table |= {
            name: self._as_whoever(run)
            for name, run in (
                members.DEEDS | reviewing.DEEDS | protecting.DEEDS | consigning.DEEDS
            ).items()
        }
        table |= {"print_ward": self._as_whoever(printing.ward), "rows": self._rows}
        table |= {name: self._seen(run) for name, run in calls.OF_PATIENT.items()}
        between = disputing.OF_PATIENT | handingover.OF_PATIENT
        table |= {name: self._seen(run) for name, run in between.items()}
        table |= {
            "print_chart": self._of_opened(printing.chart),
            "print_summary": self._of_opened(papers.printed),
        }
        table |= {name: self._of_opened(run) for name, run in proving.DEEDS.items()}
        table |= {"chart": self._seen(audited.chart), "break_glass": self._break_glass}
        table |= {name: self._unless_locked(name, run) for name, run in self._sittings_table()}
        return table | {
            "hello": self._hello,
            "tagged": self._tagged,
            "tally": self._tally,
            "unconfirmed": self._unconfirmed,
            "status": self._status,
            "record": self._record,
            "clock_set": self._clock_set,
            "lock": self._lock,
            "unlock": self._unlock,
            "join": self._join,
            "backup": self._backup,
            "doctor": self._doctor,
            "recover": self._recover,
            "stop": self._stop,
            "panic": self._panic,
        }

    def left(self, caller: Caller) -> None:
        """A connection ended: its session is over."""
        self._locked.discard(caller.number)
        self._glass.close(caller.number)
        self._listed.close(caller.number)
        self._told = {each for each in self._told if each[0] != caller.number}
        self._sittings.left(caller)

    def _sittings_table(self) -> Iterable[tuple[str, Handler]]:
        return self._sittings.handlers().items()

    def _unless_locked(self, name: str, run: Handler) -> Handler:
        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            if caller.number in self._locked and name not in ASKED_LOCKED:
                raise InputError("locked")
            return await run(caller, args)

        return handler

    def _unlocked(self, caller: Caller) -> None:
        self._locked.discard(caller.number)
        # Whoever sits here now is asked again about other teams' charts.
        self._glass.close(caller.number)
        self._listed.close(caller.number)

    def _plain(self, run: members.Reader, *, anybody: bool = False) -> Handler:
        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            if caller.number in self._locked and not anybody:
                raise InputError("locked")
            return await self._service.call(lambda node, now: (run(node, now, args), _NONE))

        return handler

    def _doing(self, run: members.Doer) -> Handler:
        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            if caller.number in self._locked:
                raise InputError("locked")
            return await self._service.call(lambda node, now: run(node, now, args))

        return handler

    def _as_whoever(self, run: Callable[..., tuple[object, Sequence[Effect]]]) -> Handler:
        """What the trail says somebody did: whoever is logged in on this connection."""

        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            number = self._sittings.number(caller)
            return await self._doing(partial(run, session=number))(caller, args)

        return handler

    async def _hello(self, caller: Caller, args: dict[str, Any]) -> object:
        locked = caller.number in self._locked
        return await self._service.call(
            lambda node, now: (
                greeting(node, locked, self._sittings.greets(caller, node, now)),
                _NONE,
            )
        )

    async def _tagged(self, caller: Caller, args: dict[str, Any]) -> object:
        """Who carries a tag; a locked terminal, which may triage, is told no names."""
        if caller.number not in self._locked:
            return await self._lists("tagged", foreign.tagged)(caller, args)
        found = await self._service.call(lambda node, now: (foreign.tagged(node, now, args), _NONE))
        return _nameless(found)

    async def _unconfirmed(self, caller: Caller, args: dict[str, Any]) -> object:
        """Triage that waits for a person; a locked terminal is told how many."""
        locked = caller.number in self._locked
        limit = 0 if locked else _number(args, "limit", UNCONFIRMED_MAX)
        return await self._service.call(lambda node, now: (unconfirmed(node.ledger, limit), _NONE))

    async def _tally(self, caller: Caller, args: dict[str, Any]) -> object:
        return await self._service.call(lambda node, now: (tally(node.ledger, now.wall_ms), _NONE))

    async def _status(self, caller: Caller, args: dict[str, Any]) -> object:
        if caller.number in self._locked:
            raise InputError("locked")
        found = await self._service.call(
            lambda node, now: (answers.status(node, now.wall_ms, now.ahead_ms), _NONE)
        )
        return found | {"terminals_locked": len(self._locked)}

    async def _record(self, caller: Caller, args: dict[str, Any]) -> object:
        lines = args.get("lines")
        if not isinstance(lines, list) or len(lines) > LINES_MAX:
            raise InputError("bad_line", field="args.lines", limit=LINES_MAX)
        if not all(isinstance(line, dict) for line in lines):
            raise InputError("bad_line", field="args.lines")
        if caller.number in self._locked and any(line.get("kind") != TRIAGE for line in lines):
            # Triage goes on without anybody identified (SAFETY 20).
            raise InputError("locked")
        seat = self._sittings.seat(caller, args.get("person"))
        if args.get("together"):
            received = all(line.get("kind") == RECEIVE for line in lines)
            if len(lines) > PIECE_LINES and not received:
                raise InputError("too_many", field="args.lines", limit=PIECE_LINES)
            return await self._service.call(
                lambda node, now: node.record_together(lines, now, seat)
            )
        answered: list[Answer] = []
        for start in range(0, len(lines), PIECE_LINES):
            piece = lines[start : start + PIECE_LINES]
            found = await self._service.call(
                partial(_record_piece, piece, seat), then=Node.catch_up_left
            )
            answered += [msgspec.structs.replace(each, line=each.line + start) for each in found]
        return answered

    async def _clock_set(self, caller: Caller, args: dict[str, Any]) -> object:
        if caller.number in self._locked:
            raise InputError("locked")
        self._service.clock.state(_number(args, "wall_ms", 0))
        return True

    def _lists(
        self, name: str, run: Callable[[Node, Now, Mapping[str, Any]], BoardPage]
    ) -> Handler:
        """What lists patients: other teams' among them are noted, each once a session."""

        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            if caller.number in self._locked:
                raise InputError("locked")

            def show(node: Node, now: Now) -> tuple[BoardPage, Sequence[Effect]]:
                page, session = run(node, now, args), self._sittings.number(caller)
                reader = caller.number
                return self._listed.show(node, now, page, reader=reader, call=name, session=session)

            return await self._service.call(show)

        return handler

    def _naming(self, name: str, run: members.Reader) -> Handler:
        """What names patients beside other things: other teams' are noted as in lists."""

        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            note = partial(self._listed.note, reader=caller.number, call=name)

            def show(node: Node, now: Now, args: Mapping[str, Any]) -> Any:
                found = run(node, now, args)
                return found, note(node, now, found, session=self._sittings.number(caller))

            return await self._doing(show)(caller, args)

        return handler

    def _seen(self, run: Callable[..., object]) -> Handler:
        """What shows one patient: another team's only once a reason was given in this session."""

        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            opened = partial(self._glass.opened, caller.number)
            return await self._plain(partial(run, opened=opened))(caller, args)

        return handler

    def _of_opened(self, run: Callable[..., tuple[object, Sequence[Effect]]]) -> Handler:
        """What takes a reason for another team's patient, unless one was given in this session."""

        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            opened = partial(self._glass.opened, caller.number)
            return await self._as_whoever(partial(run, opened=opened))(caller, args)

        return handler

    async def _export(self, caller: Caller, args: dict[str, Any]) -> object:
        number = self._sittings.number(caller)
        return await self._doing(partial(_export, session=number))(caller, args)

    async def _break_glass(self, caller: Caller, args: dict[str, Any]) -> object:
        number = self._sittings.number(caller)
        patient = await self._doing(partial(audited.break_glass, session=number))(caller, args)
        assert isinstance(patient, PatientId)
        self._glass.open(caller.number, patient)
        return True

    async def _rows(self, caller: Caller, args: dict[str, Any]) -> object:
        if caller.number in self._locked:
            raise InputError("locked")
        reader = (caller.number, str(args.get("kind")))

        def run(node: Node, now: Now) -> tuple[Mapping[str, Any], Sequence[Effect]]:
            number = self._sittings.number(caller)
            page, told, effects = audited.rows(
                node, now, args, told=reader in self._told, session=number
            )
            if told:
                self._told.add(reader)
            return page, effects

        return await self._service.call(run)

    async def _lock(self, caller: Caller, args: dict[str, Any]) -> object:
        self._locked.add(caller.number)
        self._glass.close(caller.number)
        await self._sittings.end(caller)
        return True

    async def _unlock(self, caller: Caller, args: dict[str, Any]) -> object:
        passphrase = _text(args, "passphrase")
        # One after the other: many at once would all be tried before the first was counted.
        async with self._trying:
            if wait_ms := self._tries.wait_ms(mono_ms()):
                raise InputError("too_many_tries", wait_s=-(-wait_ms // 1000))
            fit = await asyncio.to_thread(fits, self._folder, passphrase)
            if fit:
                self._tries.right()
                self._locked.discard(caller.number)
            else:
                self._tries.wrong(mono_ms())
            await self._service.call(partial(_note, What.LOGIN if fit else What.FAILED_LOGIN))
        return fit

    async def _join(self, caller: Caller, args: dict[str, Any]) -> object:
        address = Address.parse(_text(args, "address"))
        code = parse_code(_text(args, "code"))
        try:
            async with asyncio.timeout(ENROL_S):
                await self._service.enrol(address, code)
        except TimeoutError:
            raise LinkError("unreachable") from None
        await self._service.call(partial(_keep_joined, str(address)))
        self._service.dial(address)
        return True

    async def _backup(self, caller: Caller, args: dict[str, Any]) -> object:
        if caller.number in self._locked:
            raise InputError("locked")
        target = Path(_text(args, "target"))
        source, wall_ms = await self._service.call(
            lambda node, now: (
                (source_of(node.ledger), now.wall_ms),
                audited.backed_up(node, now, target),
            )
        )
        return await asyncio.to_thread(
            lambda: backup(
                source,
                target,
                wall_ms,
                check=self._apart.check,
                going_on=lambda: self._apart.going_on,
            )
        )

    async def _recover(self, caller: Caller, args: dict[str, Any]) -> object:
        if caller.number in self._locked:
            raise InputError("locked")
        recovery, target = Path(_text(args, "recovery")), Path(_text(args, "target"))
        passphrase = _text(args, "passphrase")
        number = self._sittings.number(caller)
        secret, entropy = await self._service.call(
            lambda node, now: (
                (node.ledger.authority.keys.agree_secret, now.entropy),
                audited.recovering(node, now, target, session=number),
            )
        )
        await asyncio.to_thread(recover_to, target, recovery, secret, passphrase, entropy)
        return True

    async def _doctor(self, caller: Caller, args: dict[str, Any]) -> object:
        if caller.number in self._locked:
            raise InputError("locked")
        source = await self._service.call(lambda node, _: (source_of(node.ledger), _NONE))
        return await asyncio.to_thread(
            lambda: check_running(
                source, check=self._apart.check, going_on=lambda: self._apart.going_on
            )
        )

    async def _stop(self, caller: Caller, args: dict[str, Any]) -> object:
        self._apart.stop()
        self._service.ask_to_stop()
        return True

    async def _panic(self, caller: Caller, args: dict[str, Any]) -> object:
        """Throw the key away first, at a locked terminal too: a node that stays up is no harm."""
        await asyncio.to_thread(lock_for_good, self._folder)
        return await self._stop(caller, args)

    def close(self) -> None:
        """Give up what would hold a stopping node up."""
        self._apart.stop()


_NONE: Sequence[Effect] = ()


def _keep_joined(address: str, node: Node, _: Now) -> tuple[None, Sequence[Effect]]:
    """Whom we joined through is dialled again after every start."""
    node.ledger.note_joined_at(address)
    return None, _NONE


def _record_piece(
    lines: list[dict[str, Any]], seat: Seat, node: Node, now: Now
) -> tuple[list[Answer], list[Effect]]:
    return node.record(lines, now, seat, rows_later=True)


def _nameless(page: BoardPage) -> BoardPage:
    return msgspec.structs.replace(
        page, lines=tuple(msgspec.structs.replace(line, name="") for line in page.lines)
    )


def _export(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int
) -> tuple[object, Sequence[Effect]]:
    target = Path(_text(args, "target"))
    return audited.export(node, now, _text(args, "patient"), target, session=session)


def _changed(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    return True, node.audit([audited.event(now, What.PASSPHRASE_CHANGED)], now)


def _note(what: What, node: Node, now: Now) -> tuple[None, Sequence[Effect]]:
    return None, node.note(audited.event(now, what), now)


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    return value


def _number(args: Mapping[str, Any], name: str, default: int) -> int:
    value = args.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError("bad_line", field=f"args.{name}")
    return value
