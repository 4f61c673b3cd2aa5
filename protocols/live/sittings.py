"""Who sits at which terminal: each connection has its own session, which ends with it.

A person's key is opened beside the node's thread, signs one attestation a shift and is dropped.
Tries are counted in the book before they are tried, one after the other for all terminals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import CROCKFORD, DeviceId, PatientId, PersonId
from protocols.ledger import persons, practice
from protocols.ledger.audit import Event
from protocols.ledger.persons import Enrolled, Lock
from protocols.ledger.recording import UNKNOWN, Seat
from protocols.ledger.sitting import Sitting, sit_down, still
from protocols.live.api import Draft, Me, Permission, PersonLine
from protocols.live.clock import mono_ms
from protocols.live.local import Caller, Handler
from protocols.live.service import Service
from protocols.live.tries import Tries
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.catalogue import BY_NAME
from protocols.trust.audit import Detail, What
from protocols.trust.persons import Cost

SECRET_CHARS_MAX = 256
KINDS_MAX = 64
TOKENS_MAX = 64
TOKEN_BYTES = 20
DRAFTS_MAX = 200

_NONE: Sequence[Effect] = ()


class Sittings:
    """Answers the calls about persons and their sessions."""

    def __init__(
        self, service: Service, unlocked: Callable[[Caller], None], cost: Cost | None = None
    ) -> None:
        """Begin with nobody here.

        Args:
            unlocked: Told when somebody has logged in at a terminal.
            cost: Of a PIN that is set; None: what a passphrase takes.
        """
        self._service = service
        self._unlocked = unlocked
        self._cost = cost or Cost()
        self._seats: dict[int, Seat] = {}
        """By connection."""
        self._tokens: dict[str, Seat] = {}
        """Sessions of scripts, whose every command is another connection."""
        self._tries: dict[PersonId, Tries] = {}
        self._trying = asyncio.Lock()

    def handlers(self) -> dict[str, Handler]:
        """Return the table of calls. `people` and `login` are asked of a locked terminal too."""
        return {
            "people": self._people,
            "login": self._login,
            "logout": self._logout,
            "whoami": self._whoami,
            "may": self._may,
            "override": self._override,
            "attach": self._attach,
            "person_pin": self._set_pin,
            "draft_put": self._draft_put,
            "draft_list": self._draft_list,
            "draft_drop": self._draft_drop,
        }

    def seat(self, caller: Caller, said: object = None) -> Seat:
        """Return who writes over a connection.

        Args:
            said: Id of whom the terminal takes it to be, '' for nobody; else it does not say.

        Raises:
            InputError: `session_ended` when it is somebody else, as after the node's restart.
        """
        seat = self._seats.get(caller.number, UNKNOWN)
        here = str(seat.sitting.person) if seat.sitting else ""
        if isinstance(said, str) and said != here:
            raise InputError("session_ended")
        return seat

    def number(self, caller: Caller) -> int:
        """Return the session's number for the audit trail; 0 = nobody identified."""
        sitting = self._seats.get(caller.number, UNKNOWN).sitting
        return sitting.session[0] if sitting else 0

    def left(self, caller: Caller) -> None:
        """A connection ended, and its session with it."""
        self._seats.pop(caller.number, None)

    async def end(self, caller: Caller) -> None:
        """End the session of a connection, and have it known."""
        seat = self._seats.pop(caller.number, UNKNOWN)
        if seat.sitting is not None:
            await self._note(What.LOGOUT, seat.sitting)

    def greets(self, caller: Caller, node: Node, now: Now) -> tuple[str, str, int, bool]:
        """Return name and id of who is here, how many are enrolled, whether anything stops them."""
        seat = self._held(caller, node)
        there = persons.count(node.ledger)
        gated = any(
            practice.stopped(node.ledger, seat.sitting, kind.number, now.wall_ms)[1]
            and kind.number not in seat.overridden
            for kind in BY_NAME.values()
        )
        if seat.sitting is None:
            return "", "", there, gated
        profile = persons.profile_of(node.ledger, seat.sitting.person)
        person = str(seat.sitting.person)
        return profile.name if profile else person[:12], person, there, gated

    # Calls

    async def _people(self, caller: Caller, args: dict[str, Any]) -> object:
        found = await self._ask(
            lambda node, now: (
                persons.enrolled(node.ledger),
                max(now.wall_ms, node.ledger.trusted_ms),
            )
        )
        return [self._line(each, found[1]) for each in found[0]]

    async def _login(self, caller: Caller, args: dict[str, Any]) -> object:
        pin, passphrase = _secret(args, "pin"), _secret(args, "passphrase")
        sitting = await self._opened(_text(args, "person"), pin, passphrase)
        await self.end(caller)
        self._seats[caller.number] = Seat(sitting)
        self._unlocked(caller)
        await self._note(What.LOGIN, sitting)
        me: dict[str, Any] = msgspec.to_builtins(await self._ask(partial(_me, sitting)))
        if args.get("token"):
            me["token"] = await self._new_token(sitting)
        return me

    async def _new_token(self, sitting: Sitting) -> str:
        raw = await self._ask(lambda _, now: now.entropy(TOKEN_BYTES))
        token = "".join(CROCKFORD[byte & 31] for byte in raw)
        while len(self._tokens) >= TOKENS_MAX:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[token] = Seat(sitting)
        return token

    async def _attach(self, caller: Caller, args: dict[str, Any]) -> object:
        """Go on in the session that `login` gave a token for."""
        seat = self._tokens.get(_text(args, "token"))
        if seat is None:
            raise InputError("session_ended")
        self._seats[caller.number] = seat
        return True

    async def _logout(self, caller: Caller, args: dict[str, Any]) -> object:
        if "token" in args:
            seat = self._tokens.pop(_text(args, "token"), UNKNOWN)
            if seat.sitting is None:
                raise InputError("session_ended")
            await self._note(What.LOGOUT, seat.sitting)
            return True
        await self.end(caller)
        return True

    async def _whoami(self, caller: Caller, args: dict[str, Any]) -> object:
        return await self._ask(lambda node, now: _me(self._held(caller, node).sitting, node, now))

    async def _may(self, caller: Caller, args: dict[str, Any]) -> object:
        kinds = _kinds(args) or sorted(BY_NAME)

        def asked(node: Node, now: Now) -> list[Permission]:
            seat = self._held(caller, node)
            return [_permission(seat, name, node, now) for name in kinds]

        return await self._ask(asked)

    async def _override(self, caller: Caller, args: dict[str, Any]) -> object:
        """Have it written for all to see, then let it hold until the session ends."""
        kinds, reason = _kinds(args), _text(args, "reason")
        patient = str(args.get("patient") or "")

        def written(node: Node, now: Now) -> tuple[Seat, Sequence[Effect]]:
            seat = self._held(caller, node)
            if seat.sitting is None:
                raise InputError("session_ended")
            gates = [_gate(seat, name, node, now) for name in kinds]
            events = [
                practice.override(seat.sitting, gate.kind, reason, now.wall_ms, patient)
                for gate in gates
                if gate.overridable
            ]
            done = frozenset(gate.kind for gate in gates if gate.overridable)
            effects = node.audit(events, now) if events else _NONE
            return Seat(seat.sitting, seat.overridden | done), effects

        self._seats[caller.number] = await self._service.call(written)
        return True

    async def _set_pin(self, caller: Caller, args: dict[str, Any]) -> object:
        """Set a PIN; the passphrase says that it is theirs."""
        passphrase, pin = _text(args, "passphrase"), _text(args, "pin")
        enrolled, seed = await self._tried(_text(args, "person"), "", passphrase)
        secret, entropy = await self._ask(
            lambda node, now: (persons.pin_secret(node.ledger, now.entropy), now.entropy)
        )
        locked = await asyncio.to_thread(
            persons.lock_by_pin, secret, seed, pin, entropy, self._cost
        )
        await self._ask(lambda node, _: persons.keep_pin(node.ledger, enrolled.person, locked))
        await self._note(What.PASSPHRASE_CHANGED, enrolled.person)
        return True

    async def _draft_put(self, caller: Caller, args: dict[str, Any]) -> object:
        try:
            draft = msgspec.convert(dict(args), Draft)
        except msgspec.ValidationError:
            raise InputError("bad_line", field="args") from None

        def kept(node: Node, now: Now) -> None:
            _unless_erased(node, draft.patient)
            _keep_draft(node, msgspec.structs.replace(draft, person=self._id(caller, node)), now)

        await self._ask(kept)
        return True

    async def _draft_list(self, caller: Caller, args: dict[str, Any]) -> object:
        """Drafts of whoever is here; of nobody, and of who has left this device, everybody's."""

        def listed(node: Node, _: Now) -> list[Draft]:
            mine = self._id(caller, node)
            others = {str(each.person) for each in persons.enrolled(node.ledger)} - {mine}
            rows = node.ledger.store.all("SELECT fields FROM draft ORDER BY saved_ms DESC")
            drafts = [msgspec.json.decode(text, type=Draft) for (text,) in rows]
            return [draft for draft in drafts if draft.person not in others]

        return await self._ask(listed)

    async def _draft_drop(self, caller: Caller, args: dict[str, Any]) -> object:
        named = (_text(args, "form"), _text(args, "subject"))

        def dropped(node: Node, _: Now) -> None:
            with node.ledger.store.atomic():
                node.ledger.store.execute("DELETE FROM draft WHERE form = ? AND subject = ?", named)

        await self._ask(dropped)
        return True

    # Inside

    async def _opened(self, named: str, pin: str, passphrase: str) -> Sitting:
        enrolled, seed = await self._tried(named, pin, passphrase)

        def taken(node: Node, now: Now) -> tuple[Sitting, Sequence[Effect]]:
            sitting = sit_down(node.ledger, enrolled.person, seed, now.wall_ms)
            return sitting, node.wrote_control(now)

        return await self._service.call(taken)

    async def _tried(self, named: str, pin: str, passphrase: str) -> tuple[Enrolled, bytes]:
        """Open a person's key.

        Raises:
            InputError: `unknown_person`, `too_many_tries`, `no_pin`, `wrong_pin` or
                `wrong_person_passphrase`.
        """
        by_pin = bool(pin)
        async with self._trying:
            enrolled = await self._ask(lambda node, _: persons.one(node.ledger, named))
            tries = self._tries_of(enrolled)
            if wait_ms := tries.wait_ms(mono_ms()):
                raise InputError("too_many_tries", wait_s=-(-wait_ms // 1000))
            lock = await self._ask(
                lambda node, _: persons.begin_try(node.ledger, enrolled.person, by_pin=by_pin)
            )
            seed = await asyncio.to_thread(_try, lock, pin, passphrase)
            if seed is None:
                tries.wrong(mono_ms())
                await self._note(What.FAILED_LOGIN, enrolled.person)
                raise InputError("wrong_pin" if by_pin else "wrong_person_passphrase")
            tries.right()
            await self._ask(lambda node, _: persons.right(node.ledger, enrolled.person))
        return enrolled, seed

    def _tries_of(self, enrolled: Enrolled) -> Tries:
        held = self._tries.get(enrolled.person)
        if held is None:
            held = self._tries[enrolled.person] = Tries(enrolled.wrong, mono_ms())
        return held

    def _line(self, each: Enrolled, now_ms: int) -> PersonLine:
        profile = each.profile
        return PersonLine(
            number=each.number,
            id=str(each.person),
            name=profile.name if profile else "",
            profession=profile.profession if profile else "",
            pin=each.has_pin,
            certified=each.certified,
            wait_s=-(-self._tries_of(each).wait_ms(mono_ms()) // 1000),
            licence_ended=bool(profile and 0 < profile.licence_until_ms < now_ms),
        )

    def _held(self, caller: Caller, node: Node) -> Seat:
        """Return who is here; nobody, once the device has begun another epoch."""
        seat = self._seats.get(caller.number, UNKNOWN)
        if seat.sitting is not None and not still(node.ledger, seat.sitting):
            return UNKNOWN
        return seat

    def _id(self, caller: Caller, node: Node) -> str:
        sitting = self._held(caller, node).sitting
        return str(sitting.person) if sitting else ""

    async def _note(self, what: What, who: Sitting | PersonId) -> None:
        sitting = who if isinstance(who, Sitting) else None
        person = sitting.person if sitting else who
        assert isinstance(person, PersonId)

        def noted(node: Node, now: Now) -> tuple[None, Sequence[Effect]]:
            if sitting is not None and still(node.ledger, sitting):
                return None, node.note(Event(what, now.wall_ms, session=sitting.session[0]), now)
            held = node.ledger.authority.roster.certificates(DeviceId(person))
            name = bytes(held[0][0]) if held else b""
            return None, node.note(Event(what, now.wall_ms, Detail(person=name)), now)

        await self._service.call(noted)

    async def _ask(self, run: Callable[[Node, Now], Any]) -> Any:
        return await self._service.call(lambda node, now: (run(node, now), _NONE))


def _try(lock: Lock, pin: str, passphrase: str) -> bytes | None:
    return lock.by_pin(pin) if pin else lock.by_passphrase(passphrase)


def _gate(seat: Seat, name: str, node: Node, now: Now) -> practice.Gate:
    gate = practice.gate(node.ledger, seat.sitting, BY_NAME[name].number, now.wall_ms)
    over = gate.overridable and gate.kind in seat.overridden
    return practice.Gate(gate.kind, gate.standing) if over else gate


def _permission(seat: Seat, name: str, node: Node, now: Now) -> Permission:
    gate = _gate(seat, name, node, now)
    return Permission(name, gate.reason, gate.overridable, gate.who)


def _me(sitting: Sitting | None, node: Node, now: Now) -> Me:
    ledger = node.ledger
    authority, roster = ledger.authority, ledger.authority.roster
    device = roster.device(authority.device)
    here = roster.device(DeviceId(sitting.person)) if sitting else device
    profile = persons.profile_of(ledger, sitting.person) if sitting else None
    charter = roster.charter
    names = {role.number: role.name for role in charter.roles} if charter else {}
    me = Me(
        id=str(sitting.person) if sitting else "",
        name=profile.name if profile else "",
        device=str(authority.device),
        device_name=authority.name_of(authority.device),
        org=here.org if here else "",
        certificate_until_ms=here.not_after_ms if here else 0,
        roles=tuple(names.get(each, f"#{each}") for each in sorted(here.roles)) if here else (),
        may=tuple(_permission(Seat(sitting), name, node, now) for name in sorted(BY_NAME)),
    )
    if profile is None:
        return me
    return msgspec.structs.replace(
        me,
        profession=profile.profession,
        authority=profile.authority,
        licence=profile.licence,
        practice=profile.practice_text,
        licence_until_ms=profile.licence_until_ms,
        recognised_by=profile.recognised_by,
    )


def _unless_erased(node: Node, patient: str) -> None:
    """Refuse to keep text about somebody whom this book does not know any more.

    A device that learned of its own seal knows nobody, and still takes care down.

    Raises:
        InputError: `bad_id`, `not_found`.
    """
    if not patient or node.ledger.authority.keyring.closed:
        return
    named = bytes(PatientId.parse(patient))
    if node.ledger.store.one("SELECT 1 FROM subject WHERE id = ?", (named,)) is None:
        raise InputError("not_found", field="patient")


def _keep_draft(node: Node, draft: Draft, now: Now) -> None:
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


def _kinds(args: Mapping[str, Any]) -> list[str]:
    named = args.get("kinds", [])
    known = isinstance(named, list) and len(named) <= KINDS_MAX
    if not known or not all(name in BY_NAME for name in named):
        raise InputError("unknown_kind", field="args.kinds")
    return [str(name) for name in named]


def _secret(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name, "")
    if not isinstance(value, str) or len(value) > SECRET_CHARS_MAX:
        raise InputError("bad_line", field=f"args.{name}")
    return value


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or len(value) > SECRET_CHARS_MAX:
        raise InputError("bad_line", field=f"args.{name}")
    return value
