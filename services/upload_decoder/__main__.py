"""``python -m services.upload_decoder START LENGTH``: decode LENGTH bytes of the file on stdin, from START on, and
answer with one frame on stdout.

    {"ok": {"sample_rate": 24000}} + PCM   or   {"refused": "shorter than …", "format": false}

The limits are set before anything is imported that reads a byte of the file. So a file that makes the decoder run
forever, take too much memory or worse ends this process and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys

from shared.processes.hosting import Frame, write_frame

EX_UNAVAILABLE = 69
MEMORY_BYTES = 1 << 30
"""Bytes of address space. The libraries take a third of it before they have done anything."""
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
    """Decode and answer. Return the exit code: 0 whatever the file is, `EX_UNAVAILABLE` if this process cannot do its
    work."""
    for which, most in _LIMITS:
        with contextlib.suppress(ValueError, OSError):  # the limit is lower already, or the system does not have it
            resource.setrlimit(which, (most, most))
    try:
        from services.upload_decoder.decoding import decode
        from services.upload_decoder.faults import FormatUnsupported, NotDecoded
    except ImportError as error:
        print(f"the decoder does not work: {error}", file=sys.stderr)
        return EX_UNAVAILABLE
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # codecs log a line about every flaw: an uploader could fill the log
    answer: Frame
    try:
        audio = decode(os.pread(0, length, start))
    except NotDecoded as why:
        answer = Frame({"refused": str(why), "format": isinstance(why, FormatUnsupported)})
    else:
        answer = Frame({"ok": {"sample_rate": audio.sample_rate}}, audio.pcm)
    write_frame(sys.stdout.buffer, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
