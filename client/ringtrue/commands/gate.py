"""`ringtrue gate`: judge a candidate against a baseline by rules; the verdict is the exit code.

Reads RINGTRUE_WEBHOOK_SECRET from the environment, and GITHUB_STEP_SUMMARY, the file to which it adds a summary.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ringtrue import Gate, Judged, Ringtrue, RingtrueError
from ringtrue.commands.compare import Begun, begin, estimate, finish, interval, tell_allowed
from ringtrue.commands.connection import AsJson, LexiconFile, connect
from ringtrue.commands.refusals import told
from ringtrue.commands.studying import (
    Allow,
    Asked,
    Deadline,
    Fresh,
    Param,
    Preprocessing,
    ReportFile,
    Score,
    Seeds,
    SuiteOfPins,
    Timeout,
    check_files,
    faults_of,
    figure,
    settled,
    write,
)
from ringtrue.commands.telling import WebhookTarget, run, tell
from ringtrue.comparisons import REPORT
from ringtrue.console.exits import ExitCode
from ringtrue.console.terminal import data, data_json, data_table, words
from ringtrue.errors import OutputFailed
from ringtrue.gates import JUNIT, SUMMARY
from ringtrue.studies import as_sent
from ringtrue.webhooks import secret_from

Baseline = Annotated[str | None, typer.Argument(metavar="A", help="The baseline: a pin or the id of an evaluation.")]
Candidate = Annotated[str | None, typer.Argument(metavar="B", help="The candidate: a pin or the id of an evaluation.")]
Rules = Annotated[
    Path | None, typer.Option("--rules", metavar="FILE", help="A rules file (TOML). Default: the built-in rules.")
]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML to this file.")]
Markdown = Annotated[
    Path | None, typer.Option("--markdown", metavar="FILE", help="Write a summary (Markdown) to this file.")
]
OnFail = Annotated[
    str | None,
    typer.Option(
        "--on-fail", metavar="COMMAND", help="Run this command if the gate fails; it gets the gate as JSON on stdin."
    ),
]
Webhook = Annotated[
    str | None, typer.Option("--webhook", metavar="URL", help="Send a message to this URL if the verdict is not pass.")
]
PrintRules = Annotated[bool, typer.Option("--print-rules", help="Print the built-in rules and exit.")]
AT = "/rules/text"
"""JSON pointer to the file in a request."""
SECRET, STEP_SUMMARY = "RINGTRUE_WEBHOOK_SECRET", "GITHUB_STEP_SUMMARY"
VERDICTS = {"pass": ExitCode.DONE, "fail": ExitCode.VERDICT_FAIL, "inconclusive": ExitCode.VERDICT_INCONCLUSIVE}


def gate(
    ctx: typer.Context,
    baseline: Baseline = None,
    candidate: Candidate = None,
    *,
    suite: SuiteOfPins = None,
    seeds: Seeds = 1,
    score: Score = None,
    param: Param = None,
    preprocessing: Preprocessing = None,
    lexicon: LexiconFile = None,
    fresh: Fresh = False,
    allow: Allow = None,
    rules: Rules = None,
    junit: Junit = None,
    markdown: Markdown = None,
    report: ReportFile = None,
    on_fail: OnFail = None,
    webhook: Webhook = None,
    print_rules: PrintRules = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Judge a candidate against a baseline. Exit codes: 0 pass, 1 fail, 2 inconclusive; 64 and above: not judged."""
    if print_rules:
        _print_rules(ctx)
        return
    if baseline is None or candidate is None:
        raise typer.BadParameter("a baseline and a candidate are required", param_hint="A B")
    target = _webhook_target(webhook) if webhook else None
    said = _read(rules) if rules else None
    check_files({junit: ".xml", markdown: ".md", report: ".html"})
    asked = Asked(suite, seeds, score, param, preprocessing, lexicon, fresh)
    with connect(ctx) as ringtrue:
        begun = begin(ringtrue, asked, baseline, candidate, allow or ())
        _show(decided := _decided(ringtrue, begun, rules, said, Deadline(timeout)), as_json)
        _tell(decided, on_fail, target)
        _add_to_step(ringtrue, decided)
        _write(ringtrue, decided, {JUNIT: junit, SUMMARY: markdown, REPORT: report})
    raise typer.Exit(VERDICTS[decided.verdict or ""])


