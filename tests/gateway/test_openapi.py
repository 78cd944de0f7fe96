"""The OpenAPI document says what the gateway does, and its examples work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.gateway.requests.job_schemas import JobRequest, read_batch, read_job, read_shape
from services.gateway.requests.speech_members import RequestShape
from services.gateway.requests.study_schemas import ComparisonRequest, EvaluationRequest, GateRequest
from tests.gateway.place import Place

pytestmark = pytest.mark.anyio
REQUESTS: dict[str, type[RequestShape]] = {
    "/v1/evaluations": EvaluationRequest,
    "/v1/comparisons": ComparisonRequest,
    "/v1/gates": GateRequest,
}


@pytest.fixture
async def document(place: Place) -> dict[str, Any]:
    answer = await place.http.get("/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
        for member in value.values():
            yield from walk(member)
    elif isinstance(value, list):
        for member in value:
            yield from walk(member)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


async def test_it_names_every_address(document: dict[str, Any]) -> None:
    assert {(method.upper(), path) for path, method, _ in operations(document)} == {
        ("POST", "/v1/jobs"),
        ("GET", "/v1/jobs"),
        ("POST", "/v1/jobs:batch"),
        ("GET", "/v1/jobs/{job_id}"),
        ("POST", "/v1/jobs/{job_id}/cancel"),
        ("GET", "/v1/jobs/{job_id}/audio"),
        ("POST", "/v1/jobs/{job_id}/tracking:retry"),
        ("POST", "/v1/voices"),
        ("GET", "/v1/voices"),
        ("GET", "/v1/voices/{voice_id}"),
        ("GET", "/v1/voices/{voice_id}/audio"),
        ("DELETE", "/v1/voices/{voice_id}"),
        ("POST", "/v1/evaluations"),
        ("GET", "/v1/evaluations"),
        ("GET", "/v1/evaluations/{study_id}"),
        ("POST", "/v1/evaluations/{study_id}/cancel"),
        ("GET", "/v1/evaluations/{study_id}/clips"),
        ("GET", "/v1/evaluations/{study_id}/files/{path}"),
        ("POST", "/v1/comparisons"),
        ("GET", "/v1/comparisons"),
        ("GET", "/v1/comparisons/{study_id}"),
        ("GET", "/v1/comparisons/{study_id}/report"),
        ("GET", "/v1/comparisons/{study_id}/files/{path}"),
        ("POST", "/v1/gates"),
        ("GET", "/v1/gates"),
        ("GET", "/v1/gates/default-rules"),
        ("GET", "/v1/gates/{study_id}"),
        ("GET", "/v1/gates/{study_id}/files/{path}"),
        ("GET", "/v1/pins"),
        ("GET", "/v1/models/files/{sha256}"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/problems/{slug}"),
    }


async def test_it_is_whole(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Ringtrue"
    schemas = document["components"]["schemas"]
    references = [found["$ref"] for found in walk(document) if isinstance(found.get("$ref"), str)]
    assert references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in schemas, reference
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)


async def test_every_operation_is_described_with_its_parameters_and_answers(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert all(answer["description"] for answer in operation["responses"].values())
        in_path = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))


async def test_the_page_of_the_api_has_a_title_of_its_own_for_every_operation(document: dict[str, Any]) -> None:
    titles = [operation["summary"] for _, _, operation in operations(document)]
    assert len(set(titles)) == len(titles)
    assert {"Create job", "Get job", "Get voice", "Get evaluation", "List evaluations"} <= set(titles)


async def test_every_answer_that_is_an_error_is_a_problem(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status >= "400" and path != "/readyz":
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (method, path, status)


async def test_its_examples_are_good_requests(place: Place, document: dict[str, Any]) -> None:
    def examples(path: str) -> list[Any]:
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        return [example["value"] for example in body["examples"].values()]

    for example in examples("/v1/jobs"):
        read_job(example)
    for example in examples("/v1/jobs:batch"):
        for job in read_batch(example):
            read_job(job)
    for path, shape in REQUESTS.items():
        for example in examples(path):
            read_shape(shape, example)


async def test_unknown_fields_are_refused_in_the_document_too(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for shape in (JobRequest, *REQUESTS.values()):
        assert schemas[shape.__name__]["additionalProperties"] is False
        assert set(schemas[shape.__name__]["properties"]) == set(shape.model_fields)
    assert schemas["JobRequest"]["required"] == ["text", "pin"]
    assert schemas["EvaluationRequest"]["required"] == ["suite", "pin"]


async def test_the_page_to_read_it_is_there(place: Place) -> None:
    assert "swagger" in (await place.http.get("/docs")).text.lower()
