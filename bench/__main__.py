"""`make bench [ROUNDS=5]`: prints every figure of this folder (see README.md)."""

import os
import sys
from pathlib import Path

from bench import broker_metrics, console, console_search, console_world, exporter, idle, load, operator, start


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    cache = Path(os.environ.get("KLAMM_CACHE") or Path.home() / ".cache" / "klamm")
    idle_lines: list[str] = []
    print(f"start: until Ready and a record has come back, {rounds} rounds", flush=True)
    lines = start.measure(rounds, cache, lambda environment: idle_lines.extend(idle.measure(environment)))
    print("\n".join(lines))
    print(f"idle: Python processes beside an idle cluster, over {idle.SECONDS:g} s")
    print("\n".join(idle_lines))
    print(f"load: {load.OBJECTS} ConfigMaps, {load.WATCHES} watches", flush=True)
    print("\n".join(load.measure()))
    print("operator: on a real kube-apiserver with pretended nodes", flush=True)
    print("\n".join(operator.measure()))
    print(f"metrics of a broker: {broker_metrics.TOPICS} topics of {broker_metrics.PARTITIONS} partitions", flush=True)
    for line in broker_metrics.measure(cache):
        print(f"  {line}", flush=True)
    print(f"exporter: {exporter.TITLE}", flush=True)
    print("\n".join(exporter.measure(cache)))
    print(f"console: {console_world.TITLE}", flush=True)
    print("\n".join(console.measure()))
    print(f"console search: {console_search.TITLE}", flush=True)
    print("\n".join(console_search.measure(cache)))


if __name__ == "__main__":
    main()
