"""Exec and port-forward, as Python's client does them over WebSockets, in a pod that runs `ECHO`.

It sends its input as text, and ends it by the closing message of v5. Exec needs a kubelet, so these are not compared
side by side: localkube (tests/system/streams) and a real Kubernetes (tests/on_kubernetes) say `EXPECTED`.
"""

from typing import Any

from kubernetes import client, stream
from tests.conformance.python_client.told import Told

POD, PORT = "talked-to", 7007
ECHO = """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
socketserver.ThreadingTCPServer(("127.0.0.1", 7007), Echo).serve_forever()
"""
EXPECTED = [
    {"output": "out\n"},
    {"only errors": "err\n"},
    {"length of much output": 3_000_000},
    {"answers": ["heard one", "heard two"]},
    {"protocol": "v5.channel.k8s.io"},
    {"last words": "the end\n"},
    {"exit": 3},
    {"what is not there is named": True},
    {"a pod that is not there": "Handshake status 404 Not Found"},
    {"heard again": [True, True]},
    {"error of the port": None},
]
_WITHIN = 60
_SHOUT = 'while read line; do echo "heard $line"; done; echo the end >&2; exit 3'
_MUCH = "head -c 3000000 /dev/zero | tr '\\0' x"


def conversation(told: Told) -> None:
    _commands(told)
    _port(told)


def _commands(told: Told) -> None:
    told.say("output", _exec(told, "sh", "-c", "echo out"))
    told.say("only errors", _exec(told, "sh", "-c", "echo out; echo err >&2", stdout=False))
    told.say("length of much output", len(_exec(told, "sh", "-c", _MUCH)))
    talk = _exec(told, "sh", "-c", _SHOUT, stdin=True, _preload_content=False)
    answers = []
    for word in ("one", "two"):
        talk.write_stdin(f"{word}\n")
        answers.append(talk.readline_stdout(timeout=_WITHIN))
    told.say("answers", answers)
    told.say("protocol", talk.subprotocol)
    talk.close_channel(0)
    talk.run_forever(timeout=_WITHIN)
    told.say("last words", talk.read_stderr())
    told.say("exit", talk.returncode)
    missing = _exec(told, "no-such-program", _preload_content=False)
    missing.run_forever(timeout=_WITHIN)
    told.say("what is not there is named", "no-such-program" in missing.read_channel(3))
    try:
        _exec(told, "true", pod="nobody")
    except client.ApiException as refused:
        told.say("a pod that is not there", refused.reason.split(" -+-+-")[0])


def _exec(told: Told, *command: str, pod: str = POD, **options: Any) -> Any:
    """What it prints; with _preload_content=False, the stream itself."""
    wanted = {"stdin": False, "stdout": True, "stderr": True, "tty": False, **options}
    call = client.CoreV1Api(told.api).connect_get_namespaced_pod_exec
    return stream.stream(call, pod, told.namespace, command=list(command), **wanted)


def _port(told: Told) -> None:
    call = client.CoreV1Api(told.api).connect_get_namespaced_pod_portforward
    forward = stream.portforward(call, POD, told.namespace, ports=str(PORT))
    socket, same = forward.socket(PORT), []
    socket.settimeout(_WITHIN)
    for words in (b"hello\n", b"x" * 100_000):
        socket.sendall(words)
        heard = b""
        while len(heard) < len(words):
            heard += socket.recv(65536)
        same.append(heard == words)
    socket.close()
    told.say("heard again", same)
    told.say("error of the port", forward.error(PORT))
