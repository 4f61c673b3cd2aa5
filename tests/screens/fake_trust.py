"""A node's answers about who belongs, for screens and pages: three organisations, one camp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.live.belonging import (
    Apart,
    ApartLine,
    Belonging,
    CoordinatorLine,
    ForkLine,
    KeptLine,
    LinkRefused,
    MemberLine,
    OrgLine,
    Quarantine,
    RefusedLine,
    ReviewDone,
    ReviewLine,
    ReviewPage,
    RosterLine,
    RosterPage,
    ScopeLine,
    ScopePeer,
    SealLine,
    SealLook,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
PRINT = "7Q2M-0ABC-DEFG-HJKM"
SPOKEN = (
    "Seven Quebec Two Mike, Zero Alfa Bravo Charlie, Delta Echo Foxtrot Golf,"
    " Hotel Juliett Kilo Mike"
)
LONG = "SVWX-SVWX-SVWX-SVWX"
LONG_SPOKEN = ", ".join(["Sierra Victor Whiskey Xray"] * 4)


def member(name: str, org: str = "Red Cross", **more: Any) -> RosterLine:
    """One member; what is not said is ordinary."""
    law = {"Red Cross": "CH", "Ministry of Health": "KE", "Japan Relief Team": "JP"}.get(org, "")
    said: dict[str, Any] = {
        "id": f"dev_{name.upper().replace(' ', '')[:8]:0<8}",
        "name": name,
        "org": org,
        "jurisdiction": law,
        "rank": "device",
        "roles": ("clinic",),
        "scopes": ("care", "counts"),
        "here": False,
        "not_after_ms": 0,
        "fingerprint": PRINT,
        "spoken": SPOKEN,
    }
    return RosterLine(**(said | more))


def roster(now_ms: int) -> list[RosterLine]:
    """An operation's devices and persons, each of another sort."""
    ministry, japan = "Ministry of Health", "Japan Relief Team"
    lost = SealLine("ent_LOST", "lost", now_ms - 3 * HOUR, 2)
    fewer = SealLine("ent_FEWER", "role_reduced", 0, 1)
    return [
        member(
            "nord-b", rank="coordinator", here=True, known_ms=now_ms, why_not="seal_rank",
            ask=("Root office",),
        ),
        member("nord-a", linked=True, last_ms=now_ms, known_ms=now_ms - 2 * MINUTE),
        member(
            "tablet 7", sealed="lost", seals=(lost,), last_ms=now_ms - 5 * HOUR,
            known_ms=now_ms - 4 * HOUR,
        ),
        member(
            "Amina Okoro", rank="person", roles=("nurse", "triage"), profession="nurse",
            not_after_ms=now_ms + 90 * 24 * HOUR, fingerprint=LONG, spoken=LONG_SPOKEN,
        ),
        member(
            "R. Amin", rank="person", roles=("triage",), profession="doctor", seals=(fewer,)
        ),
        member(
            "HQ Nairobi", ministry, rank="coordinator", roles=("clinic", "hq"),
            known_ms=now_ms - 40 * MINUTE, last_ms=now_ms - 41 * MINUTE, linked=True,
            why_not="seal_org", ask=("Issuer KE",),
        ),
        member(
            "", japan, id="dev_JAPAN000000000", known_ms=now_ms - 30 * HOUR, why_not="seal_org",
            ask=(), last_ms=now_ms - 30 * HOUR,
        ),
    ]  # fmt: skip


def belonging(now_ms: int) -> Belonging:
    """The same operation's organisations, coordinators and scopes."""
    orgs = tuple(
        OrgLine(
            name=name,
            jurisdiction=law,
            fingerprint=PRINT if at else LONG,
            spoken=SPOKEN if at else LONG_SPOKEN,
            ours=name == "Red Cross",
            devices=3 + at,
            persons=2 - at,
            sealed=1 if at == 2 else 0,
            control_ms=now_ms - (40 + 1000 * at) * MINUTE,
            known_ms=now_ms - 40 * at * MINUTE,
            last_ms=now_ms - 41 * MINUTE if at != 2 else 0,
        )
        for at, (name, law) in enumerate(
            (("Ministry of Health", "KE"), ("Japan Relief Team", "JP"), ("Red Cross", "CH"))
        )
    )
    peers = (
        ScopePeer("dev_A", "nord-a", "Red Cross", "CH", True, "reads"),
        ScopePeer("dev_B", "HQ Nairobi", "Ministry of Health", "KE", True, "reads"),
        ScopePeer("dev_J", "", "Japan Relief Team", "JP", False, "carries"),
        ScopePeer("dev_M", "truck 3", "Red Cross", "CH", True, "carries"),
    )
    home = tuple(
        msgspec.structs.replace(peer, gets="nothing" if peer.jurisdiction != "KE" else "reads")
        for peer in peers
    )
    return Belonging(
        operation="Delta response",
        fingerprint=PRINT,
        spoken=SPOKEN,
        orgs=orgs,
        coordinators=(
            CoordinatorLine("dev_C1", "HQ Nairobi", "Ministry of Health", "coordinator", False,
                            True, "", now_ms - 40 * MINUTE, now_ms - MINUTE, now_ms - 41 * MINUTE),
            CoordinatorLine("dev_C2", "Issuer KE", "Ministry of Health", "issuer", False, False,
                            "", 0, 0, 0),
            CoordinatorLine("dev_C3", "", "Japan Relief Team", "coordinator", False, False,
                            "compromised", now_ms - 50 * HOUR, now_ms - 30 * HOUR,
                            now_ms - 30 * HOUR),
            CoordinatorLine("dev_C4", "nord-b", "Red Cross", "coordinator", True, False, "",
                            now_ms - 3 * HOUR, now_ms, 0),
        ),
        scopes=(
            ScopeLine("scp_1", "care", "identified", (), True, ("clinic", "hq"), 9, True, True,
                      peers),
            ScopeLine("scp_2", "counts", "aggregate", ("CH", "JP", "KE"), True, (), 11, True, False,
                      peers),
            ScopeLine("scp_3", "care Kenya", "identified", ("KE",), False, ("clinic",), 2, False,
                      False, home),
            ScopeLine("scp_4", "children", "protection", ("CH", "KE"), False, ("case worker",), 1,
                      False, True, ()),
        ),
        control_ms=now_ms - 40 * MINUTE,
        control_from="HQ Nairobi",
        may_seal=True,
        sealed="",
    )  # fmt: skip


