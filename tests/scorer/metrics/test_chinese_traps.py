"""What is written in two ways and sounds the same is no error in Chinese; what sounds different is one."""

from __future__ import annotations

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.metrics.counting import chinese
from services.scorer.metrics.counting.lattice import closest

SAME = [
    ("10个", "十个"),
    ("１０个", "十个"),
    ("三百", "300"),
    ("2个", "两个"),
    ("第2名", "第二名"),
    ("200人", "两百人"),
    ("200人", "二百人"),
    ("2000", "两千"),
    ("22222", "两万两千二百二十二"),
    ("1,250", "一千二百五十"),
    ("1250", "一千二百五"),
    ("150", "一百五"),
    ("105", "一百零五"),
    ("1005", "一千零五"),
    ("110", "一百一十"),
    ("110", "幺幺零"),
    ("119", "一一九"),
    ("13800138000", "一三八零零一三八零零零"),
    ("13800138000", "幺三八零零幺三八零零零"),
    ("房间号码101", "房间号码一零一"),
    ("房间号码101", "房间号码幺零幺"),
    ("3万", "三万"),
    ("2万", "两万"),
    ("1.5亿", "一点五亿"),
    ("12345678", "一千二百三十四万五千六百七十八"),
    ("3.14", "三点一四"),
    ("0.5", "零点五"),
    ("2.5", "二点五"),
    ("2024年", "二零二四年"),
    ("2024年", "二〇二四年"),
    ("2024年", "两千零二十四年"),
    ("98年", "九八年"),
    ("10年", "十年"),
    ("2024年5月1日", "二零二四年五月一日"),
    ("10:30", "十点半"),
    ("10:30", "十点三十分"),
    ("10:30", "十点三十"),
    ("10：05", "十点零五分"),
    ("10:15", "十点一刻"),
    ("9:00", "九点整"),
    ("2:00", "两点"),
    ("下午3點", "下午三点"),
    ("9:30开门", "9.30分開門"),
    ("17：45停止", "17.45分停止"),
    ("14:05", "14.05分"),
    ("得了9.35分", "得了九点三五分"),
    ("1998/02/28", "一九九八年二月二十八日"),
    ("2026-2-9", "2026年2月9号"),
    ("比分是3:2", "比分是三比二"),
    ("16：9", "十六比九"),
    ("等着", "等著"),
    ("享受着", "享受著"),
    ("50%", "百分之五十"),
    ("３.5％", "百分之三点五"),
    ("100%", "百分之百"),
    ("5‰", "千分之五"),
    ("1/3", "三分之一"),
    ("½", "二分之一"),
    ("¥5", "五块钱"),
    ("￥5", "五元"),
    ("¥3.5", "三块五"),
    ("$20", "二十美元"),
    ("$3亿", "三亿美元"),
    ("25℃", "二十五摄氏度"),
    ("25°C", "二十五度"),
    ("-5℃", "零下五度"),
    ("-5", "负五"),
    ("5kg", "五公斤"),
    ("5 kg", "五千克"),
    ("100km", "一百公里"),
    ("120 km/h", "一百二十公里每小时"),
    ("80 m²", "八十平方米"),
    ("500ml", "五百毫升"),
    ("3-5天", "三到五天"),
    ("3~5天", "三至五天"),
    ("图书馆", "圖書館"),
    ("乾杯", "干杯"),
    ("壹佰贰拾", "一百二十"),
    ("ＡＢＣ", "abc"),
    ("“今天”，天气！", "今天天气"),
    ("今天 天气", "今天天气"),
    ("A4纸", "a四纸"),
    ("A4纸", "a four 纸"),
    ("iPhone 15", "iphone fifteen"),
    ("iPhone15", "iphone十五"),
    ("5G网络", "五g网络"),
    ("用email发", "用 e mail 发"),
    ("用e-mail发", "用email发"),
    ("U.S.B.接口", "USB接口"),
    ("我喜欢ice cream", "我喜欢 icecream"),
    ("It's OK，走吧", "it’s okay走吧"),
    ("版本3.2.1", "版本三点二点一"),
]
DIFFERENT = [
    ("15", "五十"),
    ("15", "50"),
    ("十", "四"),
    ("二百", "两百"),
    ("二个", "两个"),
    ("一一九", "幺幺九"),
    ("12", "十两"),
    ("20", "两十"),
    ("150", "一百零五"),
    ("105", "一百五"),
    ("1050", "一千零五"),
    ("1500", "一千零五十"),
    ("3.14", "三点四一"),
    ("3.5", "三十五"),
    ("0.5", "零点零五"),
    ("2024年", "二零二五年"),
    ("98年", "八九年"),
    ("10:30", "十点十三"),
    ("10:30", "一零三零"),
    ("10:05", "十点五十"),
    ("9:30", "9.13分"),
    ("得了9.35分", "得了三十五分"),
    ("1998/02/28", "一九九八年二月十八日"),
    ("1998/02/28", "一九九八二十八分之二"),
    ("3:2", "二比三"),
    ("3:2", "三二"),
    ("50%", "百分之十五"),
    ("50%", "五十"),
    ("1/3", "一分之三"),
    ("¥5", "五美元"),
    ("5元", "五块"),
    ("$5", "五欧元"),
    ("25°C", "25°F"),
    ("-5℃", "5℃"),
    ("-5℃", "五度"),
    ("5kg", "五公里"),
    ("5 km", "五米"),
    ("3-5天", "三四天"),
    ("三万", "三千"),
    ("3亿", "三万"),
    ("他", "她"),
    ("的", "得"),
    ("图书馆", "图书店"),
    ("iPhone 15", "iphone fifty"),
    ("A4纸", "a十纸"),
    ("email", "mail"),
    ("买", "卖"),
    ("第1", "第七"),
    ("13800138000", "一三八零零一三八零零一"),
]


