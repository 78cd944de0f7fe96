"""Real hosts under every condition: what is reproducible is found so, and what is not is placed by the numbers."""

from __future__ import annotations

import os
import textwrap
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from services.worker.certify.certificate import Certificate, CertificateEntry
from services.worker.certify.conditions import LOADED, Conditions
from services.worker.certify.issuing import Occasion, issued
from services.worker.certify.items import Selection, built_in, job_of, used
from services.worker.certify.tiers import Tier
from services.worker.engine_host import HOST, EngineHost
from services.worker.engines.base import Snapshot
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.catalog import Manifest
from shared.errors import JobFailure
from shared.sandbox.access import Access
from shared.suites.reading import golden_suite
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.worker.engines import checkpoints
from tests.worker.families import family_folder

TRANSFORMERS = "services.worker.engines.transformers.family:Transformers"
MOODY = """
    import os, struct, time
    from pathlib import Path
    from shared.audio import Audio
    from shared.catalog import Manifest, Support
    from services.worker.engines.base import EngineError

    def tone(period, seconds=0.6, level=8000):
        wave = [level if at % period < period // 2 else -level for at in range(round(16000 * seconds))]
        return Audio(struct.pack(f"<{len(wave)}h", *wave), 16000)

    class Engine:
        calls = 0
        def __init__(self, pin):
            self.pin = pin
        def manifest(self):
            return Manifest(self.pin, "moody", "1", "", 16000, ("en",), "en", (), {}, (), max_batch=2)
        def load(self):
            with Path(__file__).with_name(self.pin).open("a+") as loads:
                loads.write("one more")
            self.beside = self.pin == "moody-slow" and os.path.getsize(loads.name) > 3 * len("one more")
        def speak(self, request):
            self.calls += 1
            if self.beside:
                time.sleep(30)
            if self.pin == "moody-crash" and self.calls > 1:
                os._exit(7)
            if self.pin == "moody-mute":
                raise EngineError("not a word")
            if self.pin == "moody-picky" and "bus" in request.text:
                raise EngineError("no buses here")
            return tone(100 + (10 * self.calls if self.pin == "moody-warm" else 0))
        def speak_batch(self, requests):
            return [tone(100 + 40 * at) if self.pin == "moody-batch" else tone(100) for at, _ in enumerate(requests)]

    class Family:
        name = "moody"
        def pins(self):
            return [f"moody-{what}" for what in "warm picky crash batch even mute slow".split()]
        def build(self, pin):
            return Engine(pin)
"""


@dataclass
class Moody:
    """Hosts of the family above."""

    path: Path

    def start(self, pin: str) -> EngineHost:
        path = os.pathsep.join(filter(None, (str(self.path), os.environ.get("PYTHONPATH"))))
        env, access = {**os.environ, "PYTHONPATH": path}, Access(write=(self.path,))  # where it remembers how often
        return EngineHost(pin, (*HOST, "--family", "moody:Family"), env, access=access)


@dataclass
class Tiny:
    """Hosts of a tiny checkpoint."""

    snapshot: Snapshot

    def start(self, pin: str) -> EngineHost:
        argv = (*HOST, "--family", TRANSFORMERS)
        return EngineHost(pin, argv, {**os.environ, "OMP_NUM_THREADS": "1"}, snapshot=self.snapshot)


def manifest_of(hosts: ServedPins | Moody | Tiny, pin: str) -> Manifest:
    host = hosts.start(pin)
    try:
        return host.manifest(60)
    finally:
        host.close()


def few(manifest: Manifest, items: int = 3) -> Selection:
    chosen = built_in(manifest)
    return replace(chosen, items=chosen.items[:items])


def certified(
    hosts: ServedPins | Moody | Tiny, manifest: Manifest, selection: Selection, at_once: int = 2
) -> Certificate:
    jobs = [job_of(item, manifest, 7) for item in selection.items]
    runs = Conditions(hosts, manifest, 2, at_once, lambda *_: None).run(jobs)
    occasion = Occasion("2025-01-31T12:00:00Z", "here", manifest, {}, 7)
    return issued(occasion, selection, {job.id: used(job.input) for job in jobs}, runs)


def tiers(entry: CertificateEntry) -> dict[str, Tier | None]:
    return {name: of.difference.tier if of.difference else None for name, of in entry.conditions.items()}


@pytest.fixture(scope="module")
def moody(tmp_path_factory: pytest.TempPathFactory) -> Moody:
    return Moody(family_folder(tmp_path_factory.mktemp("moody"), "moody", textwrap.dedent(MOODY)))


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    root = tmp_path_factory.mktemp("vits")
    content = checkpoints.files(checkpoints.vits(root / "checkpoint"))
    lock = locked("tiny-vits", content, NOWHERE, engine="transformers", options={"max_batch": 3})
    model_stores = ModelStores(root / "model stores")
    pull(model_stores.store, lock, content)
    return Tiny(CatalogPins(model_stores.store, model_stores.lock_file).snapshot(lock))


