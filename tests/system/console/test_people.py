"""People of different roles before real brokers: who sees what; what he did is on the audit page and in its topic."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.builders.browser import Tab, browser
from tests.builders.real_brokers import RealBrokers
from tests.builders.running_console import cluster_settings, running_console

from klamm.console.audit.trail import AuditSettings
from klamm.console.identity.reading import access
from klamm.console.settings import Settings

_EVERYTHING = [
    {"resource": "topic", "value": ".*", "actions": "all"},
    {"resource": "audit", "actions": "all"},
]


def _role(user: str, permissions: list[dict[str, Any]]) -> dict[str, Any]:
    subject = {"provider": "login_form", "type": "user", "value": user}
    return {"name": user, "clusters": ["kafka"], "subjects": [subject], "permissions": permissions}


_ACCESS = access(
    {
        "auth": {
            "type": "LOGIN_FORM",
            "users": [{"name": one, "password": f"pw-of-{one}"} for one in ("ann", "ben")],
        },
        "rbac": {
            "roles": [
                _role("ann", _EVERYTHING),
                _role("ben", [{"resource": "topic", "value": "ben-.*", "actions": ["view"]}]),
            ]
        },
    },
    ["kafka"],
)


async def _log_in(tab: Tab, user: str) -> None:
    await tab.fill("User", user)
    await tab.fill("Password", f"pw-of-{user}")
    await tab.run("document.querySelector('form button[type=submit]').click()")
    await tab.until_shown("Log out")


async def test_people_log_in_do_what_they_may_and_it_is_noted(brokers: RealBrokers, tmp_path: Path) -> None:
    audit = AuditSettings(to_topic=True, topic="audit-of-console")
    cluster = replace(cluster_settings(brokers.bootstrap), audit=audit)
    async with running_console(settings=Settings((cluster,), access=_ACCESS)) as console, browser(tmp_path) as tab:
        await tab.open(f"{console.url}/clusters/kafka/topics")
        await tab.until_shown("Log in")
        await _log_in(tab, "ann")
        await tab.until("location.pathname === '/clusters/kafka/topics'", "the page that was wanted")
        for name in ("ben-1", "ann-1"):
            await tab.click("Create a topic")
            await tab.fill("Name", name)
            await tab.click("Create")
            await tab.until_shown(f"Topic {name} was created")
        await tab.click("Audit")
        await tab.until_shown("topic ann-1")
        await tab.until_shown("topic ben-1")
        await tab.click("Log out")
        await tab.until_shown("Password")

        await _log_in(tab, "ben")
        await tab.click("kafka")
        await tab.click("Topics")
        await tab.until_shown("ben-1")
        text = await tab.text()
        assert "ann-1" not in text
        assert "Create a topic" not in text
        assert "Audit" not in text
        await tab.open(f"{console.url}/clusters/kafka/topics/ann-1")
        await tab.until_shown("ben may not view topic ann-1")
        await tab.open(f"{console.url}/clusters/kafka/topics/ben-1")
        await tab.until_shown("as of")
        assert "Delete" not in await tab.text()
        cookies = (await tab.call("Network.getCookies", urls=[console.url]))["cookies"]
        assert [(one["httpOnly"], one["sameSite"]) for one in cookies] == [(True, "Lax")]
        assert await tab.run("document.cookie") == ""

    read = ["--topic", "audit-of-console", "--from-beginning", "--max-messages", "2", "--timeout-ms", "60000"]
    lines = brokers.tool("kafka-console-consumer.sh", *read).splitlines()
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    assert [(one["who"], one["what"], one["object"], one["outcome"]) for one in entries] == [
        ("ann", "Create a topic", "ben-1", "ok"),
        ("ann", "Create a topic", "ann-1", "ok"),
    ]
    assert "pw-of" not in "".join(lines)
