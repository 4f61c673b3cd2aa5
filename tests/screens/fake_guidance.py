"""Guidelines of a node in memory: the shipped packs, versions beside them, steps."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.ages import of_shown
from protocols.guidelines.guideline import SHIPPED, Guideline, read_guideline
from protocols.guidelines.questions import Person
from protocols.guidelines.running import offers
from protocols.live.guidance import (
    GuidelineLine,
    GuidelineList,
    GuidelineSheet,
    GuidelineVersion,
    PackInUse,
    PackLine,
    PackUser,
    ReadingTold,
    StepTold,
    WeightTold,
)

ROOM = files("protocols.guidelines") / "packs"


@cache
def text_of(name: str) -> str:
    return (ROOM / f"{name}.toml").read_text("utf-8")


@cache
def read(text: str) -> Guideline:
    return read_guideline(text)


@cache
def version_of(name: str, **changes: Any) -> GuidelineVersion:
    form = read(changes.get("text") or text_of(name))
    kept: dict[str, Any] = {
        "version": form.pack.version, "digest": "0f" * 32, "org": "", "status": form.pack.status,
        "source": form.pack.source, "approved_by": "", "text": text_of(name),
    }  # fmt: skip
    return GuidelineVersion(**kept | changes)


def newer(name: str, version: str, **changes: Any) -> GuidelineVersion:
    text = text_of(name).replace('version = "1"', f'version = "{version}"', 1)
    digest = version.replace(".", "").rjust(64, "a")
    return version_of(name, text=text, version=version, digest=digest, **changes)


class GuidanceCalls:
    """The calls about guidelines and packs."""

    now_ms: int
    patients: dict[str, Any]

    def begin_guidance(self) -> None:
        self.versions: dict[str, list[GuidelineVersion]] = {
            name: [version_of(name)] for name in SHIPPED
        }
        self.weights: dict[str, WeightTold] = {}
        self.readings: dict[str, tuple[ReadingTold, ...]] = {}
        self.courses: dict[tuple[str, str], list[tuple[int, StepTold]]] = {}
        """By patient and guideline: course and step."""
        self.packs_here: list[PackLine] = shipped_packs()
        self.in_use: dict[str, PackInUse] = {}
        """Packs of which another version is in use than the shipped one."""

    def _up(self) -> None:
        raise NotImplementedError

    def _course(self, patient: str, name: str) -> tuple[int, tuple[StepTold, ...]]:
        told = self.courses.get((patient, name), [])
        number = max((course for course, _ in told), default=0)
        return number, tuple(step for course, step in told if course == number)

    async def guidelines(self, patient: str) -> GuidelineList:
        self._up()
        head = self.patients[patient].head
        person = Person(of_shown(head.age), {1: False, 3: True}.get(head.sex))
        lines = []
        for name, versions in self.versions.items():
            first = versions[0]
            form = read(first.text)
            _, steps = self._course(patient, name)
            begun = steps[0].at_ms if steps else None
            lines.append(
                GuidelineLine(
                    name, form.guideline.words, first.version, first.status, first.source,
                    first.org, first.approved_by, offers(form, person), len(versions) - 1, begun,
                    len(steps),
                )
            )  # fmt: skip
        lines.sort(key=lambda each: (each.begun_ms is None, not each.offered))
        return GuidelineList(tuple(lines))

    async def guideline(self, patient: str, guideline: str) -> GuidelineSheet:
        self._up()
        if guideline not in self.versions:
            raise InputError("unknown_pack", field="guideline")
        number, steps = self._course(patient, guideline)
        return GuidelineSheet(
            guideline, tuple(self.versions[guideline]),
            self.weights.get(patient, WeightTold()), self.readings.get(patient, ()), number,
            steps[0].at_ms if steps else None, steps,
        )  # fmt: skip

    async def packs(self) -> list[PackLine]:
        self._up()
        return self.packs_here

    async def pack_in_use(self, pack: str) -> PackInUse:
        self._up()
        if not (ROOM / f"{pack}.toml").is_file():
            raise InputError("unknown_pack", field="pack")
        return self.in_use.get(pack) or PackInUse(pack, "1", text_of(pack), "", "")

    def take_step(self, patient: str, line: dict[str, Any], fact: str) -> None:
        data = line["data"]
        if line["kind"] != "guideline.step":
            return
        step = StepTold(
            fact, data["did"], data.get("step", ""), self.now_ms, "R. Amin", data["version"],
            data["digest"], line.get("reason", ""), "; ".join(data["amounts"]),
            data.get("result", ""), data["answers"],
        )  # fmt: skip
        self.courses.setdefault((patient, data["name"]), []).append((data["course"], step))

    def drop_step(self, fact: str) -> None:
        for key, told in self.courses.items():
            self.courses[key] = [one for one in told if one[1].fact != fact]


@cache
def shipped_names() -> list[str]:
    return sorted(path.name.removesuffix(".toml") for path in ROOM.iterdir()
                  if path.name.endswith(".toml"))  # fmt: skip


def shipped_packs(**more: Any) -> list[PackLine]:
    mine = (PackUser("dev_0FAKE", "nord-b", None),)
    return [
        PackLine(name, "1", f"Title of {name}", "0f" * 32, "", "memory", True, True, "", False, "",
                 None, mine, "Somewhere, table 3")
        for name in shipped_names()
    ]  # fmt: skip


def guided(node: GuidanceCalls, patient: str = "pat_00004") -> None:
    """Let two people have begun plan C apart, in two versions, with weights in conflict."""
    minute = 60_000
    node.versions["cholera-c"] = [
        newer("cholera-c", "2", org="MoH", approved_by="Dr. Silva, clinical lead"),
        version_of("cholera-c"),
    ]
    answers: dict[str, str | int | None] = {
        "age_group": "5-y-up", "wasted": 0, "oedema": "none", "weight": "54",
    }  # fmt: skip
    told = [
        StepTold("fct_g1.0", "done", "first", node.now_ms - 40 * minute, "A. Silva", "1",
                 amounts="30 × 54 = 1 620 mL", answers=answers),
        StepTold("fct_g2.0", "done", "first", node.now_ms - 38 * minute, "R. Amin", "2",
                 answers=answers | {"radial_weak": 0}),
        StepTold("fct_g3.0", "skipped", "ors", node.now_ms - 20 * minute, "R. Amin", "2",
                 reason="out of stock", answers=answers | {"radial_weak": 0}),
        StepTold("fct_g4.0", "done", "ors", node.now_ms - 19 * minute, "A. Silva", "2",
                 answers=answers),
    ]  # fmt: skip
    node.courses[patient, "cholera-c"] = [(0, each) for each in told]
    node.weights[patient] = WeightTold(sides=("54 kg", "46 kg weight-estimated"))


def published_packs() -> list[PackLine]:
    """Return packs of which one has three versions, and one cannot be worked by."""
    lead = "Dr. Silva, clinical lead"
    others = tuple(PackUser(f"dev_{n}", f"tent-{n}", None) for n in range(8))
    title, source = "Plan C: severe dehydration", "National manual of 2026, chapter 4"
    return [
        PackLine("cholera-c", "2", title, "a2", "MoH", "verified", False, True, "", True, lead,
                 "2026-05-01T00:00:00Z", others, source),
        PackLine("cholera-c", "3", title, "a3", "Red Cross", "verified", False, False, "signature",
                 False, "", "2026-05-02T00:00:00Z", (), source),
        PackLine("cholera-c", "1", title, "a1", "", "memory", True, False, "older", False, "", None,
                 (PackUser("dev_9", "tent-9", None),), source),
        PackLine("fever", "1", "Fever", "b1", "Red Star", "memory", False, False, "faults", False,
                 "", "2026-05-03T00:00:00Z"),
        *shipped_packs()[3:],
    ]  # fmt: skip
