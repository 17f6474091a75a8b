"""The table of routes as a whole: rights, document, what the pages' scripts may do."""

import re
from pathlib import Path

import pytest

from klamm import console
from klamm.console import openapi
from klamm.console.access.rights import ACTIONS
from klamm.console.table import ROUTES

_WEB = Path(console.__file__).parent / "web"
_FIRST_LOAD = (
    "index.html",
    "console.css",
    "console.js",
    "dom.js",
    "api.js",
    "icon.svg",
    "page.js",
    "parts.js",
    "who.js",
    "words.js",
)


def test_every_change_needs_a_right() -> None:
    assert [route.path for route in ROUTES if route.method != "GET" and route.right is None and not route.public] == []


@pytest.mark.parametrize("route", [one for one in ROUTES if one.right], ids=lambda one: f"{one.method} {one.path}")
def test_rights_are_of_the_vocabulary(route: object) -> None:
    right = route.right  # type: ignore[attr-defined]
    assert right.action in ACTIONS[right.resource]
    assert right.of is None or f"{{{right.of}}}" in route.path  # type: ignore[attr-defined]


def test_no_route_is_there_twice() -> None:
    keys = [(one.method, one.path) for one in ROUTES]
    assert len(keys) == len(set(keys))


def test_the_document_names_every_route_and_every_reference_leads_somewhere() -> None:
    document = openapi.document(ROUTES)
    assert {(path, method) for path, of in document["paths"].items() for method in of} == {
        (one.path, one.method.lower()) for one in ROUTES
    }
    references = set(re.findall(r"#/components/schemas/([\w\[\], ]+)'", repr(document)))
    assert references <= document["components"]["schemas"].keys()
    operations = [of["operationId"] for methods in document["paths"].values() for of in methods.values()]
    assert len(operations) == len(set(operations))


def test_no_script_writes_markup_or_runs_text() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|DOMParser"
    )
    found = [path.name for path in _WEB.rglob("*.js") if forbidden.search(_code(path))]
    assert found == []


def _code(path: Path) -> str:
    """Without comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.S)


def test_the_first_load_is_small() -> None:
    assert sum((_WEB / name).stat().st_size for name in _FIRST_LOAD) < 150_000


@pytest.mark.parametrize("path", sorted(_WEB.rglob("*.js")), ids=lambda path: path.stem)
def test_a_script_imports_no_name_twice(path: Path) -> None:
    """It would not run at all, and no other test loads every page."""
    imports = re.findall(r"^import \{([^}]*)\}", path.read_text(), re.MULTILINE)
    names = [name.split(" as ")[-1].strip() for line in imports for name in line.split(",")]
    assert len(names) == len(set(names))
