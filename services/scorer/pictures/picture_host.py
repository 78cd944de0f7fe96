"""The child process that draws pictures: ``python -m services.scorer.pictures.picture_host``.

Its parent is pictures.py. Owns the protocol on the pipe: ``{"op": "ready"}``, and ``{"op": "draw", ...}`` with PCM as
payload, which is answered by a PNG or by ``{"error": ...}``.
"""

from __future__ import annotations

from services.scorer.pictures.picture_drawing import Drawing
from shared.audio import Audio
from shared.processes.frames import Frame
from shared.processes.serving import Served


def main() -> None:
    served = Served()
    drawing = Drawing()
    for frame in served.requests():
        if frame.header["op"] == "ready":
            served.answer({"ready": True})
        else:
            _answer(served, drawing, frame)


def _answer(served: Served, drawing: Drawing, frame: Frame) -> None:
    header = frame.header
    audio = Audio(bytes(frame.payload), header["sample_rate"])
    try:
        png = drawing.png(audio, header["title"], header["pieces"])
    except Exception as error:  # the one catch-all: a clip that cannot be drawn must not kill the child
        served.answer({"error": repr(error)})
    else:
        served.answer({}, png)


if __name__ == "__main__":
    main()
