"""Where sentences end, and where an abbreviation, an initial, a decimal or a time only looks like the end."""

from __future__ import annotations

import pytest

from services.worker.texts.sentences import sentences

NAMES = {
    "en": ("Johnson", "Mr. Mrs. Ms. Mx. Dr. Prof. St. Rev. Hon. Gen. Col. Maj. Capt. Cmdr. Lt. Sgt. Cpl. Pvt. Adm. Gov."
           " Sen. Rep. Pres. Insp. Det. Messrs. Mt. Ft. Sr. vs. Amb. Fr. Supt. Atty."
           " Ald. Pt. esp. incl. viz. cf. approx."),
    "de": ("Müller", "Dr. Prof. Hr. Hrn. Fr. Frl. Fam. Ing. Dipl. bzw. ca. inkl. St. sog. vgl. evtl. ggf. bspw."
           " zzgl. einschl. exkl. Gebr."),
    "fr": ("Dupont", "M. MM. Mme. Mlle. Mgr. Dr. Prof. Pr. St. Ste. env."),
    "es": ("García", "Sr. Sra. Srta. Dr. Dra. D. Dña. Lic. Ing. Av. Ud. Prof. Sto. Sta. Sres. Srta. Arq. Cía. Avda."),
    "it": ("Rossi", "Sig. Sigg. Dott. Ing. Avv. Arch. Prof. Mons. On."),
    "pt": ("Silva", "Sr. Sra. Srta. Dr. Dra. Prof. Profa. Eng. Av. Pe."),
    "nl": ("Jansen", "dhr. mevr. mw. drs. ir. prof. ing. bijv."),
    "pl": ("Kowalski", "dr. prof. inż. mgr. ks. ul. gen. np."),
    "ru": ("Пушкин", "г. ул. пр. им. акад. проф. доц. гр. пл. напр. см. ср."),
    "uk": ("Шевченко", "вул. ім. акад. проф. див."),
    "cs": ("Novák", "Ing. Mgr. doc. např. ul."),
    "sv": ("Svensson", "hr. fr. prof. ca."),
    "tr": ("Yılmaz", "Dr. Prof. Doç. Av. Sn."),
}  # fmt: skip
NUMBERS = {
    "en": "No. Nos. Vol. Fig. Ch. Sec. Art. Eq. p. pp. Jan. Feb. Mar. Apr. Aug. Sept. Oct. Nov. Dec. approx. ext.",
    "de": "Nr. Abb. Tab. Bd. Kap. S. Jan. Dez. ca.",
    "fr": "no. vol. chap. fig. art.",
    "es": "núm. pág. cap. vol.",
    "ru": "стр. рис. табл. гл. кв. д.",
}
FOLLOWED_BY_NAMES = [(tag, one, name) for tag, (name, known) in NAMES.items() for one in known.split()]
FOLLOWED_BY_NUMBERS = [(tag, one) for tag, known in NUMBERS.items() for one in known.split()]


def test_there_are_two_hundred_abbreviations() -> None:
    assert len(FOLLOWED_BY_NAMES) + len(FOLLOWED_BY_NUMBERS) >= 200


@pytest.mark.parametrize(("language", "abbreviation", "name"), FOLLOWED_BY_NAMES)
def test_no_sentence_ends_between_an_abbreviation_and_a_name(language: str, abbreviation: str, name: str) -> None:
    text = f"A b c {abbreviation} {name} d e f."
    assert list(sentences(text, language)) == [text]


@pytest.mark.parametrize(("language", "abbreviation"), FOLLOWED_BY_NUMBERS)
def test_no_sentence_ends_between_an_abbreviation_and_a_number(language: str, abbreviation: str) -> None:
    text = f"A b c {abbreviation} 5 d e f."
    assert list(sentences(text, language)) == [text]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "On Monday the board thanked Ms. Johnson for her work."),
        ("en", "J. R. R. Tolkien and George W. Bush met at 3.14 p.m. sharp, i.e. late, e.g. after tea."),
        ("en", "Version 2.0.1 of example.com costs $1,299.95 in the U.S. today."),
        ("de", "Am 3. Mai kam z. B. Hans, d. h. der Bruder."),
        ("fr", "Vers 50 av. J.-C. toute la Gaule est occupée."),
        ("de", "Der 2. Weltkrieg begann am Fr. 1. September."),
        ("de", "Am Mo. 5. Jan. kam die Fa. Bosch."),
        ("cs", "To byla 2. Světová válka."),
        ("fr", "J.-P. Sartre est né à Paris."),
        ("nl", "De hoofdstad, d.w.z. Amsterdam, is groot."),
        ("en", "On Tues. Mar. 3 we met Bro. Tom."),
        ("ru", "Это г-н. Иванов и г-жа. Петрова."),
        ("ru", "А. С. Пушкин жил на ул. Арбат, д. 53."),
    ],
)
def test_no_sentence_ends_within(language: str, text: str) -> None:
    assert list(sentences(text, language)) == [text]


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ["He is a doctor. ", "Mr. Li came. ", "Is it 3.5? ", "Yes! ", "It is No. 5. ", "We go on."]),
        ("en", ["Is that no? ", "5 people came."]),
        ("en", ["So do I. ", "He left."]),
        ("de", ["Er kam am 3. Mai. ", "Dann ging er."]),
        ("de", ["Es waren 500. ", "Dann kostete es 3,5. ", "Das war 1999. ", "Ende."]),
        ("en", ["He was 5. ", "Then he left."]),
        ("zh", ["我来了。", "他走了！", "Dr. Li来了。", "好"]),
        ("ja", ["来た。", "Mr. 田中は言った。", "はい。"]),
    ],
)
def test_sentences_end_where_they_end(language: str, parts: list[str]) -> None:
    assert list(sentences("".join(parts), language)) == parts