def apart(now_ms: int) -> Apart:
    """One of everything that is kept apart."""
    at = now_ms - 3 * HOUR
    kept: dict[str, Any] = {
        "reason": "lost",
        "device": "dev_TABLET7",
        "name": "tablet 7",
        "org": "Red Cross",
    }
    return Apart(
        kept=(
            KeptLine(seal="ent_LOST", feed="fed_1", lane=1, held=False, entries=12, first_ms=at,
                     since_ms=at, **kept),
            KeptLine(seal="ent_LOST", feed="fed_2", lane=2, held=True, entries=3,
                     first_ms=at + HOUR, since_ms=at, **kept),
            KeptLine(seal="ent_KE", reason="cloned", device="dev_KE2", name="KE tablet",
                     org="Ministry of Health", feed="fed_3", lane=2, held=False, entries=1,
                     first_ms=at, why_not="seal_org", ask=("HQ Nairobi", "Issuer KE")),
        ),
        seals=(RefusedLine("ent_BAD", "dev_J", "", "dev_A", "nord-a", "seal_org"),),
        authors=(
            ApartLine("dev_A", "nord-a", "Red Cross", "per_1", "Amina Okoro", 2, 4,
                      now_ms - 20 * MINUTE),
            ApartLine("dev_X", "dev_XXXXXXXX", "", "", "", 1, 61, now_ms - HOUR),
            ApartLine("dev_J", "jp-1", "Japan Relief Team", "", "", 5, 2, now_ms - 26 * HOUR),
        ),
        forks=(ForkLine("fed_9", "dev_TABLET7", "tablet 7", 1, 2, ""),),
        more=True,
    )  # fmt: skip


def hostile(text: str, now_ms: int) -> Trust:
    """The same operation, every name and word of it somebody else's."""
    seal = SealLine("ent_1", text, now_ms, 1)
    names: dict[str, Any] = {"name": text, "org": text}
    line = RosterLine(
        id="dev_1", jurisdiction=text, rank=text, roles=(text, text + "2"), scopes=(text,),
        here=False, not_after_ms=now_ms, seals=(seal,), profession=text, fingerprint=text,
        spoken=text, **names,
    )  # fmt: skip
    peers = tuple(
        ScopePeer(text, text, text, text, True, gets) for gets in ("reads", "carries", "nothing")
    )
    said = belonging(now_ms)
    return Trust(
        members=[
            line,
            msgspec.structs.replace(line, id=text, sealed=text, why_not=text, ask=(text,)),
        ],
        known=msgspec.structs.replace(
            said,
            operation=text,
            control_from=text,
            orgs=tuple(
                msgspec.structs.replace(
                    org, name=text, jurisdiction=text, fingerprint=text, spoken=text
                )
                for org in said.orgs
            ),
            coordinators=tuple(
                msgspec.structs.replace(one, rank=text, sealed=text, **names)
                for one in said.coordinators
            ),
            scopes=tuple(
                msgspec.structs.replace(
                    one, name=text, sensitivity=text, jurisdictions=(text,), readers=(text,),
                    peers=peers,
                )
                for one in said.scopes
            ),
        ),
        apart=Apart(
            kept=(
                KeptLine(seal="ent_1", reason=text, device=text, feed=text, lane=9, held=False,
                         entries=1, first_ms=now_ms, **names),
            ),
            seals=(RefusedLine("ent_2", text, text, text, text, text),),
            authors=(ApartLine(text, text, text, text, text, 2, 1, now_ms),),
            forks=(ForkLine(text, text, text, 1, 2, ""),),
            links=(LinkRefused(text, text, text, text, 2, now_ms),),
        ),
        reviews=ReviewPage(
            1,
            1,
            (
                ReviewLine(fact="fct_1.0", person=text, person_name=text, device=text,
                           device_name=text, subject="", patient="", code=text, kinds=(text,),
                           at_ms=now_ms, reason=text,
                           reviews=(ReviewDone(now_ms, text, text, text, text),)),
            ),
        ),
    )  # fmt: skip


