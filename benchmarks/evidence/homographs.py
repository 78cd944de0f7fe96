"""Whether Sudachi helps to read homographs: ``python -m benchmarks.evidence.homographs``.

Reads short phrases with kanji that have several readings, by pyopenjtalk-plus with and without Sudachi. Prints how many
readings are right, and each that is not. It is how `words_of` of services/worker/engines/japanese/words.py came to ask
without. Takes seconds.
"""

from __future__ import annotations

import re

import pyopenjtalk

PHRASES = (
    "風が吹く カゼガフク, 昔風の家 ムカシフーノイエ, こんな風に コンナフーニ, 方法 ホーホー, "
    "この方がいい コノホーガイイ, あの方は先生だ アノカタワセンセーダ, 話し方 ハナシカタ, "
    "東の方へ ヒガシノホーエ, 出る デル, 時が来た トキガキタ, 机の上 ツクエノウエ, 上がる アガル, 上着 ウワギ, "
    "下に置く シタニオク, 地下鉄 チカテツ, 君が好き キミガスキ, 山田君 ヤマダクン, 手を上げる テヲアゲル, "
    "上手 ジョーズ, 表を見る ヒョーヲミル, 表に出る オモテニデル, 裏と表 ウラトオモテ, 三対二 サンタイニ, "
    "色が赤い イロガアカイ, 人が多い ヒトガオーイ, 日本人 ニホンジン, 前に進む マエニススム, "
    "三年前 サンネンマエ, 後で行く アトデイク, 戦後 センゴ, 後ろ ウシロ, 角を曲がる カドヲマガル, "
    "牛の角 ウシノツノ, お金 オカネ, 金メダル キンメダル, 頭が痛い アタマガイタイ, 水を飲む ミズヲノム, "
    "水曜日 スイヨービ, 間に合う マニアウ, その間 ソノアイダ, 空が青い ソラガアオイ, 空の箱 カラノハコ, "
    "空き缶 アキカン, 体が重い カラダガオモイ, 家に帰る イエニカエル, 我が家 ワガヤ, 中に入る ナカニハイル, "
    "世界中 セカイジュー, 一日中 イチニチジュー, 今日中に キョージューニ, 会議中 カイギチュー, 高い タカイ, "
    "気がする キガスル, 要る イル, 大きい家 オーキイイエ, 小さな子 チーサナコ, 値が張る ネガハル, "
    "主な理由 オモナリユー, 直に触る ジカニサワル, 性に合う ショーニアウ, 等しい ヒトシイ, 生の魚 ナマノサカナ, "
    "行った イッタ, 行われる オコナワレル, 止める トメル, 入れる イレル, 開ける アケル, 抱く ダク, "
    "辛いカレー カライカレー, 怒る オコル, 縁がある エンガアル, 縁を切る エンヲキル, 労を惜しむ ローヲオシム, "
    "弾く ヒク, 降りる オリル, 種をまく タネヲマク, 訳がわからない ワケガワカラナイ, 英語に訳す エーゴニヤクス, "
    "糞 クソ, 堪える コタエル, 床に座る ユカニスワル, 来る クル, 来週 ライシュー, 二人の色 フタリノイロ, "
    "術がない スベガナイ"
)
_LONG = re.compile("(?<=[オコゴソゾトドノホボポモヨョロウクグスズツヌフブムユュルー])ウ|(?<=[エケセテネヘメレ])イ")
"""Vowels that only lengthen: セイ is セー. The two ways write them differently."""


def main() -> None:
    phrases = [phrase.split() for phrase in PHRASES.split(", ")]
    for name, asked in (("without Sudachi", False), ("with Sudachi", True)):
        said = {text: _kana(text, asked) for text, _ in phrases}
        wrong = [f"{text} {said[text]}" for text, kana in phrases if _plain(said[text]) != _plain(kana)]
        print(f"{name}: {len(phrases) - len(wrong)} of {len(phrases)} right; wrong: {', '.join(wrong)}")


def _kana(text: str, asked: bool) -> str:
    return str(pyopenjtalk.g2p(text, kana=True, use_sudachi_kanji_yomi=asked, predict_nani=False))


def _plain(kana: str) -> str:
    return _LONG.sub("ー", kana)


if __name__ == "__main__":
    main()
