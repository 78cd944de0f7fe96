"""Kana to the phonemes of Kokoro, as misaki's Japanese reader has them (misaki/cutlet.py, Apache-2.0, after cutlet by
Paul O'Leary McCann, MIT).

That module itself cannot be imported without fugashi and a dictionary that is a download. Knows no words.
"""

from __future__ import annotations

_LISTED = (
    "ァ a, ア a, ィ i, イ i, ゥ ɯ, ウ ɯ, ェ e, エ e, ォ o, オ o, カ ka, ガ ɡa, キ kʲi, ギ ɡʲi, ク kɯ, グ ɡɯ, "
    "ケ ke, ゲ ɡe, コ ko, ゴ ɡo, サ sa, ザ ʣa, シ ɕi, ジ ʥi, ス sɨ, ズ zɨ, セ se, ゼ ʣe, ソ so, ゾ ʣo, タ ta, "
    "ダ da, チ ʨi, ヂ ʥi, ツ ʦɨ, ヅ zɨ, テ te, デ de, ト to, ド do, ナ na, ニ ɲi, ヌ nɯ, ネ ne, ノ no, ハ ha, "
    "バ ba, パ pa, ヒ çi, ビ bʲi, ピ pʲi, フ ɸɯ, ブ bɯ, プ pɯ, ヘ he, ベ be, ペ pe, ホ ho, ボ bo, ポ po, マ ma, "
    "ミ mʲi, ム mɯ, メ me, モ mo, ャ ja, ヤ ja, ュ jɯ, ユ jɯ, ョ jo, ヨ jo, ラ ɾa, リ ɾʲi, ル ɾɯ, レ ɾe, ロ ɾo, "
    "ヮ βa, ワ βa, ヰ i, ヱ e, ヲ o, ヴ vɯ, ヵ ka, ヶ ke, イェ je, ウィ βi, ウェ βe, ウォ βo, キェ kʲe, キャ kʲa, "
    "キュ kʲɨ, キョ kʲo, ギャ ɡʲa, ギュ ɡʲɨ, ギョ ɡʲo, クァ kᵝa, クィ kᵝi, クェ kᵝe, クォ kᵝo, グァ ɡᵝa, グィ ɡᵝi, "
    "グェ ɡᵝe, グォ ɡᵝo, シェ ɕe, シャ ɕa, シュ ɕɨ, ショ ɕo, ジェ ʥe, ジャ ʥa, ジュ ʥɨ, ジョ ʥo, チェ ʨe, チャ ʨa, "
    "チュ ʨɨ, チョ ʨo, ヂャ ʥa, ヂュ ʥɨ, ヂョ ʥo, ツァ ʦa, ツィ ʦʲi, ツェ ʦe, ツォ ʦo, ティ tʲi, テュ tʲɨ, "
    "ディ dʲi, デュ dʲɨ, トゥ tɯ, ドゥ dɯ, ニェ ɲe, ニャ ɲa, ニュ ɲɨ, ニョ ɲo, ヒェ çe, ヒャ ça, ヒュ çɨ, ヒョ ço, "
    "ビャ bʲa, ビュ bʲɨ, ビョ bʲo, ピャ pʲa, ピュ pʲɨ, ピョ pʲo, ファ ɸa, フィ ɸʲi, フェ ɸe, フォ ɸo, フュ ɸʲɨ, "
    "フョ ɸʲo, ミャ mʲa, ミュ mʲɨ, ミョ mʲo, リャ ɾʲa, リュ ɾʲɨ, リョ ɾʲo, ヴァ va, ヴィ vʲi, ヴェ ve, ヴォ vo, "
    "ヴュ bʲɨ, ヴョ bʲo"
)
_MORAE = {(listed := entry.split())[0]: listed[1] for entry in _LISTED.split(", ")}
_SMALL = "ャュョァィゥェォ"
_LONG, _STOP, _NASAL = "ー", "ッ", "ン"
_BEFORE = (("mpb", "m"), ("kɡ", "ŋ"), ("ɲʨʥ", "ɲ"), ("ntdɾz", "n"))
"""First phonemes of the next kana -> what ン is before them."""


def phonemes_of(kana: str) -> str:
    """Return the phonemes of a word in katakana."""
    said = []
    at = 0
    while at < len(kana):
        pair = kana[at : at + 2]
        if pair in _MORAE and len(pair) == 2:
            said.append(_MORAE[pair])
        elif len(pair) == 2 and pair[1] in _SMALL and pair[0] in _MORAE:
            said.append(_MORAE[pair[0]][:-1] + _MORAE[pair[1]])
        else:
            pair = kana[at]
            said.append(_single(pair, kana[at + 1 :]))
        at += len(pair)
    return "".join(said)


def _single(kana: str, rest: str) -> str:
    if kana == _NASAL:
        first = _MORAE.get(rest[:1], " ")[0]
        return next((nasal for sounds, nasal in _BEFORE if first in sounds), "ɴ")
    return {_LONG: "ː", _STOP: "ʔ"}.get(kana) or _MORAE[kana]
