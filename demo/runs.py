"""What MLflow holds of the demo's jobs, over its REST interface as any program would ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from demo.failure import DemoFailed

PNG = b"\x89PNG\r\n\x1a\n"


class Runs:
    """The runs of one MLflow server at ``url``; ``password``: of its user ``admin``, where it asks."""

    def __init__(self, url: str, password: str | None = None) -> None:
        auth = None if password is None else ("admin", password)
        self._http = httpx.Client(base_url=url, auth=auth, timeout=30, trust_env=False)

    def check_finished(self, run_id: str, *, with_artifact: str) -> None:
        """`DemoFailed` unless the run is finished and has that artifact, and a picture."""
        status = self._ask("runs/get", run_id=run_id)["run"]["info"]["status"]
        if status != "FINISHED":
            raise DemoFailed(f"run {run_id} is {status}, not FINISHED")
        folder = str(Path(with_artifact).parent)
        held = {file["path"] for file in self._ask("artifacts/list", run_id=run_id, path=folder).get("files", [])}
        if with_artifact not in held:
            raise DemoFailed(f"run {run_id} has no artifact {with_artifact}")

    def save_picture(self, run_id: str, path: Path) -> None:
        """Fetch ``picture.png`` of a run."""
        answer = self._http.get("/get-artifact", params={"run_uuid": run_id, "path": "picture.png"})
        if answer.status_code != httpx.codes.OK or not answer.content.startswith(PNG):
            raise DemoFailed(f"run {run_id} has no picture (HTTP {answer.status_code})")
        path.write_bytes(answer.content)

    def close(self) -> None:
        self._http.close()

    def _ask(self, what: str, **params: str) -> dict[str, Any]:
        answer = self._http.get(f"/api/2.0/mlflow/{what}", params=params)
        answer.raise_for_status()
        return dict(answer.json())
