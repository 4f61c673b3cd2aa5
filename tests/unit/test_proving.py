"""Proofs of vaccination between nodes: printed on one, checked and taken over on another."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import admitting, immunization
from protocols.ledger.audit import Asked, lines
from protocols.ledger.sealing import SealOrder
from protocols.live import paper, papers, proving
from protocols.live.proof import PaperDoses, PrintedProof
from protocols.records import proof_bytes
from protocols.trust.audit import What
from protocols.trust.control import SealReason
from protocols.trust.granting import Wish
from protocols.trust.paper import TEXT_CHARS_MAX
from tests.unit import people
from tests.unit.founders import SHARED, TWO_LAWS
from tests.unit.stage import WALL_MS, Device, Stage, agree, camp, line, linked, patient
from tests.unit.test_protection import WORD, told
from tests.unit.test_release import two_orgs

BORN = "2025-05-10"
TODAY = WALL_MS // 86_400_000
NAME = "Zebulon"
WHO = {"birth_date": BORN, "sex": "female", "tags": ["KM-20931"]}


def given(stage: Stage, device: Device, whom: str, **data: Any) -> str:
    """Record a dose, whatever has to be confirmed."""
    more = {key: data.pop(key) for key in ("source", "at", "by") if key in data}
    said = line("dose.record", {"vaccine": "mr", "lot": "MR-0172B", **data}, patient=whom, **more)
    (answer,) = stage.write(device, said)
    if answer.error == "confirm_needed":
        (answer,) = stage.write(device, said | {"confirm": [answer.confirm]})
    assert answer.ok, answer
    return answer.id or ""


def begun() -> tuple[Stage, Device, Device, str, str]:
    """Two members; at the second a child who had three doses, one of them elsewhere."""
    stage, (ann, ben) = linked("ann", "ben")
    (registered,) = stage.write(ben, patient(NAME, **WHO))
    whom = registered.patient or ""
    given(stage, ben, whom, vaccine="penta", dose=1, lot="PE-1", source="paper", at="2025-07-01",
          place="Tala clinic")  # fmt: skip
    given(stage, ben, whom, vaccine="mr", dose=1, body_site="left-arm", by="Amina Okoro")
    given(stage, ben, whom, vaccine="bopv", lot="OP-7", status="refused")
    stage.run(5_000)
    assert agree(ann, ben)
    return stage, ann, ben, whom, registered.code or ""


def printed(stage: Stage, device: Device, code: str, **more: object) -> PrintedProof:
    found, effects = proving.printed(device.node, stage.now(device), {"patient": code, **more})
    stage.carry(device, effects)
    return found


def taken(stage: Stage, device: Device, text: str, whom: str, **more: object) -> PaperDoses:
    asked = {"text": text, "patient": whom, **more}
    found, effects = proving.taken(device.node, stage.now(device), asked)
    stage.carry(device, effects)
    return found


def read(stage: Stage, device: Device, text: str) -> paper.PaperRead:
    return papers.read(device.node, stage.now(device), {"text": text})


def newest(device: Device) -> tuple[str, int]:
    line = next(iter(lines(device.ledger, Asked(what=frozenset({int(What.PRINT)})))))
    assert line.detail is not None
    return line.detail.reason, len(line.detail.document)


def test_a_proof_of_one_node_is_checked_and_read_on_another() -> None:
    stage, ann, ben, _, code = begun()
    made = printed(stage, ben, code)
    assert len(made.text) <= TEXT_CHARS_MAX

    found = read(stage, ann, made.text)

    assert (found.worth, found.device, found.kind) == (paper.HOLDS, "ben", 2)
    assert found.proof == made.said
    assert found.said is None
    said = made.said
    assert (said.code, said.name, said.tag, said.born) == (code, NAME, "KM-20931", BORN)
    assert (said.schedule, said.approved, said.left_out) == ("schedule-routine 1", False, 0)
    old, new = said.doses
    assert (old.vaccine, old.cvx, old.dose, old.lot, old.place, old.told) == (
        *("penta", "198", 1, "PE-1"),
        *("Tala clinic", True),
    )
    assert old.org == "", "nobody of ours stands for what another card says"
    assert (new.vaccine, new.lot, new.by, new.org) == ("mr", "MR-0172B", "Amina Okoro", "Test")
    assert (new.body_site, new.counts, new.told) == ("left-arm", 1, False)
    assert found.names["mr"]["fr"] == "Rougeole-rubéole"
    assert found.patient, "the child is known here too"


def test_what_is_printed_stands_in_the_trail_first_and_a_card_too() -> None:
    stage, _, ben, _, code = begun()
    printed(stage, ben, code)
    assert newest(ben) == ("vaccination", 32)
    card = printed(stage, ben, code, sheet="card")
    assert newest(ben) == ("card", 0)
    assert card.text == ""
    assert card.next_day
    assert [one.number for one in card.coming if one.day and one.day <= card.next_day]


def test_errors_doubles_and_what_was_not_given_are_left_out() -> None:
    stage, _, ben, whom, code = begun()
    wrong = given(stage, ben, whom, vaccine="bopv", lot="OP-9")
    stage.write(ben, line("entry.retract", {"fact": wrong}, reason="another child"))
    assert [dose.vaccine for dose in printed(stage, ben, code).said.doses] == ["penta", "mr"]


def test_what_changed_is_forged_and_a_strangers_paper_shows_nothing() -> None:
    stage, ann, ben, _, code = begun()
    text = printed(stage, ben, code).text
    at = len(text) // 2
    changed = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
    forged = read(stage, ann, changed)
    away, (eve, _) = linked("eve", "joe")
    (registered,) = away.write(eve, patient("Elsewhere"))
    strange = read(stage, ann, printed(away, eve, registered.code or "").text)

    assert (forged.worth, forged.proof) == (paper.FORGED, None)
    assert (strange.worth, strange.proof) == (paper.UNKNOWN, None)
    for one in (changed, printed(away, eve, registered.code or "").text):
        with pytest.raises(InputError, match="paper_not_taken"):
            taken(stage, ann, one, "x")


def test_the_paper_of_a_device_sealed_since_is_doubtful_and_not_taken_over() -> None:
    stage, ann, ben, whom, code = begun()
    text = printed(stage, ben, code).text
    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))

    assert read(stage, ann, text).worth == paper.SEALED
    with pytest.raises(InputError, match="paper_not_taken"):
        taken(stage, ann, text, whom)


def test_a_node_of_another_organisation_checks_it_and_takes_the_doses_once() -> None:
    stage, ke, _, jp = two_orgs(TWO_LAWS)
    (registered,) = stage.write(ke, patient(NAME, **WHO))
    whom = registered.patient or ""
    given(stage, ke, whom, vaccine="penta", dose=1, lot="PE-1", at="2025-07-01", by="Amina Okoro")
    given(stage, ke, whom, vaccine="mr", dose=1, body_site="left-arm")
    stage.run(3_000)
    text = printed(stage, ke, registered.code or "").text

    found = read(stage, jp, text)
    assert (found.worth, found.org, found.patient) == (paper.HOLDS, "Kenya", "")

    (here,) = stage.write(jp, patient("Zebulon Ann", birth_date=BORN, sex="male"))
    mine = here.patient or ""
    given(stage, jp, mine, vaccine="mr", dose=1)
    before = jp.ledger.chain.last_arrival
    plan = taken(stage, jp, text, mine)
    assert jp.ledger.chain.last_arrival == before, "asking writes nothing down"
    assert [(one.dose.vaccine, one.state) for one in plan.doses] == [
        ("penta", "new"),
        ("mr", "here"),
    ]
    assert plan.differs == ("sex",)
    (one,) = plan.lines
    answers = stage.write(jp, *plan.lines)
    assert all(each.ok for each in answers), answers

    told = [row for _, row in immunization.doses_of(jp.ledger, [_raw(mine)])]
    assert [(row.vaccine, row.dose, row.lot, row.elsewhere) for row in told] == [
        ("penta", 1, "PE-1", 1),
        ("mr", 1, "MR-0172B", 0),
    ]
    assert told[0].place == "Kenya"
    assert told[0].day == plan.doses[0].dose.day
    assert (one["source"], one["by"], one["at"]) == ("paper", "Amina Okoro", "2025-07-01")
    assert "(Kenya)" in one["reason"]
    assert found.certificate[:16].upper() in one["reason"]
    again = taken(stage, jp, text, mine)
    assert [dose.state for dose in again.doses] == ["here", "here"]
    assert again.lines == ()
    ours = printed(stage, jp, here.code or "").said
    assert [(dose.told, dose.place, dose.org) for dose in ours.doses] == [
        (True, "Kenya", ""),
        (False, "", "Japan"),
    ]


def test_doses_that_differ_or_have_no_day_or_no_name_here_are_left_to_a_person() -> None:
    from msgspec.structs import replace

    from protocols.ledger.proofs import compare
    from protocols.records.proof import Proof, ProofDose

    stage, _, ben, whom, _ = begun()
    said = Proof(
        "X",
        doses=(
            ProofDose("mr", "04", 1, 20_400, "OTHER"),
            ProofDose("bcg", "19", 1, None, "B-1"),
            ProofDose("home-grown", "", 1, 20_300),
            ProofDose("their-pcv", "152", 2, 20_300, "PC-1"),
            ProofDose("yellow-fever", "37", 9, 20_300, "YF-1"),
            ProofDose("mr", "213", 1, 20_500),
            ProofDose("measles", "05", 1, 20_500),
            ProofDose("tcv", "190", 1, 19_000),
            ProofDose("tcv", "190", 1, TODAY + 1),
        ),
    )
    found = compare(ben.ledger, PatientId.parse(whom), said, TODAY)
    assert [(one.state, one.vaccine, one.number) for one in found] == [
        ("differs", "mr", 1),
        ("undated", "bcg", 1),
        ("unknown", "", None),
        ("new", "pcv", 2),
        ("new", "yellow-fever", None),
        ("unknown", "", None),
        ("differs", "measles", 1),
        ("impossible", "tcv", 1),
        ("impossible", "tcv", 1),
    ]
    twice = replace(said, doses=(said.doses[3], said.doses[3]))
    assert [one.state for one in compare(ben.ledger, PatientId.parse(whom), twice, TODAY)] == [
        "new",
        "here",
    ]


def test_another_teams_child_is_printed_only_with_a_reason_that_the_trail_keeps() -> None:
    stage, ke, _, jp = two_orgs(SHARED)
    (registered,) = stage.write(ke, patient(NAME, **WHO))
    stage.run(3_000)
    with pytest.raises(InputError, match="other_team"):
        printed(stage, jp, registered.code or "")
    assert printed(stage, jp, registered.code or "", reason="came to our clinic").text


def test_nobody_there_is_refused_and_nothing_is_written_down() -> None:
    stage, _, ben, _, code = begun()
    before = ben.ledger.chain.last_arrival
    with pytest.raises(InputError, match="not_found"):
        printed(stage, ben, "333-333-33X")
    with pytest.raises(InputError, match="bad_line"):
        printed(stage, ben, code, sheet="poster")
    assert ben.ledger.chain.last_arrival == before


def _raw(whom: str) -> bytes:
    return bytes(PatientId.parse(whom))


def test_the_paper_of_a_certificate_that_is_over_says_so_and_its_doses_can_be_taken() -> None:
    stage, devices = Stage(), camp(("hq", "tent"), hq=True)
    hq, tent = devices
    brief = Device.found("brief")
    binding = b"b" * 32
    request = admitting.request_to_join(brief.ledger, binding, brief.chance.randbytes)
    wish = Wish("device", not_after_ms=WALL_MS + 60_000)
    grant = admitting.admit(hq.ledger, request, hq.chance.randbytes, WALL_MS, wish=wish)
    admitting.join(brief.ledger, grant, WALL_MS)
    brief.restarted()
    for each in (tent, brief):
        stage.link(hq, each)
    stage.run(5_000)
    (registered,) = stage.write(brief, patient(NAME, **WHO))
    given(stage, brief, registered.patient or "", vaccine="mr", dose=1, at="2026-09-01")
    text = printed(stage, brief, registered.code or "").text
    stage.run(5_000)
    assert read(stage, tent, text).worth == paper.HOLDS

    stage.run(30 * 60_000)
    stage.write(tent, patient("Later"))
    stage.run(30_000)

    assert tent.ledger.trusted_ms > WALL_MS + 60_000
    found = read(stage, tent, text)
    assert found.worth == paper.ENDED
    assert found.proof is not None
    (other,) = stage.write(tent, patient("Another", birth_date=BORN, sex="female"))
    assert len(taken(stage, tent, text, other.patient or "").lines) == 1


def test_a_person_of_two_records_has_the_doses_of_both_and_a_doubled_one_once() -> None:
    stage, (ann, ben) = Stage(), camp(("ann", "ben"))
    (one,) = stage.write(ann, patient(NAME, **WHO))
    (two,) = stage.write(ben, patient(NAME, birth_date=BORN, sex="female"))
    given(stage, ann, one.patient or "", vaccine="mr", dose=1, lot="MR-A")
    given(stage, ben, two.patient or "", vaccine="mr", dose=1, lot="MR-B")
    given(stage, ben, two.patient or "", vaccine="penta", dose=1, lot="PE-B")
    stage.link(ann, ben)
    stage.run(5_000)
    link = {"other": two.patient, "relation": "same"}
    (answer,) = stage.write(ann, line("patient.link", link, patient=one.patient))
    assert answer.ok
    stage.run(5_000)

    for device in (ann, ben):
        for who in (one, two):
            said = printed(stage, device, who.code or "").said
            assert sorted(dose.vaccine for dose in said.doses) == ["mr", "penta"], "one mr counts"


def test_whoever_is_signed_in_is_named_as_its_writer() -> None:
    ann, *_ = people.camp()
    people.enrol(ann)
    sitting = people.sit(ann)
    registered = people.write(ann, sitting, patient(NAME, **WHO))[0]
    stage = people.synced(ann)
    asked = {"patient": registered.code}
    seat = sitting.session[0]
    made, _ = proving.printed(ann.node, stage.now(ann), asked, session=seat)
    assert made.said.written_by == "Amina Okoro"


def test_nothing_of_the_protection_scope_is_on_a_proof_or_a_card() -> None:
    stage, ann, _, _, code, _ = told()
    given(stage, ann, _id_of(ann, code), vaccine="mr", dose=1)
    for sheet in ("vaccination", "card"):
        shown = repr(printed(stage, ann, code, sheet=sheet))
        for word in (WORD, "unaccompanied", "concern"):
            assert word not in shown
    made = printed(stage, ann, code)
    assert WORD.encode() not in msgspec.msgpack.encode(proof_bytes._packed(made.said))


def _id_of(device: Device, code: str) -> str:
    (raw,) = device.store.one("SELECT id FROM patient WHERE code = ?", (code,)) or (b"",)
    return str(PatientId(raw))
