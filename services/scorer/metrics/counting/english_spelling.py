"""The American spelling of an English word, where the British one sounds the same.

Owns the rules and the list of words. A word that the two pronounce differently (aluminium, aeroplane) stays as it is.
Neither rules nor list lead two words of different sound to one spelling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_RULES = tuple(
    (re.compile(pattern), ending)
    for pattern, ending in (
        (
            r"(?P<stem>(?:dis|un|mis)?(?:arbo|ardo|armo|behavio|cando|clamo|colo|demeano|endeavo|favo|fervo|flavo|glamo|"
            r"harbo|hono|humo|labo|neighbo|odo|parlo|ranco|rigo|rumo|savio|savo|splendo|succo|tumo|valo|vapo|vigo))ur",
            "r",
        ),
        (r"(?P<stem>[a-z]{2,}[^aeiouw\W])is(?=(?:e|ed|es|er|ers|ing|ation|ations)$)", "iz"),
        (r"(?P<stem>psychoanal|anal|paral|catal|dial|breathal|hydrol|electrol)ys(?=(?:e|ed|er|ers|ing)$)", "yz"),
        (
            r"(?P<stem>(?:[a-z]*met|cent|epicent|lit|millilit|theat|amphitheat|fib|lust|somb|spect|calib|meag|sab))re(?=s?$)",
            "er",
        ),
        (r"(?P<stem>catal|dial|anal|monol|epil|prol)ogue(?=s?$)", "og"),
        (
            r"(?P<stem>travel|cancel|label|model|level|signal|fuel|dial|counsel|marvel|quarrel|jewel|tunnel|channel|panel|"
            r"shovel|equal|total|rival)l(?=(?:ed|ing|er|ers|or|ors)$)",
            "",
        ),
        (r"(?P<stem>def|off|lic|pret)ence(?=[sd]?$)", "ense"),
    )
)
_ISE = re.compile(
    r"(?:un|en|disen|re)?(?:adv|dev|rev|superv|telev|improv|surpr|compr|enterpr|prom|prem|exerc|exc|disgu|franch|merchand|comprom|expert|"
    r"treat|parad|prec|conc|circumc|inc|dem|desp|chast|advert|repr|appr|tort|porpo|ant|par|"
    r"mort|surm|chem|cer|den|sunr|moonr|highr|upr|ar|ba|cr|rev)is(?:e|ed|es|er|ers|ing|ation|ations)"
)
"""Words that have an s in both spellings."""

_WORDS: Mapping[str, str] = {
    **{"grey": "gray", "greys": "grays", "cheque": "check", "cheques": "checks", "tyre": "tire", "tyres": "tires"},
    **{"greyish": "grayish", "greyer": "grayer"},
    **{"plough": "plow", "ploughs": "plows", "ploughed": "plowed", "ploughing": "plowing", "gaol": "jail"},
    **{"mould": "mold", "moulds": "molds", "mouldy": "moldy", "moulded": "molded", "smoulder": "smolder"},
    **{"moustache": "mustache", "pyjamas": "pajamas", "pyjama": "pajama", "jewellery": "jewelry"},
    **{"sceptic": "skeptic", "sceptical": "skeptical", "sceptics": "skeptics", "scepticism": "skepticism"},
    **{"sulphur": "sulfur", "programme": "program", "programmes": "programs"},
    **{"storey": "story", "storeys": "stories", "kerb": "curb", "kerbs": "curbs", "draught": "draft"},
    **{"draughts": "drafts", "yoghurt": "yogurt", "yoghurts": "yogurts", "whisky": "whiskey", "doughnut": "donut"},
    **{
        "doughnuts": "donuts",
        "practise": "practice",
        "practised": "practiced",
        "practising": "practicing",
        "practises": "practices",
    },
    **{"ageing": "aging", "judgement": "judgment", "judgements": "judgments", "artefact": "artifact"},
    **{"artefacts": "artifacts", "cosy": "cozy", "axe": "ax", "disc": "disk", "discs": "disks", "tonne": "ton"},
    **{"tonnes": "tons", "gramme": "gram", "grammes": "grams", "fulfil": "fulfill", "fulfils": "fulfills"},
    **{"enrol": "enroll", "enrols": "enrolls", "skilful": "skillful", "wilful": "willful", "instalment": "installment"},
    **{"encyclopaedia": "encyclopedia", "anaesthetic": "anesthetic", "paediatric": "pediatric", "foetus": "fetus"},
    **{"oestrogen": "estrogen", "manoeuvre": "maneuver", "manoeuvres": "maneuvers", "diarrhoea": "diarrhea"},
    **{"leukaemia": "leukemia", "anaemia": "anemia", "archaeology": "archeology", "mediaeval": "medieval"},
    **{
        "omelette": "omelet",
        "omelettes": "omelets",
        "likeable": "likable",
        "sulphate": "sulfate",
        "centred": "centered",
    },
    **{"ok": "okay", "thru": "through", "til": "till", "'til": "till"},
}


def american(word: str) -> str:
    """Return the American spelling of a word in lower case; the word itself if it has no other. A possessive is spelled
    like its word."""
    if word.endswith("'s"):
        return f"{american(word[:-2])}'s"
    if word in _WORDS:
        return _WORDS[word]
    for pattern, ending in _RULES:
        if (match := pattern.match(word)) and not (ending == "iz" and _ISE.fullmatch(word)):
            return f"{match['stem']}{ending}{word[match.end() :]}"
    return word
