"""Start a program of the node: `python -I -S …/klamm/localkube/node/__main__.py guardian|supervisor|relay|doctor …`.

Started by path and without site-packages, so that these long-lived processes load nothing that they do not use.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def main() -> int:
    package_root = os.path.dirname(os.path.dirname(os.path.dirname(_HERE)))
    sys.path[:] = [package_root, *(entry for entry in sys.path if os.path.abspath(entry or ".") != _HERE)]
    program, arguments = sys.argv[1], sys.argv[2:]
    if program == "supervisor":
        from klamm.localkube.node.supervisor_start import main as program_main
    elif program == "relay":
        from klamm.localkube.node.relay import main as program_main
    elif program == "guardian":
        from klamm.localkube.node.guardian_start import main as program_main
    elif program == "doctor":
        from klamm.localkube.node.requirements import main as program_main
    else:
        print(f"unknown program {program}: guardian, supervisor, relay or doctor", file=sys.stderr)
        return 2
    return program_main(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
