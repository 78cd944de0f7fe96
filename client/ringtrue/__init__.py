"""The Python client of Ringtrue.

    from ringtrue import Ringtrue

    with Ringtrue() as ringtrue:
        ringtrue.say("What a day!", pin="espeak-v2", emotion="happy").save("day.wav")

`AsyncRingtrue` is the same for asyncio. The errors and their tree: `ringtrue.errors`.
"""

from ringtrue.audio import Clip
from ringtrue.client import AsyncRingtrue, Ringtrue
from ringtrue.errors import (
    APIError,
    AudioCorrupted,
    Conflict,
    ConnectionFailed,
    FieldError,
    Forbidden,
    InvalidRequest,
    JobFailed,
    NotFound,
    RingtrueError,
    ServerError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    WaitTimedOut,
)
from ringtrue.jobs import (
    Audio,
    Job,
    JobError,
    JobFilters,
    Piece,
    Pin,
    PinUsed,
    Progress,
    Score,
    Scoring,
    Tracking,
    Unscored,
)
from ringtrue.speech import SpeechOptions, SpeechRequest
from ringtrue.voices import Consent, Voice

__all__ = [
    "APIError",
    "AsyncRingtrue",
    "Audio",
    "AudioCorrupted",
    "Clip",
    "Conflict",
    "ConnectionFailed",
    "Consent",
    "FieldError",
    "Forbidden",
    "InvalidRequest",
    "Job",
    "JobError",
    "JobFailed",
    "JobFilters",
    "NotFound",
    "Piece",
    "Pin",
    "PinUsed",
    "Progress",
    "Ringtrue",
    "RingtrueError",
    "Score",
    "Scoring",
    "ServerError",
    "SpeechOptions",
    "SpeechRequest",
    "TooManyRequests",
    "Tracking",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "Unscored",
    "Voice",
    "WaitTimedOut",
]
