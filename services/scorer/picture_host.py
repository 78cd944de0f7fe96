"""The child that draws pictures: ``python -m services.scorer.picture_host``, spoken to by picture.py.

Owns the words on the pipe: ``{"op": "ready"}`` and ``{"op": "draw", ...}`` with PCM as payload, answered by a PNG or by
``{"error": ...}``.
"""

from __future__ import annotations

from services.scorer.picture_drawing import Drawing
from shared.audio import Audio
from shared.hosting import Frame, Served


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
    except Exception as error:  # the one seam: one clip that cannot be drawn must not cost the next one its child
        served.answer({"error": repr(error)})
    else:
        served.answer({}, png)


if __name__ == "__main__":
    main()
