"""A node of a data folder, made ready to run: its factory, and the calls it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import reading
from protocols.ledger.backup import backup
from protocols.ledger.folder import Machine, fits, open_ledger
from protocols.live import answers
from protocols.live.address import Address
from protocols.live.api import Draft, Greeting
from protocols.live.local import Caller, Handler
from protocols.live.service import Service
from protocols.live.worker import NodeFactory
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.catalogue import BY_NAME, schemas
from protocols.trust.enrolment import CODE_BYTES, code_text, parse_code

LINES_MAX = 512
"""Lines in one `record` call."""
DRAFTS_MAX = 200
ENROL_S = 30.0

Result = TypeVar("Result")


def factory_of(folder: Path, passphrase: str | None, host: Machine | None = None) -> NodeFactory:
    """Return what opens a data folder on the node's thread and closes it after."""

    def factory(moment: Now) -> AbstractContextManager[Node]:
        return _opened(folder, passphrase, host or machine(), moment)

    return factory


@contextmanager
def _opened(
    folder: Path, passphrase: str | None, host: Machine, moment: Now
) -> Iterator[Node]:
    ledger = open_ledger(folder, passphrase, moment.entropy, host, moment.wall_ms)
    node = Node(ledger)
    try:
        yield node
    finally:
        node.stop()
        ledger.close()


def machine() -> Machine:
    """Return what names this hardware, as far as the system says."""
    for place in _SERIALS:
        try:
            serial = Path(place).read_text(errors="replace").strip("\0 \n")
        except OSError:
            continue
        if serial:
            return Machine(serial)
    return Machine("")


_SERIALS = (
    "/proc/device-tree/serial-number",
    "/sys/class/dmi/id/product_uuid",
    "/etc/machine-id",
)


