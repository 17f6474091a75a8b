"""Prints how much of Strimzi's CRDs ours cover: `python -m klamm.programs.coverage PATHS.json.gz` (see tests/)."""

import gzip
import json
import sys
from pathlib import Path

from klamm.resources.coverage import missing_paths


def main() -> int:
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/unit/resources/strimzi-crd-paths.json.gz")
    whole = True
    for one in missing_paths(json.loads(gzip.decompress(file.read_bytes()))):
        print(f"{one.share:7.2%}  {one.version:8} {one.crd} ({one.wanted} paths)")
        for path in (*one.missing, *(f"{path}: {ours}, not {theirs}" for path, theirs, ours in one.different)):
            print(f"         {path}")
            whole = False
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
