"""The Python client of Ringtrue.

    from ringtrue import Ringtrue

    with Ringtrue() as ringtrue:
        ringtrue.say("What a day!", pin="espeak-v2", emotion="happy").save("day.wav")

`AsyncRingtrue` is the same for asyncio. The errors and their tree are in `ringtrue.errors`.
"""

from ringtrue.audio import Clip
from ringtrue.client import AsyncRingtrue, Ringtrue
from ringtrue.comparisons import Comparison, Disagreement, Range, Row
from ringtrue.errors import (
    APIError,
    AudioCorrupted,
    Conflict,
    ConnectionFailed,
    EnvironmentUnusable,
    FieldError,
    Forbidden,
    FormatUnavailable,
    InvalidRequest,
    KeyUnsendable,
    NotFound,
    NotWritten,
    OutputFailed,
    RingtrueError,
    ServerError,
    TextInvalid,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from ringtrue.evaluations import (
    Evaluation,
    EvaluationOptions,
    EvaluationProgress,
    EvaluationResult,
    NoiseFloor,
    SuiteUsed,
    Summary,
)
from ringtrue.gates import Gate, Judged
from ringtrue.jobs import (
    ComparedTranscript,
    Job,
    JobAudio,
    JobError,
    JobFailed,
    JobFilters,
    Piece,
    Pin,
    PinUsed,
    Progress,
    RecogniserReading,
    Score,
    Scoring,
    Tracking,
    Unscored,
    WaitTimedOut,
)
from ringtrue.speech import SpeechOptions, SpeechRequest
from ringtrue.studies import StudyTimedOut
from ringtrue.voices import Consent, Voice

__all__ = [
    "APIError",
    "AsyncRingtrue",
    "AudioCorrupted",
    "Clip",
    "ComparedTranscript",
    "Comparison",
    "Conflict",
    "ConnectionFailed",
    "Consent",
    "Disagreement",
    "EnvironmentUnusable",
    "Evaluation",
    "EvaluationOptions",
    "EvaluationProgress",
    "EvaluationResult",
    "FieldError",
    "Forbidden",
    "FormatUnavailable",
    "Gate",
    "InvalidRequest",
    "Job",
    "JobAudio",
    "JobError",
    "JobFailed",
    "JobFilters",
    "Judged",
    "KeyUnsendable",
    "NoiseFloor",
    "NotFound",
    "NotWritten",
    "OutputFailed",
    "Piece",
    "Pin",
    "PinUsed",
    "Progress",
    "Range",
    "RecogniserReading",
    "Ringtrue",
    "RingtrueError",
    "Row",
    "Score",
    "Scoring",
    "ServerError",
    "SpeechOptions",
    "SpeechRequest",
    "StudyTimedOut",
    "SuiteUsed",
    "Summary",
    "TextInvalid",
    "TooManyRequests",
    "Tracking",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "Unscored",
    "Voice",
    "WaitTimedOut",
]