def _show(decided: Gate, as_json: bool) -> None:
    """Print the gate.

    If nobody reads the output any more, go on: the verdict is the exit code, and others are still told.
    """
    words(decided.headline or f"{decided.verdict}")
    try:
        if as_json:
            data_json(decided.raw)
        else:
            _print(decided.judged)
    except OutputFailed as error:
        if not error.gone:
            words(f"{error}")


def _tell(decided: Gate, on_fail: str | None, target: WebhookTarget | None) -> None:
    if decided.verdict == "fail" and on_fail:
        run(on_fail, json.dumps(decided.raw))
    if decided.verdict != "pass" and target:
        tell(target, decided)


def _print_rules(ctx: typer.Context) -> None:
    with connect(ctx) as ringtrue:
        data(ringtrue.gates.default_rules().rstrip("\n"))


def _webhook_target(url: str) -> WebhookTarget:
    """Return the webhook to notify. Fails, before anything is requested, if its URL or secret cannot be used."""
    text = os.environ.get(SECRET)
    try:
        secret = secret_from(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=SECRET) from error
    try:
        return WebhookTarget(url, secret)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--webhook") from error


def _read(rules: Path) -> Mapping[str, Any]:
    """Read the rules. A missing file is reported before anything is synthesized for it."""
    with faults_of(str(rules), AT):
        said: Mapping[str, Any] = as_sent(rules)
    return said


def _decided(
    ringtrue: Ringtrue, begun: Begun, rules: Path | None, said: Mapping[str, Any] | None, deadline: Deadline
) -> Gate:
    """Return the gate with its verdict. ``said``: the content of ``rules``."""
    with faults_of(str(rules), AT):
        # before the wait: errors in the file are reported at once, and what is synthesized meanwhile is not lost
        asked = ringtrue.gates.create(begun.comparison, rules=said)
    words(asked.id)
    goes_on = begun.come_back("gate")
    tell_allowed(finish(ringtrue, begun, deadline, goes_on))
    return settled(ringtrue.gates, asked, deadline, goes_on)


def _write(ringtrue: Ringtrue, decided: Gate, files: Mapping[str, Path | None]) -> None:
    """Write the requested files, as many as possible. Raises the last error and prints the others."""
    failed: RingtrueError | None = None
    for name, file in files.items():
        try:
            if file is not None:
                write(file, ringtrue.gates.file(decided, name))
        except RingtrueError as error:
            if failed is not None:
                words(told(failed))
            failed = error
    if failed is not None:
        raise failed


def _add_to_step(ringtrue: Ringtrue, decided: Gate) -> None:
    """Add our summary to that of the pipeline, if possible.

    Nobody asked for it, so a failure does not change the verdict.
    """
    if step_summary := os.environ.get(STEP_SUMMARY):
        try:
            write(Path(step_summary), ringtrue.gates.file(decided, SUMMARY), "ab")
        except RingtrueError as error:
            words(f"{STEP_SUMMARY}: the summary was not written: {error}")


def _print(judged: Iterable[Judged]) -> None:
    data_table(
        ("VERDICT", "METRIC", "SCOPE", "GAIN", "CI", "AT LEAST", "N", "WHY"),
        (
            (
                *(one.outcome, one.metric, one.scope, estimate(one.gain, "+.3g")),
                *(interval(one.gain), figure(one.threshold, "+.3g"), str(one.n), one.why),
            )
            for one in judged
        ),
    )
