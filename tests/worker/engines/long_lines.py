"""Lines that engines have lost the end of: long ones without a mark, words that do not end; and what follows them."""

from __future__ import annotations

from collections.abc import Mapping

LINES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "no marks": ("the little boat went over the dark blue sea and nobody saw it go " * 8, " bye"),
        "a poem": ("the little boat went over the dark blue sea\nand nobody saw it go away from me\n" * 12, "bye"),
        "numbers": (" ".join(["987654321012"] * 13), " seven"),
        "digits": ("1234567890" * 8, "7"),
        "a long word": ("honorificabilitudinitatibus" * 6, "bye"),
        "letters": ("w" * 60, "x"),
    },
    "zh": {
        "no marks": ("今天天气很好我们一起去公园里看花然后回家吃饭" * 12, "再见"),
        "digits": ("今天的号码是" + "6" * 70, "八"),
    },
    "ja": {
        "no marks": ("きょうはてんきがいいのでこうえんへいきます" * 12, "さようなら"),
        "a long word": ("ん" * 140, "ぱ"),
    },
    "ko": {"no marks": ("오늘은날씨가좋아서공원에가서꽃을보고집에돌아왔습니다" * 10, "안녕")},
    "de": {"a long word": ("Donaudampfschifffahrtsgesellschafts" * 5, "kapitän")},
    "ru": {"a long word": ("водогрязеторфопарафино" * 7, "лечение"), "letters": ("щ" * 110, "я")},
    "ar": {"no marks": ("ذهب الولد الصغير إلى البحر الأزرق ولم يره أحد " * 10, "وداعا")},
}
