"""Whether Java can read a regular expression, told without Java: its grammar, followed sign by sign.

Python's `re` is no judge of that: it takes `kafka{` and `a[[:b]`, for which a JVM ends, and refuses `(?<=a+)b`, which
Java runs. Three things only Java can judge, so they pass here: names of character properties, how long a look-behind
may become, and all that follows the flag x, which changes what a blank means.
"""

import re
from collections.abc import Callable

_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", re.DOTALL)
_GROUP_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")
_AMOUNT = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_FLAGS = re.compile(r"\(\?[imsducUx]*(?:-[imsducUx]*)?\)")
_FLAGS_OF_GROUP = re.compile(r"[imsducUx]*(?:-[imsducUx]*)?:")
_PROPERTY = re.compile(r"\{[^{}]+\}|[^{]")
_CHARACTER = re.compile(r"u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]+)\}|0([0-3]?[0-7]{1,2})|c(.)", re.DOTALL)
_LARGEST = 2**31 - 1
_LAST_CHARACTER = 0x10FFFF

_SIGNS = {"a": 7, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9}
_CLASSES = frozenset("dDhHsSvVwW")
_PLACES = frozenset("ABGZzbRX")


def reason_java_cannot_read(pattern: str) -> str | None:
    """What is wrong with the pattern; None when Java reads it (or may: see above)."""
    try:
        _Pattern(_without_quotes(pattern)).check()
    except _Wrong as error:
        return str(error)
    except RecursionError:
        return "it is nested too deep"
    except _OnlyJavaKnows:
        return None
    return None


class _Wrong(Exception):
    """Java would refuse the pattern."""


class _OnlyJavaKnows(Exception):
    """From here on this grammar does not hold."""