def test_espeak_is_equal_to_the_sample_across_processes_and_load() -> None:
    served_pins = ServedPins(["espeak-v2"])
    manifest = served_pins.manifest("espeak-v2")
    assert manifest is not None
    made = certified(served_pins, manifest, few(manifest), at_once=3)
    assert made.tier is Tier.EQUAL
    for entry in made.entries:
        assert tiers(entry) == {"warm": Tier.EQUAL, "new_process": Tier.EQUAL, "loaded": Tier.EQUAL}
        assert len(entry.conditions["warm"].pcm_sha256) == 2
        assert entry.timings["first_response_s"] > 0
        assert entry.timings["peak_rss_mb"] > 1


def test_a_text_of_several_pieces_is_joined_as_a_worker_does_and_first_heard_after_the_first() -> None:
    served_pins = ServedPins(["espeak-v2"])
    manifest = served_pins.manifest("espeak-v2")
    assert manifest is not None
    suite = golden_suite("golden-long")
    english = tuple(item for item in suite.items if item.language == "en" and len(item.text) > manifest.max_piece_chars)
    made = certified(served_pins, manifest, Selection(suite, english[:1], {}), at_once=1)
    (entry,) = made.entries
    assert made.tier is Tier.EQUAL
    assert entry.timings["first_response_warm_s"] < entry.timings["steady_s"]
    assert made.skipped["loaded"] == "only one host at a time was requested"


def test_vits_in_batches_is_placed_by_the_numbers_and_all_else_is_equal(vits: Tiny) -> None:
    manifest = manifest_of(vits, "tiny-vits")
    made = certified(vits, manifest, few(manifest, items=2))
    for entry in made.entries:
        found = entry.conditions["batched"].difference
        assert found is not None
        assert found.tier > Tier.EQUAL
        assert found.first_sample is not None
        equal = {name: tier for name, tier in tiers(entry).items() if name != "batched"}
        assert set(equal.values()) == {Tier.EQUAL}
    assert made.tier == max(tiers(entry)["batched"] or Tier.EQUAL for entry in made.entries)


def test_an_engine_that_changes_with_every_call_is_caught_warm(moody: Moody) -> None:
    manifest = manifest_of(moody, "moody-warm")
    made = certified(moody, manifest, few(manifest))
    assert made.tier is Tier.DIFFERENT
    assert tiers(made.entries[0])["warm"] is Tier.DIFFERENT
    assert len(set(made.entries[0].conditions["warm"].pcm_sha256)) == 2


def test_only_the_first_clip_of_a_batch_is_the_items_own(moody: Moody) -> None:
    manifest = manifest_of(moody, "moody-batch")
    made = certified(moody, manifest, few(manifest))
    assert made.tier is Tier.EQUAL


def test_one_item_alone_is_batched_beside_itself(moody: Moody) -> None:
    manifest = manifest_of(moody, "moody-even")
    made = certified(moody, manifest, few(manifest, items=1))
    assert tiers(made.entries[0])["batched"] is Tier.EQUAL


def test_an_item_that_is_not_spoken_is_named_and_the_rest_goes_on(moody: Moody) -> None:
    manifest = manifest_of(moody, "moody-picky")
    suite = golden_suite("golden-en-emotion")
    items = tuple(replace(item, emotion=None) for item in suite.items[:3])
    made = certified(moody, manifest, Selection(suite, items, {}))
    assert dict(made.unspoken) == {"neutral-2": "engine_error: no buses here"}
    assert [entry.id for entry in made.entries] == ["neutral-1", "neutral-3"]
    assert made.tier is None


def test_a_host_that_dies_warm_leaves_a_failure_and_no_verdict(moody: Moody) -> None:
    manifest = manifest_of(moody, "moody-crash")
    made = certified(moody, manifest, few(manifest, items=1))
    failure = made.entries[0].conditions["warm"].failure
    assert failure is not None
    assert failure.startswith("engine_crashed")
    assert made.tier is None


def test_giving_up_under_load_does_not_wait_for_what_the_others_speak(moody: Moody) -> None:
    manifest = manifest_of(moody, "moody-slow")  # its fourth host, the first that speaks beside another, takes 30 s
    given_up: list[float] = []

    def give_up(condition: str, *_: int) -> None:
        if condition == LOADED:
            given_up.append(time.monotonic())
            raise KeyboardInterrupt

    job = job_of(few(manifest).items[0], manifest, 7)
    with pytest.raises(KeyboardInterrupt):
        Conditions(moody, manifest, 1, 2, give_up).run([job])
    assert time.monotonic() - given_up[0] < 10


def test_a_pin_that_speaks_nothing_has_no_certificate(moody: Moody) -> None:
    manifest = manifest_of(moody, "moody-mute")
    with pytest.raises(JobFailure, match="not a word"):
        certified(moody, manifest, few(manifest, items=2))
