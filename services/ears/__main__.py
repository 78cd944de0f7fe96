"""``python -m services.ears START LENGTH``: decode that stretch of the file on stdin, answer with one frame on stdout.

    {"ok": {"sample_rate": 24000}} + PCM   or   {"refused": "shorter than …", "format": false}

The limits are set before anything is imported that reads a byte of the file: a file that makes the decoder run away,
or grow, or worse, ends this process and nothing else.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import sys

from shared.hosting import Frame, write_frame

EX_UNAVAILABLE = 69
MEMORY_BYTES = 1 << 30
"""Address space, of which the libraries take a third before they have done anything."""
CPU_S = 15
OUTPUT_BYTES = 64 << 20
_LIMITS = (
    (resource.RLIMIT_AS, MEMORY_BYTES),
    (resource.RLIMIT_CPU, CPU_S),
    (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
    (resource.RLIMIT_NOFILE, 64),
    (resource.RLIMIT_CORE, 0),
)


def main(start: int, length: int) -> int:
    """The exit code: 0 whatever the file is; another only where this process could not do its work."""
    for which, most in _LIMITS:
        with contextlib.suppress(ValueError, OSError):  # a limit that is lower already, or that the system has not
            resource.setrlimit(which, (most, most))
    try:
        from services.ears.decoding import FormatUnsupported, NotHeard, decode
    except ImportError as error:
        print(f"cannot decode anything: {error}", file=sys.stderr)
        return EX_UNAVAILABLE
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # codecs say a line about every flaw: who uploads could fill a log
    answer: Frame
    try:
        audio = decode(io.BytesIO(os.pread(0, length, start)))
    except NotHeard as why:
        answer = Frame({"refused": str(why), "format": isinstance(why, FormatUnsupported)})
    else:
        answer = Frame({"ok": {"sample_rate": audio.sample_rate}}, audio.pcm)
    write_frame(sys.stdout.buffer, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
