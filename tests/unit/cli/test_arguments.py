"""What is typed, and what it means."""

import pytest

from klamm.cli.arguments import read, split_command


@pytest.mark.parametrize(
    ("typed", "name", "value"),
    [
        ("up a.yaml b.yaml -n kafka", "files", ["a.yaml", "b.yaml"]),
        ("up", "timeout", 300),
        ("down --delete", "delete", True),
        ("status -o json", "output", "json"),
        ("get pods -o wide", "output", "wide"),
        ("get kafka my-cluster other", "names", ["my-cluster", "other"]),
        ("logs my-pod -f -c kafka --tail 5", "tail", 5),
        ("exec my-pod -n kafka -- ls -la --color", "arguments", ["ls", "-la", "--color"]),
        ("exec my-pod -n kafka -- ls", "namespace", "kafka"),
        ("exec -it my-pod -- bash", "tty", True),
        ("exec p -- sh -c a -- b", "arguments", ["sh", "-c", "a", "--", "b"]),
        ("import topics --cluster c", "cluster", "c"),
        ("apply -f a.yaml -f b.yaml", "filename", ["a.yaml", "b.yaml"]),
    ],
)
def test_arguments_mean(typed: str, name: str, value: object) -> None:
    assert getattr(read(typed.split()), name) == value


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "COMMAND"),
        ("flip", "invalid choice: 'flip'"),
        ("exec my-pod ls", "put -- before the command: klamm exec my-pod -- ls"),
        ("exec my-pod", "exec needs a command after --"),
        ("get pods -- ls", "only `klamm exec` takes a command after --"),
        ("get pods -o xml", "invalid choice: 'xml'"),
        ("status -o wide", "invalid choice: 'wide'"),
        ("up --nodes many", "invalid int value: 'many'"),
    ],
)
def test_a_mistake_ends_with_2_and_says_what_is_wrong(
    typed: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read(typed.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_only_the_first_dashes_are_ours() -> None:
    assert split_command(["exec", "p", "--", "a", "--", "b"]) == (["exec", "p"], ["a", "--", "b"])
