"""Aliases move from pin to pin and back, and a candidate is given to a steady share of users."""

from __future__ import annotations

from itertools import pairwise

import pytest

from shared.aliases import (
    Alias,
    AliasRefused,
    Move,
    MoveKind,
    is_drawn,
    promoted,
    read_alias,
    read_alias_for,
    rolled_back,
    signed,
)

ANN = signed("ann", "it sounds better", 1000.0)
PRODUCTION, CANDIDATE = Alias("indextts2", "production"), Alias("indextts2", "candidate")
V21, V22, V23 = (f"indextts2-{version}" for version in ("v21", "v22", "v23"))
USERS = [f"user-{number}" for number in range(2000)]


class Book:
    """What a store does with moves."""

    def __init__(self) -> None:
        self.moves: list[Move] = []

    @property
    def last(self) -> dict[Alias, Move]:
        return {move.alias: move for move in self.moves}

    def history(self, alias: Alias) -> list[Move]:
        return [move for move in self.moves if move.alias == alias]

    def promote(self, alias: Alias, pin: str, weight: float = 0.0) -> list[Move]:
        moves = promoted(self.last, alias, pin, weight, ANN)
        self.moves += moves
        return moves

    def rollback(self, alias: Alias) -> list[Move]:
        moves = rolled_back(self.history(alias), self.last, alias, ANN)
        self.moves += moves
        return moves


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_first_promotion_leaves_no_pin_behind(book: Book) -> None:
    assert book.promote(PRODUCTION, V21) == [Move(PRODUCTION, 1, MoveKind.PROMOTE, V21, None, 0.0, ANN)]