class Desk:
    """Answers the local socket for one running service."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service = service
        self._folder = folder
        self._locked: set[int] = set()

    def handlers(self) -> dict[str, Handler]:
        """Return the table of calls."""
        simple: dict[str, Callable[[Node, Now, Mapping[str, Any]], object]] = {
            "board": _board,
            "search": _search,
            "chart": _chart,
            "sync": lambda node, now, _: answers.sync_state(node, now.wall_ms),
            "status": lambda node, now, _: answers.status(node, now.wall_ms),
            "rows": _rows,
            "kinds": lambda *_: kinds(),
            "settings": _settings,
            "draft_put": _draft_put,
            "draft_list": _draft_list,
            "draft_drop": _draft_drop,
            "export": _export,
            "invite": _invite,
        }
        table: dict[str, Handler] = {name: self._plain(run) for name, run in simple.items()}
        return table | {
            "hello": self._hello,
            "record": self._record,
            "lock": self._lock,
            "unlock": self._unlock,
            "join": self._join,
            "backup": self._backup,
            "stop": self._stop,
        }

    def left(self, caller: Caller) -> None:
        """A connection ended: its session is over."""
        self._locked.discard(caller.number)

    def _plain(self, run: Callable[[Node, Now, Mapping[str, Any]], object]) -> Handler:
        async def handler(caller: Caller, args: dict[str, Any]) -> object:
            if caller.number in self._locked:
                raise InputError("locked")
            return await self._service.call(lambda node, now: (run(node, now, args), _NONE))

        return handler

    async def _hello(self, caller: Caller, args: dict[str, Any]) -> object:
        locked = caller.number in self._locked
        return await self._service.call(lambda node, _: (_greeting(node, locked), _NONE))

    async def _record(self, caller: Caller, args: dict[str, Any]) -> object:
        lines = args.get("lines")
        if not isinstance(lines, list) or len(lines) > LINES_MAX:
            raise InputError("bad_line", field="args.lines", limit=LINES_MAX)
        if not all(isinstance(line, dict) for line in lines):
            raise InputError("bad_line", field="args.lines")
        if caller.number in self._locked:
            raise InputError("locked")
        return await self._service.call(lambda node, now: node.record(lines, now))

    async def _lock(self, caller: Caller, args: dict[str, Any]) -> object:
        self._locked.add(caller.number)
        return True

    async def _unlock(self, caller: Caller, args: dict[str, Any]) -> object:
        passphrase = _text(args, "passphrase")
        fit = await asyncio.to_thread(fits, self._folder, passphrase)
        if fit:
            self._locked.discard(caller.number)
        return fit

    async def _join(self, caller: Caller, args: dict[str, Any]) -> object:
        address = Address.parse(_text(args, "address"))
        code = parse_code(_text(args, "code"))
        async with asyncio.timeout(ENROL_S):
            await self._service.enrol(address, code)
        self._service.dial(address)
        return True

    async def _backup(self, caller: Caller, args: dict[str, Any]) -> object:
        target = Path(_text(args, "target"))
        return await self._service.call(lambda node, now: (backup(node.ledger, target, now.wall_ms), _NONE))

    async def _stop(self, caller: Caller, args: dict[str, Any]) -> object:
        self._service.ask_to_stop()
        return True


_NONE: Sequence[Effect] = ()


def kinds() -> dict[str, Any]:
    """Return a JSON Schema and an example line for each kind."""
    return {
        name: {"schema": schema, "example": BY_NAME[name].example}
        for name, schema in schemas().items()
    }


def _greeting(node: Node, locked: bool) -> Greeting:
    ledger = node.ledger
    chosen = _kept_settings(node)
    return Greeting(
        device=str(ledger.authority.device),
        name=ledger.authority.name_of(ledger.authority.device),
        locked=locked,
        language=chosen.get("language", ""),
        theme=chosen.get("theme", ""),
        tag_prefix=chosen.get("tag_prefix", ""),
    )


def _board(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    offset, limit = _number(args, "offset", 0), _number(args, "limit", answers.BOARD_MAX)
    text = str(args.get("filter") or "")
    return answers.board(node.ledger, offset, limit, text, now.wall_ms)


def _search(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    limit = _number(args, "limit", answers.BOARD_MAX)
    return answers.search(node.ledger, _text(args, "text"), limit, now.wall_ms)


def _chart(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    offset, limit = _number(args, "offset", 0), _number(args, "limit", answers.CHART_MAX)
    return answers.chart(node.ledger, _text(args, "patient"), offset, limit, now.wall_ms)


def _rows(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    since, limit = _number(args, "since", 0), _number(args, "limit", answers.ROWS_MAX)
    return answers.rows_page(node.ledger, _text(args, "kind"), since, limit)


def _invite(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    code = now.entropy(CODE_BYTES)
    node.invite(code, now, hq=bool(args.get("hq")))
    return code_text(code)


def _export(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    patient = PatientId.parse(_text(args, "patient"))
    return {
        str(doc): raw.hex() for doc, raw in reading.documents(node.ledger, patient)
    }


def _kept_settings(node: Node) -> dict[str, str]:
    row = node.ledger.store.one("SELECT value FROM meta WHERE name = 'settings'")
    return msgspec.json.decode(row[0], type=dict[str, str]) if row else {}


def _settings(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    chosen = _kept_settings(node)
    for name in ("language", "theme", "tag_prefix"):
        value = args.get(name)
        if isinstance(value, str) and len(value) <= 32:
            chosen[name] = value
    with node.ledger.store.atomic():
        node.ledger.store.execute(
            "INSERT OR REPLACE INTO meta VALUES ('settings', ?)", (msgspec.json.encode(chosen),)
        )
    return chosen


def _draft_put(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    try:
        draft = msgspec.convert(dict(args), Draft)
    except msgspec.ValidationError:
        raise InputError("bad_line", field="args") from None
    store = node.ledger.store
    with store.atomic():
        store.execute(
            "INSERT OR REPLACE INTO draft VALUES (?,?,?,?)",
            (draft.form, draft.subject, msgspec.json.encode(draft).decode(), now.wall_ms),
        )
        store.execute(
            "DELETE FROM draft WHERE (form, subject) NOT IN"
            " (SELECT form, subject FROM draft ORDER BY saved_ms DESC LIMIT ?)",
            (DRAFTS_MAX,),
        )
    return True


def _draft_list(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    rows = node.ledger.store.all("SELECT fields FROM draft ORDER BY saved_ms DESC")
    return [msgspec.json.decode(text, type=Draft) for (text,) in rows]


def _draft_drop(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    with node.ledger.store.atomic():
        node.ledger.store.execute(
            "DELETE FROM draft WHERE form = ? AND subject = ?",
            (_text(args, "form"), _text(args, "subject")),
        )
    return True


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
