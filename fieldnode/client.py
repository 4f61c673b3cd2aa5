"""What the terminal asks of the running node, and the asyncio client that asks it.

Screens know only the protocol `Node`; tests give them a double that answers at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from fieldnode.asking import Answer
from fieldnode.families import FamilyCalls, FamilyClient
from protocols.errors import LinkError
from protocols.live.api import (
    BoardPage,
    Chart,
    Draft,
    Greeting,
    Me,
    Permission,
    PersonLine,
    Recorded,
    Reply,
    Request,
    SyncState,
    Unassigned,
    Unconfirmed,
)
from protocols.live.bed import BedsPage
from protocols.live.belonging import (
    Apart,
    Belonging,
    MemberLine,
    Quarantine,
    ReviewPage,
    RosterPage,
    SealLook,
)
from protocols.live.lines import LINE_BYTES_MAX, decode_reply, encode, raised
from protocols.live.observed import Observed
from protocols.live.relation import Relations
from protocols.live.tally import Tally

CALL_S = 10.0
"""A node that has not answered by then is away as far as a waiting person is concerned."""
PAUSE_FIRST_S = 0.2
PAUSE_LONGEST_S = 5.0
"""Pauses between attempts to reach the node double from the first to the longest."""


class Node(FamilyCalls, Protocol):
    """The calls of `protocols/live/api.py` as a terminal uses them.

    Every call raises LinkError when the node is away; what was typed is still here.
    """

    async def hello(self) -> Greeting:
        """Say who the node is."""
        ...

    async def board(
        self, offset: int, limit: int, text: str = "", sort: str = "", ward: str = ""
    ) -> BoardPage:
        """Patients in care, most urgent first, or by wait, score or what is due."""
        ...

    async def search(self, text: str, limit: int) -> BoardPage:
        """Patients by name, code, tag or whatever the index holds, best first."""
        ...

    async def tagged(self, tag: str) -> BoardPage:
        """All patients who carry a tag."""
        ...

    async def beds(self) -> BedsPage:
        """Wards and beds, with who lies where."""
        ...

    async def observed(self, patient: str) -> Observed:
        """What was measured of one patient, what is due, and the balance."""
        ...

    async def tally(self) -> Tally:
        """How many were triaged in the present run."""
        ...

    async def relations(self, patient: str) -> Relations:
        """Records that belong together with one."""
        ...

    async def chart(self, patient: str, offset: int, limit: int) -> Chart:
        """One patient with the timeline, newest first."""
        ...

    async def break_glass(self, patient: str, reason: str) -> None:
        """Say why another organisation's patient is read; kept before the chart opens."""
        ...

    async def unassigned(self, limit: int) -> Unassigned:
        """Results of devices that wait for a patient, the longest first."""
        ...

    async def unconfirmed(self, limit: int) -> Unconfirmed:
        """Triage that nobody identified wrote and no person stands by yet, the oldest first."""
        ...

    async def record(
        self, lines: Sequence[dict[str, Any]], *, together: bool = False
    ) -> list[Recorded]:
        """Write records; returns when they are durable. `together`: all of them or none."""
        ...

    async def sync(self) -> SyncState:
        """How far what is saved here has travelled."""
        ...

    async def belonging(self) -> Belonging:
        """The operation, its coordinators and scopes, and how old what is known of it is."""
        ...

    async def roster(self, offset: int, limit: int, text: str = "") -> RosterPage:
        """Devices and persons; with a text those of which it is part."""
        ...

    async def apart(self) -> Apart:
        """What is here and does not count, with the reason."""
        ...

    async def seal_look(self, member: str, since_ms: int | None) -> SealLook:
        """What a seal would do."""
        ...

    async def seal(
        self, member: str, reason: str, since_ms: int | None, roles: Sequence[str], note: str
    ) -> MemberLine:
        """Seal a member by its id; it keeps the roles named."""
        ...

    async def unseal(self, seal: str, entries: int) -> Quarantine:
        """Let through what a seal keeps back, if it is still so many entries."""
        ...

    async def review_page(self) -> ReviewPage:
        """Acts of persons whose licence or key came into doubt, those that wait first."""
        ...

    async def review_done(self, fact: str, outcome: str, note: str) -> None:
        """Say what came of looking at one again; everybody is told."""
        ...

    async def settings(self, **chosen: str) -> None:
        """Keep choices of this terminal: language, theme."""
        ...

    async def draft_put(self, draft: Draft) -> None:
        """Keep what was typed so far; the form and subject name it."""
        ...

    async def draft_list(self) -> list[Draft]:
        """Drafts kept, newest first."""
        ...

    async def draft_drop(self, form: str, subject: str) -> None:
        """Forget a draft that was saved or given up."""
        ...

    async def clock_set(self, wall_ms: int) -> None:
        """Say what time it is, while the device cannot know."""
        ...

    async def people(self) -> list[PersonLine]:
        """The persons of this device, by their numbers."""
        ...

    async def login(self, person: str, *, pin: str = "", passphrase: str = "") -> Me:
        """Let a person take this terminal, by one of the two; whoever was here is gone."""
        ...

    async def whoami(self) -> Me:
        """Who is here, and what they may write."""
        ...

    async def may(self, kinds: Sequence[str]) -> list[Permission]:
        """What stands between whoever is here and these kinds."""
        ...

    async def override(self, kinds: Sequence[str], reason: str, patient: str = "") -> None:
        """Write beyond one's licence from now on, for a reason that everybody is told."""
        ...

    async def person_pin(self, person: str, passphrase: str, pin: str) -> None:
        """Set the PIN of a person on this device."""
        ...

    async def lock(self) -> None:
        """End the person's session on this terminal."""
        ...

    async def panic(self) -> None:
        """Throw the key away and stop the node: nobody opens its book again."""
        ...

    async def unlock(self, passphrase: str) -> bool:
        """Open the terminal again; False when the passphrase is another one."""
        ...


