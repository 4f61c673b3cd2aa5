"""Calls of the local socket about packs: which are known, which is in use, and signing one."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.canonical import PACK_BYTES_MAX, head_of
from protocols.ids import DeviceId
from protocols.ledger import packs
from protocols.ledger.practice import standing_now
from protocols.live.guidance import PackInUse, PackLine, PackPage, PackUser
from protocols.live.members import Doer, Reader, listed
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.kinds import KindNo
from protocols.records.rows import iso
from protocols.trust.standing import Standing

NO_DEVICE = ("person", "root")
"""Ranks of members that work by no pack."""


def listing(node: Node, now: Now, args: Mapping[str, Any]) -> list[PackLine]:
    """`packs`: every version of every pack, with who works by it."""
    ledger = node.ledger
    known = packs.held(ledger)
    used = packs.uses(ledger)
    first: dict[str, bytes] = {}
    for pack in known:
        if pack.usable:
            first.setdefault(pack.name, pack.digest)
    found = []
    for pack in known:
        chosen = first.get(pack.name) == pack.digest
        users = tuple(
            PackUser(
                str(DeviceId(use.device)),
                ledger.authority.name_of(DeviceId(use.device)),
                iso(use.at_ms),
            )
            for use in used
            if use.name == pack.name and _is_used(pack, use)
        )
        why = "" if chosen else _why_not(pack)
        found.append(
            PackLine(
                pack.name,
                pack.version,
                pack.title,
                pack.digest.hex(),
                pack.org,
                pack.status,
                pack.shipped,
                chosen,
                why,
                pack.approved,
                pack.approved_by,
                iso(pack.at_ms) if pack.at_ms else None,
                users,
                _source(pack),
            )
        )
    return found


def page(node: Node, now: Now, args: Mapping[str, Any]) -> PackPage:
    """Return every version with who works by it, and the devices that nobody knows it of."""
    ledger = node.ledger
    used = packs.uses(ledger)
    said = {str(DeviceId(use.device)) for use in used}
    elsewhere = tuple(
        PackUser(
            str(DeviceId(use.device)),
            ledger.authority.name_of(DeviceId(use.device)),
            iso(use.at_ms),
        )
        for use in used
        if use.name == packs.SOFTWARE
    )
    silent = tuple(
        PackUser(each.id, each.name, None)
        for each in listed(node)
        if each.rank not in NO_DEVICE and not each.sealed and each.id not in said
    )
    return PackPage(tuple(listing(node, now, args)), elsewhere, silent)


def _source(pack: packs.HeldPack) -> str:
    return clean_text(head_of(pack.text).source) if pack.readable else ""


def _is_used(pack: packs.HeldPack, use: packs.Use) -> bool:
    if use.digest:
        return use.digest == pack.digest
    return pack.shipped and use.version == pack.version


def _why_not(pack: packs.HeldPack) -> str:
    if not pack.readable:
        return "faults"
    return "older" if pack.counts else "signature"


def in_use(node: Node, now: Now, args: Mapping[str, Any]) -> PackInUse:
    """Return what a terminal needs to work by a pack.

    Raises:
        InputError: `unknown_pack`.
    """
    found = packs.in_use(node.ledger, str(args.get("pack")))
    if found is None:
        raise InputError("unknown_pack", field="pack")
    return PackInUse(found.name, found.version, found.text, found.org, found.approved_by)


def unsaid(node: Node, now: Now, args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`pack_unsaid`: lines for `record` that say what this node works by, where it has not.

    What came with the software is said in one line, once there is anybody to tell.
    """
    wanted: list[dict[str, Any]] = [
        {
            "name": pack.name,
            "version": pack.version,
            "digest": None if pack.shipped else pack.digest.hex(),
        }
        for pack in packs.unsaid(node.ledger)
    ]
    others = len(node.ledger.authority.roster.members()) > 1
    if others and (known := packs.unsaid_set(node.ledger)):
        wanted.append({"name": packs.SOFTWARE, "version": known})
    return [
        {
            "v": 1,
            "kind": "pack.use",
            "key": f"pack-use-{now.entropy(8).hex()}",
            "data": each,
        }
        for each in wanted
    ]


def sign(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """`pack_sign`: the statement of this device's organisation over the pack `text`, base64.

    Raises:
        InputError: `may_not_sign_pack`, `pack_faults`, `too_long`.
    """
    whole = args.get("text")
    if not isinstance(whole, str) or len(whole) > PACK_BYTES_MAX:
        raise InputError("too_long", field="text", limit=PACK_BYTES_MAX)
    return base64.b64encode(packs.sign(node.ledger, whole)).decode(), ()


def say_uses(node: Node, now: Now) -> tuple[int, list[Effect]]:
    """Record what this node works by and has not said; return of how many packs.

    Where the role of the device may not say so, nothing is written.
    """
    if standing_now(node.ledger, None, KindNo.PACK_USE) is not Standing.STANDS:
        return 0, []
    lines = unsaid(node, now, {})
    _, effects = node.record(lines, now)
    return len(lines), effects


READS: dict[str, Reader] = {"packs": listing, "pack_in_use": in_use, "pack_unsaid": unsaid}
DEEDS: dict[str, Doer] = {"pack_sign": sign}
