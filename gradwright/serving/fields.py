"""What may be asked: one table, from which questions are checked and the API is described."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class MalformedError(Exception):
    """A request that is no question: its status of HTTP, and what was expected."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Field:
    """A member of a question.

    Attributes:
        name: Its key.
        about: What it is, a sentence.
        default: What it is where it is left out; None where it has to be given. Its type is the field's.
        kind: The type of a field that has to be given.
        choices: The values it may have; any if empty.
        longest: Characters of a text, or of each of a list.
        most: Texts of a list.
        example: One value.
    """

    name: str
    about: str
    default: Any = None
    kind: type = str
    choices: tuple[Any, ...] = ()
    longest: int = 20_000
    most: int = 64
    example: Any = None

    @property
    def type(self) -> type:
        """``str``, ``int``, or ``list`` of texts."""
        return self.kind if self.default is None else type(self.default)

    def checked(self, value: Any) -> Any:
        """Return a value that can be this field.

        Raises:
            MalformedError: It cannot.
        """
        if type(value) is not self.type:  # True is an int to isinstance
            raise MalformedError(400, f"{self.name}: expected {_WORDS[self.type]}, came {_named(value)}")
        texts = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        if len(texts) > self.most:
            raise MalformedError(400, f"{self.name}: expected at most {self.most} texts, came {len(texts)}")
        for text in texts:
            if not isinstance(text, str):
                raise MalformedError(400, f"{self.name}: expected a list of texts, one of them is {_named(text)}")
            if len(text) > self.longest:
                raise MalformedError(413, f"{self.name}: expected at most {self.longest} characters, came {len(text)}")
        if self.choices and value not in self.choices:
            expected = ", ".join(map(str, self.choices))
            raise MalformedError(400, f"{self.name}: expected one of {expected}, came {str(value)[:80]!r}")
        return value


_WORDS: Mapping[type, str] = {str: "a text", int: "a whole number", list: "a list of texts"}


def _named(value: Any) -> str:
    names = {bool: "true or false", float: "a number", int: "a whole number", str: "a text", list: "a list",
             dict: "an object"}
    return names.get(type(value), "null")


@dataclass(frozen=True)
class Endpoint:
    """A question that the API answers.

    Attributes:
        name: The last part of its path, and the task of a worker.
        about: What it does, a sentence.
        command: The command with the same answer, if there is one.
        fields: What is asked.
        answer: What comes back, in words.
    """

    name: str
    about: str
    fields: Sequence[Field]
    answer: str
    command: str = ""

    @property
    def largest(self) -> int:
        """Bytes of a body: a character may have six in JSON, as one that is written by its code has."""
        return 4096 + 6 * max(f.longest for f in self.fields)

    def checked(self, body: bytes) -> dict[str, Any]:
        """Return the question that a body asks, with all of its fields.

        Raises:
            MalformedError: It is none.
        """
        return self.question(_parsed(body))

    def question(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the question that these fields ask, with those that were left out.

        Raises:
            MalformedError: It is none.
        """
        known = {f.name: f for f in self.fields}
        for key in data:
            if key not in known:
                raise MalformedError(400, f"unknown field {key[:80]!r}; expected {', '.join(known)}")
        for field in self.fields:
            if field.default is None and field.name not in data:
                raise MalformedError(400, f"the field {field.name!r} is missing: {field.about}")
        return {f.name: f.checked(data[f.name]) if f.name in data else f.default for f in self.fields}


def _parsed(body: bytes) -> dict[str, Any]:
    def refuse(word: str) -> Any:
        raise MalformedError(400, f"expected JSON, which has no {word}")

    try:
        data = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise MalformedError(400, f"expected UTF-8, byte {error.start + 1} is none") from None
    except RecursionError:
        raise MalformedError(400, "expected a flat JSON object, came one nested too deeply") from None
    except ValueError as error:  # also of integers with more than 4,300 digits
        raise MalformedError(400, f"expected JSON: {str(error)[:120]}") from None
    if not isinstance(data, dict):
        raise MalformedError(400, f"expected a JSON object, came {_named(data)}")
    return data