def test_a_move_says_where_it_came_from(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    assert book.promote(PRODUCTION, V23) == [Move(PRODUCTION, 2, MoveKind.PROMOTE, V23, V21, 0.0, ANN)]


def test_promoting_what_is_there_changes_nothing(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    book.promote(CANDIDATE, V23, 0.1)
    assert book.promote(PRODUCTION, V21) == []
    assert book.promote(CANDIDATE, V23, 0.1) == []


def test_a_weight_is_changed_by_promoting_again(book: Book) -> None:
    book.promote(CANDIDATE, V23, 0.1)
    assert [(move.previous, move.weight) for move in book.promote(CANDIDATE, V23, 0.5)] == [(V23, 0.5)]


def test_rolling_back_goes_to_the_pin_before(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    book.promote(PRODUCTION, V23)
    assert book.rollback(PRODUCTION) == [Move(PRODUCTION, 3, MoveKind.ROLLBACK, V21, V23, 0.0, ANN)]


def test_rolling_back_again_goes_further_back(book: Book) -> None:
    for pin in (V21, V22, V23):
        book.promote(PRODUCTION, pin)
    assert [book.rollback(PRODUCTION)[0].pin for _ in range(2)] == [V22, V21]


def test_after_a_rollback_the_next_promotion_is_taken_back_alone(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    book.promote(PRODUCTION, V22)
    book.rollback(PRODUCTION)
    book.promote(PRODUCTION, V23)
    assert book.rollback(PRODUCTION)[0].pin == V21


def test_a_weight_that_was_changed_is_no_pin_before(book: Book) -> None:
    book.promote(CANDIDATE, V22, 0.2)
    book.promote(CANDIDATE, V23, 0.1)
    book.promote(CANDIDATE, V23, 0.5)
    [back] = book.rollback(CANDIDATE)
    assert (back.pin, back.weight) == (V22, 0.0)


def test_where_there_is_no_pin_before_it_says_so(book: Book) -> None:
    with pytest.raises(AliasRefused, match="there is no alias indextts2@production"):
        book.rollback(PRODUCTION)
    book.promote(PRODUCTION, V21)
    with pytest.raises(AliasRefused, match="has no pin before indextts2-v21"):
        book.rollback(PRODUCTION)


def test_a_candidate_that_becomes_production_ends_its_share(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    book.promote(CANDIDATE, V23, 0.1)
    assert [(move.alias, move.weight) for move in book.promote(PRODUCTION, V23)] == [
        (PRODUCTION, 0.0),
        (CANDIDATE, 0.0),
    ]
    book.rollback(PRODUCTION)
    assert (book.last[PRODUCTION].pin, book.last[CANDIDATE].weight) == (V21, 0.0)


def test_production_that_is_rolled_back_to_the_candidate_ends_its_share(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    book.promote(PRODUCTION, V23)
    book.promote(CANDIDATE, V21, 0.1)
    book.rollback(PRODUCTION)
    assert book.last[CANDIDATE].weight == 0.0


def test_a_share_of_the_pin_that_production_leaves_ends_too(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    both_at_once = promoted(book.last, CANDIDATE, V23, 0.1, ANN)
    book.promote(PRODUCTION, V23)
    book.moves += both_at_once
    book.rollback(PRODUCTION)
    assert book.last[CANDIDATE].weight == 0.0


def test_another_pin_in_production_leaves_the_share_alone(book: Book) -> None:
    book.promote(PRODUCTION, V21)
    book.promote(CANDIDATE, V23, 0.1)
    book.promote(PRODUCTION, V22)
    assert book.last[CANDIDATE].weight == 0.1


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_weight_is_a_share(book: Book, weight: float) -> None:
    with pytest.raises(AliasRefused, match="from 0 to 1"):
        book.promote(CANDIDATE, V23, weight)


@pytest.mark.parametrize("word", ["production", "staging"])
def test_only_a_candidate_takes_a_share(book: Book, word: str) -> None:
    with pytest.raises(AliasRefused, match="only indextts2@candidate can take a share"):
        book.promote(Alias("indextts2", word), V23, 0.1)


def test_production_takes_no_share_of_itself(book: Book) -> None:
    book.promote(PRODUCTION, V23)
    with pytest.raises(AliasRefused, match="cannot also take a share"):
        book.promote(CANDIDATE, V23, 0.1)


@pytest.mark.parametrize(
    "text", ["indextts2@production", "a@b", "piper.en_us-v1@x9", "m" * 64 + "@" + "a" * 32, "indextts2@v23"]
)
def test_an_alias_is_read_as_it_is_written(text: str) -> None:
    assert str(read_alias(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "indextts2", "indextts2@", "@production", "a@b@c", "IndexTTS2@production", "indextts2@Production"),
        *("a@1", "a@-x", "a@x_y", "a@x.y", "a@ x", " a@x", "a@x\n", "a/b@x", "a@" + "x" * 33, "m" * 65 + "@x"),
        *("模型@x", "a@生产"),
    ],
)
def test_what_is_no_alias_is_refused(text: str) -> None:
    with pytest.raises(AliasRefused):
        read_alias(text)


@pytest.mark.parametrize(
    ("pin", "model"),
    [("indextts2-v23", "indextts2"), ("mms-eng-v1", "mms-eng"), ("bark-v1.2", "bark"), ("a-v-v1", "a-v")],
)
def test_a_bare_alias_belongs_to_the_model_that_the_pin_names(pin: str, model: str) -> None:
    assert read_alias_for("production", pin) == Alias(model, "production")


@pytest.mark.parametrize(
    "pin", ["mms-eng", "bark", "-v1", "a-v1-v2", "a-v1-small", "a-vits", "a-v", "a-v1-v", "v1", ""]
)
def test_a_bare_alias_of_a_pin_that_names_no_model_is_refused(pin: str) -> None:
    with pytest.raises(AliasRefused):
        read_alias_for("production", pin)


def test_a_whole_alias_may_belong_to_any_model() -> None:
    assert read_alias_for("reader@production", "mms-eng") == Alias("reader", "production")


@pytest.mark.parametrize(
    ("by", "reason"), [("", "why"), (" ", "why"), ("ann", ""), ("ann", "two\nlines"), ("a" * 101, "y")]
)
def test_a_move_is_signed(by: str, reason: str) -> None:
    with pytest.raises(AliasRefused, match="a move must say wh"):
        signed(by, reason, 1000.0)


def drawn(pin: str, weight: float) -> set[str]:
    return {user for user in USERS if is_drawn("indextts2", pin, user, weight)}


@pytest.mark.parametrize("weight", [0.01, 0.1, 0.5, 0.9])
def test_a_share_is_as_large_as_its_weight(weight: float) -> None:
    assert abs(len(drawn(V23, weight)) / len(USERS) - weight) <= 0.02


def test_nobody_and_everybody_are_shares_too() -> None:
    assert (len(drawn(V23, 0.0)), len(drawn(V23, 1.0))) == (0, len(USERS))


def test_a_larger_weight_keeps_the_users_it_had() -> None:
    shares = [drawn(V23, weight / 20) for weight in range(21)]
    assert all(smaller <= larger for smaller, larger in pairwise(shares))


def test_another_candidate_draws_other_users() -> None:
    both = drawn(V22, 0.1) & drawn(V23, 0.1)
    assert len(both) / len(USERS) < 0.03
