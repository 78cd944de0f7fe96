"""What stands in a report, and what it is made of."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.result import SetupDifference
from services.scorer.report.document import Report, report
from services.scorer.report.pairing import by_loss, paired
from services.scorer.report.sounds import mp3
from shared.audio import Audio
from shared.readings.pronunciation import Pronunciation
from shared.scores import HeardReading, Score
from tests.scorer.report.sample import HOSTILE, RATE, Sample, Sounds, evaluation, glide, hostile, sample


def test_the_same_comparison_is_the_same_bytes(made: Sample, reported: Report) -> None:
    again = sample()
    assert report(again.comparison, again.baseline, again.candidate, again.sounds, again.gate) == reported


def test_with_a_gate_its_verdict_is_on_top(made: Sample, reported: Report) -> None:
    top = reported.html.decode().partition("<nav")[0]
    assert f'<span class="chip {made.gate.verdict}">{made.gate.verdict}</span>' in top
    assert made.gate.headline.removeprefix(f"{made.gate.verdict}: ") in top


def test_without_a_gate_the_headline_of_the_comparison_is(made: Sample) -> None:
    text = report(made.comparison, made.baseline, made.candidate, Sounds()).html.decode()
    assert f'<p class="verdict">{made.comparison.headline}</p>' in text
    assert 'id="gate"' not in text


def test_what_was_insisted_on_is_said_before_anything_else(made: Sample) -> None:
    allowed = SetupDifference("environment", "x86_64", "NVIDIA H100", blocks=True, allowed=True)
    comparison = replace(made.comparison, disagreements=(allowed,))
    text = report(comparison, made.baseline, made.candidate, Sounds()).html.decode()
    assert "<b>environment</b>: x86_64 against NVIDIA H100" in text.partition("<nav")[0]


def test_it_names_locks_licences_environments_and_hashes(made: Sample, reported: Report) -> None:
    text = reported.html.decode()
    wanted = [made.baseline.lock_sha256, made.candidate.lock_sha256, made.baseline.licence, made.candidate.licence]
    wanted += [made.comparison.suite_sha256, *made.comparison.scorer_locks.values(), "0123456789abcdef"]
    wanted += [clip.pcm_sha256 for clip in made.candidate.clips if clip.pcm_sha256]
    assert [one for one in wanted if one not in text] == []


def test_an_item_says_which_reading_each_recogniser_heard(made: Sample) -> None:
    first = replace(made.baseline.suite.items[0], pronunciation=Pronunciation("阳光", ("洋光",), ("<央光>",)))
    suite = replace(made.baseline.suite, items=(first, *made.baseline.suite.items[1:]))

    def judged(evaluation: Evaluated, verdict: str, reading: str) -> Evaluated:
        heard = (HeardReading("whisper", reading, verdict == "right", 3.5),)
        score = {f"pronunciation/{verdict}": Score(1.0, "1", "b1" * 32, readings=heard)}
        clips = [
            replace(clip, scores={**clip.scores, **score}) if clip.item == first.id else clip
            for clip in evaluation.clips
        ]
        return replace(evaluation, clips=tuple(clips), suite=suite)

    baseline, candidate = judged(made.baseline, "right", "洋光"), judged(made.candidate, "wrong", "<央光>")
    text = report(made.comparison, baseline, candidate, Sounds()).html.decode()
    said = "baseline <b>right: 洋光 (whisper, by 3.5)</b> · candidate <b>wrong: &lt;央光&gt; (whisper, by 3.5)</b>"
    assert text.count(f"阳光 was heard as · {said}") == 1
    assert text.count(" was heard as") == 1


def test_every_seed_of_every_item_is_in_the_details(made: Sample, reported: Report) -> None:
    text = reported.html.decode()
    assert [clip.job_id for clip in (*made.baseline.clips, *made.candidate.clips) if clip.job_id not in text] == []


def test_the_items_and_seeds_that_were_insisted_on_are_paired_as_the_comparison_pairs_them(made: Sample) -> None:
    """The candidate spoke other seeds, and another text under the name of the third item: that one is in no figure."""
    shifted = [replace(clip, seed=clip.seed + 7) for clip in made.candidate.clips]
    first, second, third, *rest = made.candidate.suite.items
    suite = replace(made.candidate.suite, items=(first, second, replace(third, text="Something else."), *rest))
    candidate = replace(made.candidate, clips=tuple(shifted), seeds=(7, 8), suite=suite)
    comparison = compare("cmp_allowed", made.baseline, candidate, allow=("seeds", "suite"))
    row = comparison.row("mos/nisqa_tts")
    items = paired(made.baseline, candidate)
    means = [both for one in items if (both := one.means("mos/nisqa_tts")) is not None]
    assert row is not None
    assert (len(items), len(means)) == (comparison.items, row.n) == (34, 32)
    assert row.difference is not None
    assert np.mean([after - before for before, after in means]) == pytest.approx(row.difference.estimate)
    text = report(comparison, made.baseline, candidate, made.sounds).html.decode()
    assert "seed 0 against 7 (heard above)" in text
    assert "Something else." not in text


def test_coverage_is_nothing_that_a_clip_has_or_that_items_stand_by(reported: Report) -> None:
    items = reported.html.decode().partition('id="items-list"')[2].partition("</ol>")[0]
    assert "coverage/" not in items.replace("<wbr>", "")


def test_what_was_left_out_is_counted_by_reason(reported: Report) -> None:
    table = reported.html.decode().partition('id="unscored"')[2].partition("</table>")[0]
    assert "2 no speech, 2 not spoken" in table
    assert "70 language not covered" in table


def test_one_pair_per_item_is_asked_for_and_embedded(made: Sample) -> None:
    sounds = replace(made.sounds, asked=[])
    text = report(made.comparison, made.baseline, made.candidate, sounds).html.decode()
    assert len(sounds.asked) == len(set(sounds.asked)) == 69  # 35 pairs, one of them without its candidate
    assert text.count("data:audio/mpeg;base64,") == 69


def test_a_full_page_keeps_the_items_that_lost_most(made: Sample) -> None:
    text = report(made.comparison, made.baseline, made.candidate, made.sounds, most_bytes=200_000).html.decode()
    cards = text.split('<li class="item"')[1:]
    audible = ["data:audio/mpeg" in card for card in cards]
    first_left_out = audible.index(False)
    assert 0 < sum(audible) == first_left_out < 35
    assert "left out: the page would be too large" in cards[first_left_out]
    assert f"{first_left_out} of 35 items can be heard here" in text


def test_sound_that_is_gone_costs_its_player_only(made: Sample) -> None:
    text = report(made.comparison, made.baseline, made.candidate, Sounds()).html.decode()
    assert "<audio" not in text
    assert "the audio is no longer kept" in text


def test_the_copy_is_as_long_as_the_clip_at_a_rate_that_mp3_has() -> None:
    for rate, coded in ((RATE, RATE), (20_000, 22_050), (96_000, 48_000)):
        samples, heard_at = soundfile.read(io.BytesIO(mp3(glide(180, 1.5, rate))))
        assert (heard_at, len(samples) / heard_at) == (coded, pytest.approx(1.5, abs=0.15))


def test_a_clip_without_a_sample_is_no_clip(made: Sample) -> None:
    text = report(made.comparison, made.baseline, made.candidate, lambda _, rate: Audio(b"", rate)).html.decode()
    assert "<audio" not in text


def test_the_largest_loss_comes_first_and_the_unscored_before_it(made: Sample) -> None:
    row = made.comparison.row("asr/cer_whisper")
    assert row is not None
    items = by_loss(paired(made.baseline, made.candidate), row)
    losses = [means[1] - means[0] for one in items[2:] if (means := one.means(row.metric)) is not None]
    assert [one.item.id for one in items[:2]] == ["neutral-5", "angry-2"]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == row.n


def test_a_sentence_that_only_the_candidate_can_be_scored_on_is_a_gain_and_one_that_neither_can_comes_last(
    made: Sample,
) -> None:
    row = made.comparison.row("mos/nisqa_tts")
    assert row is not None
    first, second = (item.id for item in made.baseline.suite.items[:2])

    def without(side: Evaluated, *items: str) -> Evaluated:
        clips = (replace(clip, scores={}) if clip.item in items else clip for clip in side.clips)
        return replace(side, clips=tuple(clips))

    items = by_loss(paired(without(made.baseline, first, second), without(made.candidate, second)), row)
    assert [one.item.id for one in items[-2:]] == [first, second]
    assert [one.can_be_judged(row.metric) for one in items[-2:]] == [True, False]


def test_the_items_are_those_that_the_row_counts(made: Sample) -> None:
    row = made.comparison.row("mos/nisqa_tts")
    assert row is not None
    assert row.difference is not None
    both = [one.means(row.metric) for one in paired(made.baseline, made.candidate)]
    differences = [means[1] - means[0] for means in both if means is not None]
    assert sum(differences) / len(differences) == pytest.approx(row.difference.estimate)


def test_every_plot_is_a_file_of_its_own_with_words_on_white(reported: Report) -> None:
    for name, svg in reported.plots.items():
        root = ET.fromstring(svg)
        words = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
        assert root.tag == "{http://www.w3.org/2000/svg}svg", name
        assert len(words) > 5, name
        assert b"var(--" not in svg, name
        assert b"#fefefe" in svg, name


def test_the_plots_are_those_that_the_page_shows(reported: Report) -> None:
    shown = re.findall(r'<figure aria-label="([\w.-]+)"', reported.html.decode())
    assert {f"{name}.svg" for name in shown} | {"f0.svg"} == set(reported.plots)


def test_nothing_that_was_scored_on_both_sides_still_is_a_report(made: Sample) -> None:
    silent = [replace(clip, scores={}) for clip in made.candidate.clips]
    candidate = replace(made.candidate, clips=tuple(silent))
    comparison = compare("cmp_silent", made.baseline, candidate)
    told = report(comparison, made.baseline, candidate, made.sounds)
    assert "not measured" in told.html.decode()


def test_a_suite_without_emotions_has_no_charts_by_emotion(made: Sample) -> None:
    items = tuple(replace(item, emotion=None) for item in made.baseline.suite.items)
    suite = replace(made.baseline.suite, items=items)
    sides = [evaluation(f"eval_{gain}", "pin", suite, 1, Sounds(), gain) for gain in (0.0, 0.3)]
    told = report(compare("cmp_plain", *sides), *sides, Sounds())
    assert [name for name in told.plots if name.startswith(("emotion-", "confusion"))] == []


def test_hostile_words_are_escaped_in_plots_too() -> None:
    made = hostile()
    told = report(made.comparison, made.baseline, made.candidate, made.sounds, made.gate)
    assert [name for name, svg in told.plots.items() if b"<img" in svg or not ET.fromstring(svg).tag] == []
    assert HOSTILE not in told.html.decode()
    assert all("/" not in name for name in told.plots)