def alike(text: str, heard: str) -> bool:
    said, transcribed = closest(chinese.items(text, "zh"), chinese.items(heard, "zh"))
    return said == transcribed


@pytest.mark.parametrize(("text", "heard"), SAME)
def test_what_sounds_the_same_is_equal(text: str, heard: str) -> None:
    assert alike(text, heard)
    assert alike(heard, text)


@pytest.mark.parametrize(("text", "heard"), DIFFERENT)
def test_what_sounds_different_is_not_equal(text: str, heard: str) -> None:
    assert not alike(text, heard)
    assert not alike(heard, text)


NUMBERS = st.integers(0, 10**13).map(str) | st.integers(0, 3000).map(str) | st.integers(0, 10**7).map("{:,}".format)
CHARACTERS = st.text("零一二两三十百千万点半年月幺负", max_size=6)


@given(st.integers(0, 10**11))
def test_every_quantity_is_equal_to_its_characters(number: int) -> None:
    assert alike(str(number), cn2an.an2cn(number, "low"))


@given(NUMBERS, NUMBERS)
def test_two_numbers_are_equal_only_if_their_digits_are(one: str, other: str) -> None:
    assert alike(one, other) is (one.replace(",", "") == other.replace(",", ""))


@given(st.tuples(st.integers(0, 23), st.integers(0, 59)), st.tuples(st.integers(0, 23), st.integers(0, 59)))
def test_two_times_are_equal_only_if_they_are_the_same(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert alike("{}:{:02}".format(*one), "{}:{:02}".format(*other)) is (one == other)


@given(CHARACTERS, CHARACTERS)
def test_characters_are_equal_only_to_themselves(one: str, other: str) -> None:
    assert alike(one, other) is (one == other)


@given(st.text(max_size=60) | st.text("0123456789.-:/%¥年万 abg", max_size=20))
def test_every_text_is_equal_to_itself_and_the_sides_can_be_exchanged(text: str) -> None:
    assert alike(text, text)
    assert alike(text, text[::-1]) is alike(text[::-1], text)
