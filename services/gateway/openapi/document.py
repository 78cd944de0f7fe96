"""The OpenAPI document: the routes as FastAPI knows them, and the schemas that they name.

Owns the components. The routes read and answer JSON themselves, so FastAPI cannot know these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from services.gateway.openapi.answer_schemas import (
    BatchDocument,
    JobListDocument,
    PinListDocument,
    ReadinessDocument,
    VoiceListDocument,
    without_suffix,
)
from services.gateway.openapi.study_answer_schemas import (
    ClipListDocument,
    ComparisonListDocument,
    EvaluationListDocument,
    GateListDocument,
)
from services.gateway.requests.job_schemas import MAX_BATCH_JOBS, JobRequest, VoiceRequest
from services.gateway.requests.study_schemas import ComparisonRequest, EvaluationRequest, GateRequest

DESCRIPTION = """
Submit text, get speech from a model version that is pinned to its bytes, have it scored, and find it again in MLflow.

Every error is `application/problem+json` (RFC 9457) with a stable `code`; every answer carries `X-Request-Id`.
A submission may carry an `Idempotency-Key`: sent again within 24 hours it does nothing twice and is answered as the
first time (`Idempotent-Replayed: true`).
"""


class BatchRequest(BaseModel):
    """Jobs to accept together, in one transaction."""

    jobs: list[JobRequest] = Field(min_length=1, max_length=MAX_BATCH_JOBS)


class VoiceUpload(VoiceRequest):
    """A recording as a form: the file, and the fields that come with it (`consent` as JSON)."""

    file: Annotated[bytes, Field(description="WAV, FLAC, MP3 or OGG; 0.5 to 60 s, at most 20 MiB.")]


class _Components(GenerateJsonSchema):
    """Names an answer's component after what it is: `Job`, for the class `JobDocument`."""

    def normalize_name(self, name: str) -> str:
        return without_suffix(super().normalize_name(name))


def openapi_of(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return a function for ``app.openapi`` that makes the document on its first call."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = get_openapi(
                title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, tags=app.openapi_tags
            )
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schemas())
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "rt_…"}}
            document["security"] = [{"key": []}, {}]
            app.openapi_schema = document
        return app.openapi_schema

    return openapi


def _schemas() -> dict[str, Any]:
    read: list[type[BaseModel]] = [JobRequest, BatchRequest, VoiceUpload]
    read += [EvaluationRequest, ComparisonRequest, GateRequest]
    # What these hold, such as `JobDocument`, comes with them.
    sent: list[type[BaseModel]] = [JobListDocument, BatchDocument, PinListDocument, ReadinessDocument]
    sent += [VoiceListDocument, EvaluationListDocument, ClipListDocument, ComparisonListDocument, GateListDocument]
    modes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "validation") for model in read),
        *((model, "serialization") for model in sent),
    ]
    _, schemas = models_json_schema(modes, ref_template="#/components/schemas/{model}", schema_generator=_Components)
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions
