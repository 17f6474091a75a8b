"""`promtool`, Prometheus' own judge of rules, fed with series as they are written here: minutes of values."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from klamm.monitoring.alerts import DEFAULT, rule_group
from klamm.monitoring.rules import groups

EVERY = 15
"""Seconds between two samples."""

needs_prometheus = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="there is no promtool: apt-get install prometheus"
)

Minutes = tuple[float | str | None, float]
"""(value, for how many minutes); None: no sample; "+5": grows by 5 with every sample; "now": the sample's time."""
Series = Mapping[str, Sequence[Minutes]]


@dataclass(frozen=True)
class Case:
    """`series`: what Prometheus sees. At the minutes `quiet` the alert does not fire, at `fires` it does."""

    series: Series
    fires: Sequence[float]
    quiet: Sequence[float]


def write_rules(folder: Path) -> Path:
    path = folder / "rules.yml"
    path.write_text(json.dumps({"groups": [rule_group(group) for group in groups(DEFAULT)]}))
    return path


def written_values(minutes: Sequence[Minutes]) -> str:
    parts, last, before = [], 0.0, 0
    for value, length in minutes:
        samples = round(length * 60 / EVERY)
        if value is None:
            # As when a series is gone from the next scrape.
            parts.append(f"stale _x{samples - 1}")
        elif value == "now":
            parts.append(f"{before * EVERY}+{EVERY}x{samples - 1}")
        elif isinstance(value, str):
            parts.append(f"{last:g}{value}x{samples - 1}")
            last += float(value) * (samples - 1)
        else:
            last = float(value)
            parts.append(f"{last:g}x{samples - 1}")
        before += samples
    return " ".join(parts)


def write_test(folder: Path, alert: str, case: Case) -> Path:
    write_rules(folder)
    looks = sorted([(minute, True) for minute in case.fires] + [(minute, False) for minute in case.quiet])
    test = {
        "interval": f"{EVERY}s",
        "input_series": [{"series": name, "values": written_values(values)} for name, values in case.series.items()],
        "promql_expr_test": [
            {
                "expr": f'count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
                "eval_time": f"{round(minute * 60)}s",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if fires else [],
            }
            for minute, fires in looks
        ],
    }
    path = folder / "test.yml"
    path.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": f"{EVERY}s", "tests": [test]}))
    return path


def judge(folder: Path, series: Series, minute: float, wanted: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Compare what expressions give at that minute: expression → (labels as `{a="b"}`, value). "" when all is so."""
    test = {
        "interval": f"{EVERY}s",
        "input_series": [{"series": name, "values": written_values(values)} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": expression,
                "eval_time": f"{round(minute * 60)}s",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in samples],
            }
            for expression, samples in wanted.items()
        ],
    }
    path = folder / "test.yml"
    path.write_text(json.dumps({"evaluation_interval": f"{EVERY}s", "tests": [test]}))
    code, said = promtool("test", "rules", str(path))
    return said if code else ""


def promtool(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=180, check=False)
    return done.returncode, done.stdout + done.stderr
