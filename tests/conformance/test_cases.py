"""Every case is played on localkube and on a real kube-apiserver, and the transcripts are the same."""

from pathlib import Path

import pytest
from tests.conformance.case import Case, read_cases
from tests.conformance.conftest import Sessions
from tests.conformance.transcripts import Transcript, differences

from klamm.base.together import side_by_side

CASES = read_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", CASES, ids=[f"{case.file}: {case.name}" for case in CASES])
async def test_localkube_answers_as_kubernetes_does(case: Case, localkube: Sessions, kubernetes: Sessions) -> None:
    ours, theirs = await side_by_side(*(Transcript(*one, case).play() for one in (localkube, kubernetes)))
    found = differences(ours, theirs)
    if case.differs:
        assert found, f"it no longer differs; take away: {case.differs}"
    else:
        assert not found, "\n".join(found)
