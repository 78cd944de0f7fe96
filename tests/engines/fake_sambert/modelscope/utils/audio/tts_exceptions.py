"""modelscope/utils/audio/tts_exceptions.py, as far as speaking raises them."""


class TtsException(Exception):
    pass


class TtsModelConfigurationException(TtsException):
    pass


class TtsModelNotExistsException(TtsException):
    pass


class TtsVoiceNotExistsException(TtsException):
    pass


class TtsFrontendException(TtsException):
    pass


class TtsFrontendInitializeFailedException(TtsFrontendException):
    pass


class TtsFrontendLanguageTypeInvalidException(TtsFrontendException):
    pass