def reviews(now_ms: int) -> ReviewPage:
    """Acts of one whose licence ended, two that wait and one that was looked at."""
    at = now_ms - 5 * HOUR
    said: dict[str, Any] = {
        "person": "per_2JUNCHO00000", "person_name": "Jun Cho", "device": "dev_A",
        "device_name": "nord-a", "subject": "00" * 16, "reason": "licence_ended",
    }  # fmt: skip
    who: dict[str, Any] = {"patient": "pat_00001", "code": "ACD EFH 001"}
    done = ReviewDone(now_ms - HOUR, "R. Amin", "HQ Nairobi", "corrected", "dose was by weight")
    return ReviewPage(
        3,
        2,
        (
            ReviewLine(fact="fct_r1.0", kinds=("note.add",), at_ms=at + HOUR, reviews=(), **who,
                       **said),
            ReviewLine(fact="fct_r2.0", kinds=("observation.record",), at_ms=at, reviews=(), **who,
                       **said),
            ReviewLine(fact="fct_r3.0", kinds=("site.register",), at_ms=at, reviews=(done,),
                       patient="", code="", **said),
        ),
    )  # fmt: skip


@dataclass
class Trust:
    """What one fake node knows."""

    members: list[RosterLine]
    known: Belonging
    apart: Apart
    sealed: list[dict[str, Any]] = field(default_factory=list)
    extended: list[tuple[str, int]] = field(default_factory=list)
    reviews: ReviewPage = field(default_factory=lambda: ReviewPage(0, 0, ()))
    reviewed: list[tuple[str, str, str]] = field(default_factory=list)


class TrustCalls:
    """The calls of `protocols/live/belonging.py`, for a fake node that has `now_ms`."""

    now_ms: int
    _trust: Trust | None = None

    @property
    def trust(self) -> Trust:
        if self._trust is None:
            self._trust = Trust(roster(self.now_ms), belonging(self.now_ms), apart(self.now_ms))
            self._trust.reviews = reviews(self.now_ms)
        return self._trust

    def _up(self) -> None:
        raise NotImplementedError

    async def belonging(self) -> Belonging:
        self._up()
        return self.trust.known

    async def roster(self, offset: int, limit: int, text: str = "") -> RosterPage:
        self._up()
        found = [each for each in self.trust.members if text.casefold() in each.name.casefold()]
        return RosterPage(len(found), offset, tuple(found[offset : offset + limit]))

    async def apart(self) -> Apart:
        self._up()
        return self.trust.apart

    async def seal_look(self, member: str, since_ms: int | None = None) -> SealLook:
        self._up()
        line = self._member(member)
        if line.rank == "person":
            return SealLook(line, 3, -1, -1, line.roles)
        return SealLook(line, 2, 131, 0 if since_ms is None else 12, line.roles)

    async def seal(
        self, member: str, reason: str, since_ms: int | None, roles: Sequence[str], note: str
    ) -> MemberLine:
        self._up()
        line = self._member(member)
        if line.why_not:
            raise InputError("may_not_seal", why=line.why_not)
        said = {"member": member, "reason": reason, "since_ms": since_ms}
        self.trust.sealed.append(said | {"roles": list(roles), "note": note})
        seal = SealLine("ent_NEW", reason, since_ms or 0, 2)
        sealed = "" if roles else reason
        done = msgspec.structs.replace(line, sealed=sealed, seals=(*line.seals, seal))
        self.trust.members = [done if each is line else each for each in self.trust.members]
        return done

    async def unseal(self, seal: str, entries: int) -> Quarantine:
        self._up()
        held = self.trust.apart
        if sum(each.entries for each in held.kept if each.seal == seal) != entries:
            raise InputError("kept_more", field="entries")
        self.trust.extended.append((seal, entries))
        kept = tuple(each for each in held.kept if each.seal != seal)
        self.trust.apart = msgspec.structs.replace(held, kept=kept)
        return Quarantine(kept, held.seals)

    async def review_page(self) -> ReviewPage:
        self._up()
        return self.trust.reviews

    async def review_done(self, fact: str, outcome: str, note: str) -> None:
        self._up()
        held = self.trust.reviews
        if all(each.fact != fact for each in held.lines):
            raise InputError("not_for_review", field="fact")
        self.trust.reviewed.append((fact, outcome, note))
        done = ReviewDone(self.now_ms, "Amina Okoro", "nord-b", outcome, note)
        lines = [
            msgspec.structs.replace(each, reviews=(*each.reviews, done))
            if each.fact == fact
            else each
            for each in held.lines
        ]
        lines.sort(key=lambda each: bool(each.reviews))
        waits = sum(not each.reviews for each in lines)
        self.trust.reviews = ReviewPage(len(lines), waits, tuple(lines))

    def _member(self, member: str) -> RosterLine:
        for each in self.trust.members:
            if member in (each.id, each.name):
                return each
        raise InputError("unknown_member")
