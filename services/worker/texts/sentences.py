"""Where the sentences of a text end.

sentencex knows the rules of some 240 languages. This module corrects it where it takes an abbreviation, an initial or a
decimal point for the end of a sentence. Owns the abbreviations that are always followed by a name or a number. Those
that may also end a sentence (etc., a.m., Ltd.) are left to sentencex.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import sentencex

_EVERYWHERE = "Dr Mr Mrs Ms Mx Prof St"
_TITLES: Mapping[str, str] = {
    "en": "Messrs Mme Rev Fr Hon Gen Col Maj Capt Cmdr Lt Sgt Cpl Pvt Adm Gov Sen Rep Pres Supt Insp Det Ald Amb Atty"
    " Sr Bro Mt Ft Pt approx ca cf viz vs esp incl Tues Thurs",
    "de": "Hr Hrn Fr Frl Fam Fa Ing Dipl Mag Hl Bf Gebr ca bzw evtl ggf inkl exkl vgl sog bspw zzgl einschl z.B"
    " d.h u.a",
    "fr": "M MM Mme Mmes Mlle Mlles Me Mgr Pr Ste cf env av apr",
    "es": "Sr Sra Srta Sres D Dña Dra Ud Uds Lic Ing Arq Av Avda Cía Sto Sta Fr p.ej",
    "it": "Sig Sigg Dott Ing Avv Arch Geom On Rag Mons S Ill cfr es",
    "pt": "Sr Sra Srta Dra Profa Eng Av Exmo Exma D Pe Sto Sta",
    "nl": "dhr mevr mw drs ir ing mr jhr bijv ca evt incl excl d.w.z o.a n.a.v i.p.v",
    "pl": "dr prof inż mgr ks płk gen kpt ul al os np tzn tzw św",
    "ru": "г г-н г-жа гг ул пр пл им акад проф доц д-р гр тов о оз пос см ср напр т.е т.н т е",
    "uk": "м вул пр пл ім акад проф доц див напр т",
    "cs": "pan p Ing Mgr doc např tj tzv sv ul",
    "sv": "hr fr prof bl.a t.ex ca s.k",
    "da": "hr fr prof bl.a f.eks ca",
    "tr": "Doç Av Sn Hz bkz örn",
}
"""Abbreviations before a name or another word, by language."""
_BEFORE_NUMBERS = (
    "No Nos Nr Nrn Vol Vols Fig Figs Ch Chap Sec Sect Art Par Eq Tab Abb Bd Kap Ziff S p pp P Pp Pg vol ch chap sec"
    " art fig no nr núm pág págs cap n num tel Tel ext Ext approx ca ок стр с рис Рис табл гл кв д корп r"
)
_DAYS = "Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun Mo Di Mi Do Fr Sa So"
_MONTHS = "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Okt Dez"

_LAST_WORD = re.compile(r"(?:^|[\s(\[{«„“\"'’/-])([^\W\d_][\w.’-]*)\.[\s]*$")
_NUMBERED = frozenset(f"{_BEFORE_NUMBERS} {_MONTHS} {_DAYS}".split())
_ORDINAL = re.compile(r"(?<![\w.,:-])\d{1,2}\.\s+$")
_ORDINALS = "de da nb nn no fi is et lv cs sk pl sl hr bs sr hu tr"
"""Languages that write "second" as ``2.``."""
_FIRST_NAMES = re.compile(r"[^\W\d_]\.-[^\W\d_]")
"""Two initials of one person, such as ``J.-P``."""
_NO_PERSONS = frozenset(("J.-C",))
"""In dates, often at the end of a sentence."""


def sentences(text: str, language: str) -> Iterator[str]:
    """Yield the sentences of ``text``, each with the white space after it. Joined they are the text."""
    titles = _titles_of(language)
    ordinals = _primary(language) in _ORDINALS.split()
    held = ""
    for sentence in sentencex.segment(language, text):
        if held and not _goes_on(held, sentence, titles, ordinals):
            yield held
            held = ""
        held += sentence
    if held:
        yield held


def _titles_of(language: str) -> frozenset[str]:
    own = _TITLES.get(_primary(language), "")
    return frozenset(f"{_EVERYWHERE} {own}".split())


def _primary(language: str) -> str:
    return language.lower().split("-")[0]


def _goes_on(held: str, following: str, titles: frozenset[str], ordinals: bool) -> bool:
    """Return whether the sentence in ``held`` goes on in ``following``. ``ordinals``: whether ``2.`` may be one."""
    if not held[-1].isspace():
        # Chinese and Japanese sentences end without a space after them; a full stop without one ends no sentence
        return held[-1] == "."
    ended = held.rstrip()
    if not ended.endswith(".") or "\n" in held[len(ended) :]:
        return False
    last = _LAST_WORD.search(held)
    word = last.group(1) if last else ""
    if following[:1].isdigit() and word in _NUMBERED:
        return True
    if ordinals and _ORDINAL.search(held):
        return True
    if _FIRST_NAMES.fullmatch(word) and word not in _NO_PERSONS:
        return True
    return word in titles or following[:1].islower()
