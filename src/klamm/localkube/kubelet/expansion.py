"""$(NAME) in commands, arguments and values of variables (Kubernetes, "Use dependent environment variables")."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` is replaced when the variable is known and left as it stands otherwise; `$$` becomes `$`."""

    def replaced(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return variables.get(match[2], match[0])

    return _REFERENCE.sub(replaced, text)
