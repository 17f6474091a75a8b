"""Garbage is looked for rarely: a test's own is little, and what stays (types, schemas, thousands of tests) is much.

With Python's thresholds a fifth of all unit tests' time went into walks through what stays.
"""

import gc

import pytest

_ALLOCATED, _YOUNG, _MIDDLE = 50_000, 20, 50


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATED, _YOUNG, _MIDDLE)
