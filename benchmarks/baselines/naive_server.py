"""The baseline: the FastAPI + Celery + Redis script that everyone writes first. Submit and poll; nothing is durable.

Written as it usually is, environment read at import and all; what is measured here is that script.
"""

import os
import time
from typing import Any

from celery import Celery
from celery.result import AsyncResult
from fastapi import FastAPI
from pydantic import BaseModel

REDIS_URL = os.environ["NAIVE_REDIS_URL"]
tasks = Celery("naive", broker=REDIS_URL, backend=REDIS_URL)
app = FastAPI()


class Job(BaseModel):
    text: str
    pin: str
    language: str = "en"
    voice: str | None = None
    emotion: str | None = None


@tasks.task  # type: ignore[untyped-decorator]
def speak(_job: dict[str, Any]) -> float:
    return time.time()  # a null task: it only says when it was started


@app.post("/jobs", status_code=202)
def submit(job: Job) -> dict[str, Any]:
    return {"id": speak.delay(job.model_dump()).id}


@app.get("/jobs/{job_id}")
def poll(job_id: str) -> dict[str, Any]:
    result = AsyncResult(job_id, app=tasks)
    return {"id": job_id, "status": result.state, "result": result.result if result.ready() else None}
