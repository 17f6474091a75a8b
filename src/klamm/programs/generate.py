"""Writes what is generated from the code, or with --check says what is stale. Run by `make`.

That is install/ and the same in charts/klamm (definitions, roles, bindings), what Prometheus and Grafana load
(examples/metrics, and files of the chart), and the references in docs/guides and docs/reference.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from klamm.cli.reference import with_reference
from klamm.programs.installation_files import chart_templates, plain_manifests
from klamm.programs.metrics_reference import metrics_reference
from klamm.programs.monitoring_files import chart_files, examples, with_alerts
from klamm.resources import crds

ROOT = Path(__file__).parents[3]
INSTALL = ROOT / "install"
CHART = ROOT / "charts" / "klamm"


def generated() -> Mapping[Path, str]:
    """Every generated file of the repository with its content."""
    definitions = {crds.file_name(definition): crds.render(definition) for definition in crds.all_definitions()}
    guides = ROOT / "docs" / "guides"
    commands, monitoring = guides / "command-line.md", guides / "monitoring.md"
    return {
        **_below(INSTALL / "crds", definitions),
        **_below(CHART / "crds", definitions),
        **_below(INSTALL / "cluster-operator", plain_manifests()),
        **_below(CHART / "templates", chart_templates()),
        **_below(ROOT / "examples" / "metrics", examples()),
        **_below(CHART / "files", chart_files()),
        commands: with_reference(commands.read_text(encoding="utf-8")),
        monitoring: with_alerts(monitoring.read_text(encoding="utf-8")),
        ROOT / "docs" / "reference" / "operator-metrics.md": metrics_reference(),
    }


def _below(folder: Path, texts: Mapping[str, str]) -> dict[Path, str]:
    return {folder / name: text for name, text in texts.items()}


def stale(wanted: Mapping[Path, str]) -> list[Path]:
    return [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when something is stale")
    check = parser.parse_args().check
    wanted = generated()
    for path in stale(wanted):
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
    if check and stale(wanted):
        print("run `make generate` and commit the result")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
