"""Checks what catalog and lock say of a pin against the dataclasses that describe it.

Owns how faults are told: one line each, with the place. pydantic does the checking. It is imported at the first check:
hosts that read neither file are spared 0.2 s and 8 MB, and `ringtrue doctor` runs where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from shared.values.faults import AND_MORE, MOST_FAULTS
from shared.weights.errors import CatalogInvalid

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

T = TypeVar("T")

EXACT: Mapping[str, str] = {"extra": "forbid"}
"""``__pydantic_config__`` of a dataclass, and so of those inside it: every member must be known."""
_WORDS: Mapping[str, str] = {
    "missing": "{name} is missing",
    "unexpected_keyword_argument": "unknown member {name}",
    "string_type": "{name} is text, not {input!r}",
    "bool_type": "{name} is true or false, not {input!r}",
    "tuple_type": "{name} is an array, not {input!r}",
    "dict_type": "{name} must be a table, not {input!r}",
    "dataclass_type": "{name} must be a table, not {input!r}",
}
"""What is said of a fault, by pydantic's type of it. Of others, pydantic's own words are said."""


@dataclass(frozen=True, slots=True)
class MemberRule:
    """In ``Annotated``: what a value must be besides its type, and what is said of another one, ``{}``."""

    holds: Callable[[Any], object]
    otherwise: str
    only_if: str | None = None
    """The rule is for checks in this context; None: for all."""

    def __get_pydantic_core_schema__(self, kind: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        return core_schema.with_info_after_validator_function(self._checked, handler(kind))

    def _checked(self, value: T, info: Any) -> T:
        if self.only_if in (None, info.context) and not self.holds(value):
            raise ValueError(self.otherwise.format(value))
        return value


class Strict:
    """In ``Annotated``: nothing is converted to the type."""

    def __get_pydantic_core_schema__(self, kind: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(kind) | {"strict": True}


def checked(shape: Callable[..., T], data: object, context: str | None = None) -> T:
    """Return ``data`` as a ``shape``, a dataclass.

    Raises `CatalogInvalid` with one line for each fault, up to `MOST_FAULTS`.
    """
    from pydantic import ValidationError

    try:
        found: T = _adapter(shape).validate_python(data, context=context)
    except ValidationError as error:
        told = [_told(fault, shape) for fault in error.errors(include_url=False)[:MOST_FAULTS]]
        raise CatalogInvalid("\n".join(told + [AND_MORE] * (error.error_count() > MOST_FAULTS))) from None
    return found


def every_pin(
    path: object, pins: Mapping[str, object], read: Callable[[str, Any], T], wrong: Iterable[str] = ()
) -> dict[str, T]:
    """Return every pin as ``read``. ``wrong``: faults that are known already.

    Raises `CatalogInvalid` with one line for each fault.
    """
    found, told = {}, [*wrong]
    for name, said in pins.items():
        try:
            found[name] = read(name, said)
        except CatalogInvalid as error:
            told += [f"{path}, pin {name}: {fault}" for fault in str(error).splitlines()]
    if told:
        raise CatalogInvalid("\n".join(told))
    return found


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(shape)


def _told(fault: ErrorDetails, shape: Any) -> str:
    """Return a fault after its place: ``component 1: source 2: url is text, not 3``."""
    steps = list[str]()
    for step in fault["loc"]:
        if isinstance(step, int):
            steps[-1] = f"{steps[-1].removesuffix('s')} {step + 1}"
        elif step != "[key]":  # of a mapping: the wrong key is the step before
            steps.append(step)
    *around, name = steps or ["a pin"]
    words = _WORDS.get(fault["type"], "{name}: {other}")
    what = words.format(name=name, input=fault["input"], other=fault["msg"].removeprefix("Value error, "))
    if fault["type"] == "unexpected_keyword_argument":
        for step in fault["loc"][:-1]:
            shape = get_type_hints(shape)[step] if isinstance(step, str) else get_args(shape)[0]
        what += f"; known members: {', '.join(field.name for field in fields(shape) if field.name != 'name')}"
    return ": ".join([*around, what])
