"""The cluster operator's environment: what Strimzi's users write in it, and what is said when it cannot be used."""

import pytest

from klamm.desired.surroundings import Surroundings
from klamm.kube.kinds import Name
from klamm.kube.leases import Times
from klamm.programs.operator_settings import read_settings, remarks
from klamm.programs.process import BadSetting

ELECTION = "STRIMZI_LEADER_ELECTION"


@pytest.mark.parametrize(
    ("text", "namespaces"),
    [
        ("", None),
        ("*", None),
        ("kafka", ("kafka",)),
        ("team-a, team-b,team-a", ("team-a", "team-b")),
    ],
)
def test_the_watched_namespaces(text: str, namespaces: tuple[str, ...] | None) -> None:
    assert read_settings({"STRIMZI_NAMESPACE": text}).namespaces == namespaces


def test_what_is_not_set_is_as_in_strimzi() -> None:
    settings = read_settings({})
    assert (settings.resync, settings.operation, settings.port) == (120.0, 300.0, 8080)
    assert (settings.namespaces, settings.selector, settings.leadership) == (None, {}, None)
    around = settings.surroundings
    assert (around.network_policies, around.disruption_budgets, around.image_pull_policy) == (True, True, None)


def test_everything_can_be_set() -> None:
    settings = read_settings(
        {
            "STRIMZI_CUSTOM_RESOURCE_SELECTOR": "team=a,stage=test",
            "STRIMZI_OPERATION_TIMEOUT_MS": "60000",
            "STRIMZI_NETWORK_POLICY_GENERATION": "false",
            "STRIMZI_POD_DISRUPTION_BUDGET_GENERATION": "False",
            "STRIMZI_IMAGE_PULL_SECRETS": "one, two",
            "STRIMZI_IMAGE_PULL_POLICY": "ifnotpresent",
            "STRIMZI_LABELS_EXCLUSION_PATTERN": "^argocd",
            "STRIMZI_DEFAULT_KAFKA_EXPORTER_IMAGE": "c/exporter:3",
            "STRIMZI_KAFKA_IMAGES": "3.5.1=a/kafka:1\n3.6.0=b/kafka:2\n",
        }
    )
    around = settings.surroundings
    assert (settings.selector, settings.operation) == ({"team": "a", "stage": "test"}, 60.0)
    assert (around.network_policies, around.disruption_budgets) == (False, False)
    assert (around.image_pull_secrets, around.image_pull_policy) == (("one", "two"), "IfNotPresent")
    assert around.kafka_images == {"3.5.1": "a/kafka:1", "3.6.0": "b/kafka:2"}
    assert around.kafka_exporter_image == "c/exporter:3"
    assert around.handed_on({"argocd.argoproj.io/instance": "x", "team": "a"}) == {"team": "a"}


def test_an_operator_that_gives_way_knows_to_which_lease() -> None:
    assert read_settings({"STRIMZI_OPERATOR_NAMESPACE": "kafka"}).gives_way_to is None
    settings = read_settings({"KLAMM_GIVES_WAY": "true", "STRIMZI_OPERATOR_NAMESPACE": "kafka"})
    assert settings.gives_way_to == Name("kafka", "strimzi-cluster-operator")
    assert settings.leadership is None


def test_without_a_pattern_no_label_is_kept_back() -> None:
    labels = {"argocd.argoproj.io/instance": "x"}
    around = Surroundings(operator_namespace="", operator_image="", kafka_images={}, default_version="3.6.0")
    assert around.handed_on(labels) == labels


def test_an_election_is_by_the_names_that_the_deployment_gives() -> None:
    settings = read_settings(
        {
            f"{ELECTION}_ENABLED": "true",
            f"{ELECTION}_LEASE_NAME": "lease",
            f"{ELECTION}_LEASE_NAMESPACE": "strimzi",
            f"{ELECTION}_IDENTITY": "pod-1",
            f"{ELECTION}_LEASE_DURATION_MS": "15000",
            f"{ELECTION}_RENEW_DEADLINE_MS": "10000",
        }
    )
    assert settings.leadership is not None
    assert (settings.leadership.lease, settings.leadership.identity) == (Name("strimzi", "lease"), "pod-1")
    assert settings.leadership.times == Times(duration=15.0, renew_deadline=10.0, retry=2.0)


