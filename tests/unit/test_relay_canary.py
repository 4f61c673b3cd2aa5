"""A relay carries what it cannot read: everything it has, hears and says shows no patient text."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlcipher3

from protocols.ids import ScopeId
from protocols.mesh.effects import Notice
from protocols.trust.certificates import Rank
from tests.unit.camps import CARE, RELAY_ROLE, Camp, know, new_key, overheard, refused
from tests.unit.stage import Device, Stage, line, note, patient

NAME, TEXT, TAG, PLACE = "Quillonara", "wordthatnobodysays", "ZQ-77431", "Vexborough"


def told_all(device: Device, stage: Stage) -> str:
    """Write a patient down in every way there is; return the code."""
    code = stage.write(
        device,
        patient(NAME, family_name=NAME * 2, village=PLACE, phone="+25479912345"),
    )[0].code
    assert code
    answers = stage.write(
        device,
        line("triage.record", {"category": "red", "tag": TAG, "problem": TEXT}, patient=code),
        note(code, TEXT),
        line("encounter.open", {"problem": TEXT, "bed": PLACE}, patient=code),
    )
    assert all(answer.ok for answer in answers), [(a.error, a.field) for a in answers]
    return code


def disk(device: Device, folder: Path) -> bytes:
    """Every byte of a device's database, decrypted under its own key, free pages and all."""
    plain = sqlcipher3.connect(str(folder / f"{device.name}.db"))
    device.node.stop()
    device.store.copy_to(plain)
    plain.close()
    return b"".join(path.read_bytes() for path in sorted(folder.glob(f"{device.name}.db*")))


def canaries(code: str) -> list[bytes]:
    """The planted words as they might lie somewhere: as they are, in lower case, and two bytes
    a letter."""
    words = [NAME, TEXT, TAG, PLACE, code, "79912345"]
    shapes = [shape for word in words for shape in (word, word.lower(), word.upper())]
    return [shape.encode(kind) for shape in shapes for kind in ("utf-8", "utf-16-le", "utf-16-be")]


def found(haystack: bytes, code: str) -> list[bytes]:
    return [canary for canary in canaries(code) if canary in haystack]


@pytest.fixture
def carried() -> tuple[Stage, list[Device], list[bytes], str]:
    """Ann and Ben are of one organisation and only ever meet through another's relay."""
    camp = Camp(CARE)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
    ben, relay = camp.device("ben", "japan"), camp.device("relay", "mules", roles=(RELAY_ROLE,))
    know(ann, ben, relay)
    new_key(ann, ScopeId(CARE.id))
    stage = Stage()
    said = [*map(overheard, (ann, ben, relay))]
    stage.link(relay, ann)
    stage.run(1_000)
    code = told_all(ann, stage)
    stage.run(2_000)
    stage.cut(relay, ann)
    stage.link(relay, ben)
    stage.run(20_000)
    stage.write(ben, note(code, f"{TEXT} by ben"))
    stage.run(2_000)
    stage.cut(relay, ben)
    stage.link(relay, ann)
    stage.run(20_000)
    return stage, [ann, ben, relay], [frame for each in said for _, frame in each], code


def test_what_a_relay_holds_hears_and_says_shows_no_patient_text(
    carried: tuple[Stage, list[Device], list[bytes], str], tmp_path
):
    _, (ann, ben, relay), frames, code = carried
    assert ann.care == ben.care
    assert ann.store.one("SELECT count(*) FROM note") == (2,)

    # The search finds what there is to be found: a reader's own disk.
    assert {found(disk(ben, tmp_path), code)[0]} == {NAME.encode()}
    assert len(found(disk(ann, tmp_path), code)) >= 5

    logged = repr([(n.code, dict(n.values)) for n in relay.notices if isinstance(n, Notice)])
    assert found(disk(relay, tmp_path), code) == []
    assert found(b"".join(frames), code) == []
    assert found(b"".join(relay.sent), code) == [] and found(logged.encode(), code) == []


def test_a_relay_holds_all_forwards_all_and_reads_nothing(
    carried: tuple[Stage, list[Device], list[bytes], str],
):
    _, (ann, ben, relay), _, _ = carried
    relay.ledger.catch_up_all()
    held = {e for (e,) in relay.store.all("SELECT hash FROM entry WHERE kind = 0")}
    assert held == {e for (e,) in ann.store.all("SELECT hash FROM entry WHERE kind = 0")}
    reasons = relay.store.all("SELECT void, reason, count(*) FROM unopened GROUP BY 1, 2")
    assert reasons == [(0, "key", len(held))]
    assert relay.store.one("SELECT count(*) FROM subject") == (0,)
    assert dict(relay.ledger.authority.keyring.keys) == {}
    assert refused(relay, patient("Nobody")) in ("no_key", "no_scope")