def _without_quotes(pattern: str) -> str:
    r"""Between \Q and \E each sign stands for itself."""

    def escaped(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return "".join(one if one.isalnum() or not one.isascii() else f"\\{one}" for one in found[1])

    return _QUOTED.sub(escaped, pattern)


class _Pattern:
    """One reading from left to right; every method leaves `_at` behind what it has read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._names: set[str] = set()

    def check(self) -> None:
        self._alternatives()
        if self._at < len(self._text):
            raise _Wrong("a ) closes nothing")

    def _peek(self, ahead: int = 0) -> str:
        return self._text[self._at + ahead : self._at + ahead + 1]

    def _take(self) -> str:
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _found(self, grammar: re.Pattern[str]) -> re.Match[str] | None:
        found = grammar.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _starts(self, *words: str) -> bool:
        """Whether one of them is next; it is read then."""
        for word in words:
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return True
        return False

    def _alternatives(self) -> None:
        while (sign := self._peek()) not in ("", ")"):
            self._item(sign)

    def _item(self, sign: str) -> None:
        """One thing and how often it may come."""
        if sign == "|" or (sign == "(" and self._flags()):
            self._at += sign == "|"
            return
        if sign in "*+?":
            raise _Wrong(f"nothing stands before {sign}")
        items: dict[str, Callable[[], object]] = {"(": self._group, "[": self._class, "\\": self._escape}
        if sign != "{":  # which counts what stands before it, if only nothing
            items.get(sign, self._take)()
        self._how_often()

    def _how_often(self) -> None:
        if self._peek() == "{":
            amount = self._found(_AMOUNT)
            if amount is None:
                raise _Wrong("a { begins no number of times")
            least, most = int(amount[1]), int(amount[3] or _LARGEST) if amount[2] else int(amount[1])
            if not least <= most <= _LARGEST:
                raise _Wrong(f"{amount[0]} is no number of times")
        elif not self._starts("*", "+", "?"):
            return
        self._starts("?", "+")

    def _flags(self) -> bool:
        """Whether flags that stand alone are next, as (?i); they are read then."""
        found = self._found(_FLAGS)
        if found and "x" in found[0]:
            raise _OnlyJavaKnows
        return found is not None

    def _group(self) -> None:
        self._at += 1
        if self._starts("?"):
            self._kind_of_group()
        self._alternatives()
        if self._take() != ")":
            raise _Wrong("a ( is not closed")

    def _kind_of_group(self) -> None:
        if self._starts(":", "=", "!", ">", "<=", "<!"):
            return
        if self._starts("<"):
            self._names.add(self._new_name())
        elif flags := self._found(_FLAGS_OF_GROUP):
            if "x" in flags[0]:
                raise _OnlyJavaKnows
        else:
            raise _Wrong(f"(?{self._peek()} is no kind of group")

    def _new_name(self) -> str:
        name = self._name()
        if name in self._names:
            raise _Wrong(f"the group {name} is there twice")
        return name

    def _name(self) -> str:
        name = self._found(_GROUP_NAME)
        if name is None or self._take() != ">":
            raise _Wrong("a group's name has letters and digits and ends with >")
        return name[0]

    def _escape(self) -> None:
        """Outside of [ ], where it may name a place or another group."""
        sign = self._peek(1)
        if sign and sign in "123456789":
            self._at += 2
        elif sign == "k":
            self._at += 2
            if not self._starts("<") or self._name() not in self._names:
                raise _Wrong(r"\k names no group that stands before it")
        elif sign in _PLACES:
            self._at += 2
            if sign == "b" and self._starts("{g") and not self._starts("}"):
                raise _Wrong(r"\b{g is not closed")
        else:
            self._character()

    def _character(self) -> int | None:
        r"""A sign or an escape as it may stand everywhere: its number, None for one that stands for many, as \d."""
        sign = self._take()
        if sign != "\\":
            return ord(sign)
        if found := self._found(_CHARACTER):
            return self._number(found)
        sign = self._take()
        if sign in ("p", "P"):
            if not self._found(_PROPERTY):
                raise _Wrong(f"\\{sign} names no property")
            return None
        if sign == "N":
            if not self._found(_PROPERTY) or self._peek(-1) != "}":
                raise _Wrong(r"\N names no character")
            return _LAST_CHARACTER
        if sign in _CLASSES:
            return None
        if sign in _SIGNS:
            return _SIGNS[sign]
        if not sign or (sign.isascii() and sign.isalnum()):
            raise _Wrong(f"\\{sign} stands for nothing")
        return ord(sign)

    def _number(self, found: re.Match[str]) -> int:
        if found[5]:
            return ord(found[5]) ^ 64
        number = int(found[4], 8) if found[4] else int(found[1] or found[2] or found[3], 16)
        if number > _LAST_CHARACTER:
            raise _Wrong(f"\\{found[0]} is beyond the last character")
        return number

    def _class(self) -> None:
        self._at += 1
        self._starts("^")
        self._signs(closes=True)

    def _signs(self, *, closes: bool) -> None:
        """What stands in [ ]. The first ] stands for itself; the one that ends it is read if it `closes`."""
        some = False
        while True:
            sign = self._peek()
            if not sign:
                raise _Wrong("a [ is not closed")
            if sign == "]" and some:
                self._at += closes
                return
            if sign == "[":
                self._class()
            elif self._starts("&&"):
                if not self._other_side() and not some:
                    raise _Wrong("nothing stands on either side of &&")
            else:
                self._range()
            some = True

    def _other_side(self) -> bool:
        """What follows &&; whether anything does."""
        some = False
        while (sign := self._peek()) not in ("]", "&"):
            if sign == "[":
                self._class()
            else:
                self._signs(closes=False)
            some = True
        return some

    def _range(self) -> None:
        first = self._character()
        if first is None or self._peek() != "-" or self._peek(1) in ("[", "]"):
            return
        self._at += 1
        if not self._peek():
            raise _Wrong("a [ is not closed")
        last = self._character()
        if last is None or last < first:
            raise _Wrong("a range in [ ] runs backwards")