class NodeClient(FamilyClient):
    """Calls a node over its Unix socket and comes back by itself after it was away."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._events: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        self._person: str | None = None
        """Who is here, as this terminal takes it; None until it was told."""
        self._connecting = asyncio.Lock()
        self._reader_task: asyncio.Task[None] | None = None

    async def hello(self) -> Greeting:
        """See `Node.hello`."""
        greeting = await self.ask(Greeting, "hello")
        if self._person is None:
            self._person = greeting.person_id
        return greeting

    async def board(
        self, offset: int, limit: int, text: str = "", sort: str = "", ward: str = ""
    ) -> BoardPage:
        """See `Node.board`."""
        asked = {"filter": text, "sort": sort, "ward": ward}
        return await self.ask(BoardPage, "board", offset=offset, limit=limit, **asked)

    async def search(self, text: str, limit: int) -> BoardPage:
        """See `Node.search`."""
        return await self.ask(BoardPage, "search", text=text, limit=limit)

    async def tagged(self, tag: str) -> BoardPage:
        """See `Node.tagged`."""
        return await self.ask(BoardPage, "tagged", tag=tag)

    async def beds(self) -> BedsPage:
        """See `Node.beds`."""
        return await self.ask(BedsPage, "beds")

    async def observed(self, patient: str) -> Observed:
        """See `Node.observed`."""
        return await self.ask(Observed, "observed", patient=patient)

    async def tally(self) -> Tally:
        """See `Node.tally`."""
        return await self.ask(Tally, "tally")

    async def relations(self, patient: str) -> Relations:
        """See `Node.relations`."""
        return await self.ask(Relations, "relations", patient=patient)

    async def chart(self, patient: str, offset: int, limit: int) -> Chart:
        """See `Node.chart`."""
        return await self.ask(Chart, "chart", patient=patient, offset=offset, limit=limit)

    async def break_glass(self, patient: str, reason: str) -> None:
        """See `Node.break_glass`."""
        await self.call("break_glass", patient=patient, reason=reason)

    async def unassigned(self, limit: int) -> Unassigned:
        """See `Node.unassigned`."""
        return await self.ask(Unassigned, "unassigned", limit=limit)

    async def unconfirmed(self, limit: int) -> Unconfirmed:
        """See `Node.unconfirmed`."""
        return await self.ask(Unconfirmed, "unconfirmed", limit=limit)

    async def record(
        self, lines: Sequence[dict[str, Any]], *, together: bool = False
    ) -> list[Recorded]:
        """See `Node.record`."""
        said = {} if self._person is None else {"person": self._person}
        return await self.ask(
            list[Recorded], "record", lines=list(lines), together=together, **said
        )

    async def sync(self) -> SyncState:
        """See `Node.sync`."""
        return await self.ask(SyncState, "sync")

    async def belonging(self) -> Belonging:
        """See `Node.belonging`."""
        return await self.ask(Belonging, "belonging")

    async def roster(self, offset: int, limit: int, text: str = "") -> RosterPage:
        """See `Node.roster`."""
        return await self.ask(RosterPage, "roster", offset=offset, limit=limit, text=text)

    async def apart(self) -> Apart:
        """See `Node.apart`."""
        return await self.ask(Apart, "apart")

    async def seal_look(self, member: str, since_ms: int | None) -> SealLook:
        """See `Node.seal_look`."""
        return await self.ask(SealLook, "seal_look", member=member, since_ms=since_ms)

    async def seal(
        self, member: str, reason: str, since_ms: int | None, roles: Sequence[str], note: str
    ) -> MemberLine:
        """See `Node.seal`."""
        said = {"reason": reason, "since_ms": since_ms, "roles": list(roles), "note": note}
        return await self.ask(MemberLine, "seal", member=member, **said)

    async def unseal(self, seal: str, entries: int) -> Quarantine:
        """See `Node.unseal`."""
        return await self.ask(Quarantine, "unseal", seal=seal, entries=entries)

    async def review_page(self) -> ReviewPage:
        """See `Node.review_page`."""
        return await self.ask(ReviewPage, "review_page")

    async def review_done(self, fact: str, outcome: str, note: str) -> None:
        """See `Node.review_done`."""
        await self.call("review_done", fact=fact, outcome=outcome, note=note)

    async def settings(self, **chosen: str) -> None:
        """See `Node.settings`."""
        await self.call("settings", **chosen)

    async def draft_put(self, draft: Draft) -> None:
        """See `Node.draft_put`."""
        await self.call("draft_put", **msgspec.to_builtins(draft))

    async def draft_list(self) -> list[Draft]:
        """See `Node.draft_list`."""
        return await self.ask(list[Draft], "draft_list")

    async def draft_drop(self, form: str, subject: str) -> None:
        """See `Node.draft_drop`."""
        await self.call("draft_drop", form=form, subject=subject)

    async def clock_set(self, wall_ms: int) -> None:
        """See `Node.clock_set`."""
        await self.call("clock_set", wall_ms=wall_ms)

    async def people(self) -> list[PersonLine]:
        """See `Node.people`."""
        return await self.ask(list[PersonLine], "people")

    async def login(self, person: str, *, pin: str = "", passphrase: str = "") -> Me:
        """See `Node.login`."""
        me = await self.ask(Me, "login", person=person, pin=pin, passphrase=passphrase)
        self._person = me.id
        return me

    async def whoami(self) -> Me:
        """See `Node.whoami`."""
        return await self.ask(Me, "whoami")

    async def may(self, kinds: Sequence[str]) -> list[Permission]:
        """See `Node.may`."""
        return await self.ask(list[Permission], "may", kinds=list(kinds))

    async def override(self, kinds: Sequence[str], reason: str, patient: str = "") -> None:
        """See `Node.override`."""
        await self.call("override", kinds=list(kinds), reason=reason, patient=patient)

    async def person_pin(self, person: str, passphrase: str, pin: str) -> None:
        """See `Node.person_pin`."""
        await self.call("person_pin", person=person, passphrase=passphrase, pin=pin)

    async def lock(self) -> None:
        """See `Node.lock`."""
        self._person = ""
        await self.call("lock")

    async def panic(self) -> None:
        """See `Node.panic`."""
        await self.call("panic")

    async def unlock(self, passphrase: str) -> bool:
        """See `Node.unlock`."""
        return bool(await self.call("unlock", passphrase=passphrase))

    async def changes(self) -> AsyncIterator[frozenset[str]]:
        """Yield the tables that changed, for ever; `{"*"}` each time the node is there again.

        An empty set says that the node is away.
        """
        pause_s = PAUSE_FIRST_S
        while True:
            try:
                await self.call("subscribe", tables=[])
            except LinkError:
                yield frozenset()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_LONGEST_S)
                continue
            pause_s = PAUSE_FIRST_S
            yield frozenset({"*"})
            while tables := await self._events.get():
                while tables and not self._events.empty():
                    more = self._events.get_nowait()
                    tables = tables | more if more else more
                if not tables:
                    break
                yield tables

    async def close(self) -> None:
        """Leave the node."""
        if self._reader_task is not None:
            self._reader_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader_task
        self._fail_waiting()

    async def call(self, name: str, **args: Any) -> Any:
        """Return the plain answer of one call.

        Raises:
            LinkError: `no_node`, `node_left` or `node_slow`.
            FieldmeshError: As the node refused it.
        """
        writer = await self._connected()
        self._number += 1
        number = self._number
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(CALL_S):
                writer.write(encode(Request(number, name, args)))
                await writer.drain()
                return await answer
        except TimeoutError:
            raise LinkError("node_slow") from None
        except OSError:
            raise LinkError("node_left") from None
        finally:
            self._waiting.pop(number, None)

    async def ask(self, kind: type[Answer], name: str, **args: Any) -> Answer:
        """See `Asking.ask`."""
        try:
            return msgspec.convert(await self.call(name, **args), kind)
        except msgspec.ValidationError:
            raise LinkError("bad_line") from None

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                try:
                    reader, writer = await asyncio.open_unix_connection(
                        str(self._path), limit=LINE_BYTES_MAX
                    )
                except OSError:
                    raise LinkError("no_node") from None
                self._writer = writer
                self._reader_task = asyncio.create_task(self._read(reader, writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand out answers until the node leaves."""
        try:
            while line := await reader.readline():
                self._sort(decode_reply(line))
        except (OSError, ValueError, LinkError):
            pass
        finally:
            self._writer = None
            writer.close()
            self._fail_waiting()
            self._events.put_nowait(frozenset())

    def _sort(self, reply: Reply) -> None:
        if reply.event == "changed":
            self._events.put_nowait(frozenset(reply.result or ()))
            return
        waiting = self._waiting.get(reply.id)
        if waiting is None or waiting.done():
            return
        if reply.error is not None:
            waiting.set_exception(raised(reply.error))
        else:
            waiting.set_result(reply.result)

    def _fail_waiting(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(LinkError("node_left"))
