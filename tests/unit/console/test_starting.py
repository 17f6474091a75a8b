"""What a console does not wait for when it starts."""

import subprocess
import sys

from tests.builders.running_console import running_console


def test_what_only_some_consoles_need_is_not_imported_at_the_start() -> None:
    seldom = ("cryptography", "kafka", "ldap3", "yaml", "celpy", "google.protobuf", "cramjam")
    program = f"import sys, klamm.cli.ui; print([name for name in {seldom} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout == "[]\n"


async def test_a_console_answers_before_a_broker_does() -> None:
    async with running_console(["127.0.0.1:1"]) as console:
        assert (await console.get("/actuator/health")).json == {"status": "UP"}
