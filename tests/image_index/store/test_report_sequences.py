"""Random sequences of what may befall an index, against a model that is too simple to be wrong."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.image_index.store.embedded.store import EmbeddedStore
from services.image_index.store.reports import ReportTarget
from tests.image_index.store.conftest import WEIGHTS, made_image, made_report
from tests.image_index.store.test_reports import evidence

REMOVED_AT = 30_000  # in the model, between the days that are before and after whenever this is run
NUMBERS = ["a" * 16, "b" * 16]
KEYS = [*NUMBERS, f"{NUMBERS[0]}.{'c' * 16}", f"{NUMBERS[0]}.{'d' * 16}"]

images = st.sampled_from(["i1", "i2", "i3", "i4"])
studies = st.sampled_from(["1.1", "1.2"])
targets = st.one_of(
    st.builds(ReportTarget, st.just("image"), images),
    st.builds(ReportTarget, st.just("study"), studies),
    st.builds(ReportTarget, st.just("accession"), st.sampled_from(KEYS)),
)
values = st.sampled_from([-2.0, 1.0, 3.0])
reports = st.tuples(values, st.sampled_from([1, 2, 3, 40_000]), st.booleans())
steps = st.one_of(
    st.tuples(
        st.just("put"),
        images,
        st.tuples(st.none() | studies, st.none() | st.sampled_from(KEYS), st.sampled_from(["one", "other"])),
        st.none() | reports,
        st.booleans(),
    ),
    st.tuples(st.just("report"), targets, reports, st.booleans()),
    st.tuples(st.just("delete"), images),
    st.tuples(st.just("remove"), targets.filter(lambda target: target.kind != "accession")),
)


@dataclass
class Model:
    images: dict[str, tuple[str | None, str | None, str]] = field(default_factory=dict)  # study, accession, content
    reports: dict[ReportTarget, Any] = field(default_factory=dict)  # (value, day, given), or None where one was removed
    removed: dict[ReportTarget, int] = field(default_factory=dict)  # on which day

    def put(self, image_id: str, image: tuple[str | None, str | None, str], report: Any, replace: bool) -> None:
        study, key, content = image
        own = ReportTarget("image", image_id)
        there = self.images.get(image_id)
        if there and not replace and there[2] != content:
            return
        if report and self.reports.get(own, ()) is None and not replace and not self.is_later(own, report):
            return
        if not there or replace:
            self.images[image_id] = image
            if there and there[0] != study:
                self.forget_if_empty(there[0])
            for waiting in [key.partition(".")[0], key] if key else []:
                kept = self.reports.pop(ReportTarget("accession", waiting), None)
                if kept:
                    self.report(ReportTarget("study", study) if study else own, kept, replace=False)
        if report:
            self.report(own, report, replace)

    def report(self, target: ReportTarget, report: Any, replace: bool) -> None:
        if target.kind == "accession":
            found = {
                ReportTarget("study", study) if study else ReportTarget("image", name)
                for name, (study, key, _content) in self.images.items()
                if key == target.key or (key and key.partition(".")[0] == target.key)
            }
            if len(found) > 1:
                return
            target = found.pop() if found else target
        value, day, is_given = report
        kept = self.reports.get(target, ())
        if kept is None:
            taken = replace or self.is_later(target, report)
        elif kept:
            is_same = value == kept[0] and (day == kept[1] or not is_given)
            taken = not is_same and (replace or day >= kept[1])
        else:
            taken = True
        if taken:
            self.reports[target] = report

    def delete(self, image_id: str) -> None:
        if image_id not in self.images:
            return
        study, _key, _content = self.images.pop(image_id)
        self.reports.pop(ReportTarget("image", image_id), None)
        self.forget_if_empty(study)

    def forget_if_empty(self, study: str | None) -> None:
        if study and all(other != study for other, *_ in self.images.values()):
            self.reports.pop(ReportTarget("study", study), None)

    def remove(self, target: ReportTarget) -> None:
        if self.reports.get(target):
            self.removed[target] = max(REMOVED_AT, self.reports[target][1])
            self.reports[target] = None

    def is_later(self, target: ReportTarget, report: Any) -> bool:
        return bool(report[2] and report[1] > self.removed[target])

    def evidence(self) -> dict[str, float | None]:
        known: dict[str, float | None] = {}
        for name, (study, _key, _content) in self.images.items():
            both = [self.reports.get(ReportTarget("study", study or "")), self.reports.get(ReportTarget("image", name))]
            last = max((report for report in both if report), key=lambda report: report[1], default=None)
            if both[1] and last and both[1][1] == last[1]:
                last = both[1]
            known[name] = last[0] if last else None
        return known


def apply(store: EmbeddedStore, step: tuple[Any, ...]) -> None:
    kind, *rest = step
    if kind == "put":
        image_id, (study, key, content), report, replace = rest
        new = made_report(report[0], report[1], given=report[2]) if report else None
        image = made_image(
            image_id, content=f"{image_id} {content}", report=new, study_instance_uid=study, accession_key=key
        )
        store.put([image], replace=replace)
    elif kind == "report":
        target, (value, day, is_given), replace = rest
        store.put_reports([(target, made_report(value, day, given=is_given))], replace=replace)
    elif kind == "delete":
        store.delete(rest[0])
    else:
        store.delete_report(rest[0])


@given(sequence=st.lists(steps, max_size=25))
@settings(max_examples=80, deadline=None)
def test_whatever_happens_images_are_known_by_what_the_rules_say(sequence: list[tuple[Any, ...]]) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        with EmbeddedStore(Path(folder) / "index", WEIGHTS) as store:
            for step in sequence:
                apply(store, step)
                kind, *rest = step
                getattr(model, kind)(*rest)
                assert evidence(store) == model.evidence(), step
            checksum, counts = store.checksum(), store.describe()
        with EmbeddedStore(Path(folder) / "index", WEIGHTS) as again:
            assert (again.checksum(), again.describe()) == (checksum, counts)
            assert evidence(again) == model.evidence()


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_order_of_images_and_reports_changes_nothing_in_the_end(data: st.DataObject) -> None:
    shown = [("i1", "1.1", NUMBERS[0]), ("i2", "1.1", None), ("i3", "1.2", KEYS[3]), ("i4", None, NUMBERS[1])]
    puts: list[tuple[Any, ...]] = [("put", name, (study, key, "one"), None, False) for name, study, key in shown]
    named = data.draw(st.lists(st.tuples(targets, values), min_size=1, max_size=8))
    named = [(target, value) for target, value in named if target.key not in (NUMBERS[0], KEYS[2])]
    told = [("report", target, (value, day, True), False) for day, (target, value) in enumerate(named)]
    ends = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder, EmbeddedStore(Path(folder) / "index", WEIGHTS) as store:
            for step in data.draw(st.permutations([*puts, *told])):
                apply(store, step)
            ends.append(evidence(store))

    assert ends[0] == ends[1]
