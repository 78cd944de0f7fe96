"""A certificate as a file: it comes back as it went, and what is none is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.worker.certify.certificate import Certificate, CertifyOutcome
from services.worker.certify.reading import CertificateInvalid, read_certificate
from services.worker.certify.tiers import Tier, difference
from tests.worker.certify.clips_apart import certificate, clip, vowels

VOICE = clip(vowels())


def written(folder: Path, document: object) -> Path:
    path = folder / "certificate.json"
    path.write_text(json.dumps(document))
    return path


def under(conditions: dict[str, CertifyOutcome]) -> Certificate:
    made = certificate(VOICE)
    return replace(made, entries=(replace(made.entries[0], conditions=conditions),))


def test_it_comes_back_with_its_samples(tmp_path: Path) -> None:
    back = read_certificate(written(tmp_path, certificate(VOICE).to_json()))
    assert back.entries[0].clip.pcm == VOICE.pcm
    assert back.to_json() == certificate(VOICE).to_json()


def test_it_comes_back_without_samples_where_they_were_not_kept(tmp_path: Path) -> None:
    document = certificate(VOICE).without_audio().to_json()
    back = read_certificate(written(tmp_path, document))
    assert back.entries[0].clip.pcm is None
    assert difference(back.entries[0].clip, VOICE).tier is Tier.EQUAL


def test_conditions_come_back(tmp_path: Path) -> None:
    apart = difference(VOICE, clip(vowels(seed=3)))
    made = under(
        {
            "warm": CertifyOutcome((VOICE.pcm_sha256,), apart),
            "loaded": CertifyOutcome(failure="out_of_memory: too much"),
        }
    )
    back = read_certificate(written(tmp_path, made.to_json()))
    assert back.entries[0].conditions == made.entries[0].conditions


def test_the_tier_is_that_of_the_worst_condition() -> None:
    same, other = difference(VOICE, VOICE), difference(VOICE, clip(vowels(seed=3)))
    assert under({"warm": CertifyOutcome(("",), same)}).tier is Tier.EQUAL
    assert (
        under({"warm": CertifyOutcome(("",), same), "batched": CertifyOutcome(("",), other)}).tier
        is other.tier
        is Tier.DIFFERENT
    )


def test_what_was_not_spoken_leaves_no_verdict() -> None:
    assert under({"warm": CertifyOutcome(failure="engine_crashed: gone")}).tier is None
    assert certificate(VOICE, unspoken={"item-9": "engine_error: why"}).tier is None


def _without(*path: str | int) -> Callable[[Any], None]:
    def spoil(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return spoil


def _set(value: object, *path: str | int) -> Callable[[Any], None]:
    def spoil(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return spoil


WARM = ("items", 0, "conditions", "warm")
SPOILT = {
    "another object": (_set("job", "object"), "is not a certificate"),
    "a later schema": (_set(2, "schema"), "has another format"),
    "another fingerprint": (_set("log-mel-9", "fingerprint"), "has another format"),
    "no items": (_without("items"), "not a complete certificate"),
    "items that are none": (_set([1], "items"), "not a valid certificate"),
    "no pin": (_without("manifest", "pin"), "not a complete certificate"),
    "a spoilt fingerprint": (_set("?", "items", 0, "fingerprint"), "not a valid certificate"),
    "spoilt audio": (_set("eJw=", "items", 0, "pcm"), "the audio"),
    "other audio": (_set("0" * 64, "items", 0, "pcm_sha256"), "the audio does not have the pcm_sha256"),
    "a tier that there is not": (_set(9, *WARM, "tier"), "tier must be a whole number in its range (found 9)"),
    "a distance that is none": (
        _set("far", *WARM, "log_mel_db"),
        "log_mel_db must be a number in its range (found 'far')",
    ),
    "a failure without a word": (_set(None, *WARM, "failure"), "failure must be a text (found None)"),
    "a hash that is none": (_set("abc", "items", 0, "pcm_sha256"), "must be a SHA-256 (found 'abc')"),
    "a time before it began": (_set(-1, "items", 0, "timings", "rtf"), "rtf must be a number in its range (found -1)"),
    "a time beyond all numbers": (_set(10**400, "items", 0, "timings", "rtf"), "rtf is too large"),
    "samples beyond all numbers": (_set(10**400, "items", 0, "samples"), "the fingerprint does not belong to"),
    "samples that are no number": (
        _set(True, "items", 0, "samples"),
        "samples must be a whole number in its range (found True)",
    ),
    "samples of another clip": (_set(500, "items", 0, "samples"), "the fingerprint does not belong to 500 samples"),
    "a rate at which nothing is heard": (
        _set(1, "items", 0, "sample_rate"),
        "sample_rate must be a whole number in its range (found 1)",
    ),
    "a number of languages": (_set(3, "manifest", "languages"), "languages must be a list (found 3)"),
    "voices that are no names": (_set([{}], "manifest", "voices"), "voices must be a text (found {})"),
    "a library without a version": (_set({"numpy": [2]}, "environment", "libraries"), "libraries/numpy"),
    "an item that was and was not spoken": (_set({"item-0": "why"}, "unspoken"), "item-0 appears twice"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_spoilt_certificate_is_refused(tmp_path: Path, what: str) -> None:
    spoil, said = SPOILT[what]
    apart = difference(VOICE, clip(vowels(seed=3)))
    document = json.loads(json.dumps(under({"warm": CertifyOutcome((VOICE.pcm_sha256,), apart)}).to_json()))
    spoil(document)
    with pytest.raises(CertificateInvalid, match=re.escape(said)):
        read_certificate(written(tmp_path, document))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused_wherever_it_stands(tmp_path: Path, number: str) -> None:
    path = written(tmp_path, {**certificate(VOICE).to_json(), "environment": {"speed": 12345.5}})
    path.write_text(path.read_text().replace("12345.5", number))
    with pytest.raises(CertificateInvalid, match=f"{number} is not a number"):
        read_certificate(path)


def test_a_certificate_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, certificate(VOICE).to_json())
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CertificateInvalid, match="is not JSON"):
        read_certificate(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"1"])
def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(content)
    with pytest.raises(CertificateInvalid):
        read_certificate(path)
