"""What the demo says: seven emotions in two languages, each sentence one that a person would say in that mood; and a
sentence in each language for the starter set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; ``language`` is a BCP 47 tag, ``emotion`` a canonical name, or empty if none is asked for."""

    language: str
    emotion: str
    text: str


SENTENCES = (
    Sentence("en", "neutral", "The library opens at nine and closes at half past six."),
    Sentence("en", "happy", "We did it! The whole team is dancing in the corridor!"),
    Sentence("en", "angry", "I told you three times to leave that door shut!"),
    Sentence("en", "sad", "The house has been so quiet since she moved away."),
    Sentence("en", "fear", "Please hurry, somebody is walking around downstairs."),
    Sentence("en", "disgust", "This milk has gone sour, and something is growing in it."),
    Sentence("en", "surprise", "You came all this way on a bicycle? In one day?"),
    Sentence("zh", "neutral", "图书馆上午九点开门,下午六点半关门。"),
    Sentence("zh", "happy", "太好了,我们终于成功了,大家都高兴得跳起来!"),
    Sentence("zh", "angry", "我说过多少次了,不要随便动我的东西!"),
    Sentence("zh", "sad", "她搬走以后,这个家一下子安静得让人难受。"),
    Sentence("zh", "fear", "快一点,楼下好像有人在走动,我不敢出声。"),
    Sentence("zh", "disgust", "这杯牛奶早就变质了,闻起来真叫人恶心。"),
    Sentence("zh", "surprise", "什么?你一天之内骑自行车过来的?"),
)

STARTER_SENTENCES = (
    Sentence("en", "", "The train leaves in ten minutes."),
    Sentence("zh", "", "图书馆下午五点关门，请大家抓紧时间。"),
)
"""What the neural voice of the starter set says too, if it was asked for. It has no emotions."""