def test_who_competes_is_named_after_his_pod_if_nothing_else_is_said() -> None:
    found = read_settings({f"{ELECTION}_ENABLED": "true", "HOSTNAME": "pod-2", "STRIMZI_OPERATOR_NAMESPACE": "ns"})
    assert found.leadership is not None
    assert (found.leadership.lease, found.leadership.identity) == (Name("ns", "strimzi-cluster-operator"), "pod-2")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STRIMZI_NAMESPACE", "a,*", r"'\*' stands beside names; write \* alone"),
        ("STRIMZI_NAMESPACE", "My_Namespace", "'My_Namespace' cannot be a namespace's name; write names of small"),
        ("STRIMZI_FULL_RECONCILIATION_INTERVAL_MS", "2m", "'2m' is no time; write milliseconds"),
        ("STRIMZI_OPERATION_TIMEOUT_MS", "0", "'0' is no time"),
        ("STRIMZI_NETWORK_POLICY_GENERATION", "no", "'no' is neither true nor false"),
        ("STRIMZI_CUSTOM_RESOURCE_SELECTOR", "team", "'team' is no pair; write key=value"),
        ("STRIMZI_LABELS_EXCLUSION_PATTERN", "(", r"'\(' is no regular expression"),
        ("STRIMZI_IMAGE_PULL_POLICY", "Sometimes", "'Sometimes' is none of Always, IfNotPresent, Never"),
        ("STRIMZI_KAFKA_IMAGES", "kafka:1", "'kafka:1' is no version with its image"),
        ("KLAMM_KEY_ALGORITHM", "DSA", "'DSA' is none of"),
        (f"{ELECTION}_ENABLED", "yes", "'yes' is neither true nor false"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_rule_and_mend(name: str, value: str, said: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: {said}"):
        read_settings({name: value})


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"RENEW_DEADLINE": "20000"},
            "RENEW_DEADLINE_MS: 20000 is not shorter than .*LEASE_DURATION_MS, which is 12000",
        ),
        ({"RETRY_PERIOD": "8000"}, "RETRY_PERIOD_MS: 8000 is not shorter than .*RENEW_DEADLINE_MS, which is 8000"),
    ],
)
def test_times_of_an_election_that_would_let_two_act_are_refused(variables: dict[str, str], said: str) -> None:
    given = {f"{ELECTION}_{name}_MS": value for name, value in variables.items()}
    with pytest.raises(BadSetting, match=said):
        read_settings({f"{ELECTION}_ENABLED": "true", f"{ELECTION}_IDENTITY": "me", **given})


def test_who_competes_without_a_name_is_told_so() -> None:
    with pytest.raises(BadSetting, match=f"{ELECTION}_IDENTITY is not set"):
        read_settings({f"{ELECTION}_ENABLED": "true"})


def test_what_does_nothing_is_told_once_and_what_nobody_needs_is_not() -> None:
    told = list(
        remarks(
            {
                "STRIMZI_NAMESPACE": "*",
                "STRIMZI_KAFKA_CONNECT_IMAGES": "3.6.0=x",
                "STRIMZI_OPERATIONS_THREAD_POOL_SIZE": "10",
                "STRIMZI_FEATURE_GATES": "+UseKRaft",
                "STRIMZI_CREATE_CLUSTER_ROLES": "false",
                "STRIMZI_CUSTOM_KAFKA_LABELS": "a=b",
                "STRIMZI_NAMESPCE": "kafka",
                "PATH": "/bin",
            }
        )
    )
    assert [line.split(" ")[0] for line in told] == [
        "STRIMZI_CUSTOM_KAFKA_LABELS",
        "STRIMZI_FEATURE_GATES",
        "STRIMZI_NAMESPCE",
    ]
    assert told[-1] == "STRIMZI_NAMESPCE is not known: is it misspelt?"


def test_every_variable_that_the_deployment_sets_is_known() -> None:
    from klamm.desired.cluster_operator.installation import Installation, deployment

    made = deployment(Installation(namespace="kafka", operator_image="o", kafka_images={"3.6.0": "k"}))
    variables = {one.name or "": one.value or "pod-1" for one in made.spec.template.spec.containers[0].env}
    assert list(remarks(variables)) == []
    assert read_settings(variables).leadership is not None
