"""What the reader of a configuration has to say: what cannot be used, and what is of no use."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

_SECRET = ("password", "secret", "jaas", "token", "credential", "apikey", "keystore.key", "keystorekey")


@dataclass(frozen=True, slots=True)
class Wrong:
    """`rule` says what the value must be, and how to mend it. A secret's value is not told."""

    field: str
    value: object
    rule: str

    def __str__(self) -> str:
        shown = "what is set" if self.value and is_secret(self.field) else repr(self.value)
        return f"{self.field}: {shown} {self.rule}"


class Unusable(Exception):
    """Everything that is wrong with a configuration, a line each."""

    def __init__(self, wrong: Iterable[Wrong | str]) -> None:
        super().__init__("\n".join(map(str, wrong)))


@dataclass
class Told:
    wrong: list[Wrong | str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def refuse(self, where: str, value: object, rule: str) -> None:
        self.wrong.append(Wrong(where, value, rule))

    def remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)

    def unknown(self, where: str, name: str, known: Iterable[str]) -> None:
        near = get_close_matches(name.lower(), {one.lower(): one for one in known}, 1, 0.75)
        spelled = next((one for one in known if near and one.lower() == near[0]), None)
        self.remark(f"{where}: is not known{f'; did you mean {spelled}?' if spelled else ', and has no effect'}")


def is_secret(path: str) -> bool:
    plain = path.lower().replace("-", "").replace("_", "")
    return any(word in plain for word in _SECRET)
