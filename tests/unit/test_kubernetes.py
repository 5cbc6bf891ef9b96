"""What the manifests name is there, and what they promise holds together.

`make k8s-check` holds them against Kubernetes' own schema.
"""

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from movieql.app import build_app
from movieql.settings import Settings
from movieql.web.telemetry import make_logger
from tests.unit.deployed import COMMANDS, accepted, at, likely

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "k8s"
DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
INSIDE = {"/metrics", "/healthz", "/readyz"}
FOLDER_STORE_ONLY = {"/files"}

Object = dict[str, Any]


def manifests() -> Iterator[Object]:
    for path in sorted(FOLDER.glob("*/*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


OBJECTS = list(manifests())
WORKLOADS = [each for each in OBJECTS if each["kind"] in {"Deployment", "StatefulSet", "CronJob"}]
CONFIGS = {
    each["metadata"]["name"]: each["data"] for each in OBJECTS if each["kind"] == "ConfigMap"
}


def template(workload: Object) -> Object:
    """Return what pods are made of."""
    spec = workload["spec"]
    found: Object = at(spec, "jobTemplate", "spec", "template") or spec["template"]
    return found


def container(workload: Object) -> Object:
    (only,) = template(workload)["spec"]["containers"]
    found: Object = only
    return found


def environ(workload: Object) -> dict[str, str]:
    """Return a container's environment, with something likely for each secret."""
    found: dict[str, str] = {}
    for source in container(workload).get("envFrom", ()):
        found |= CONFIGS[source["configMapRef"]["name"]]
    for each in container(workload).get("env", ()):
        found[each["name"]] = each.get("value") or likely(each["name"])
    return found


def named(workloads: list[Object]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "workload", workloads, ids=lambda each: each["metadata"]["name"]
    )


OURS = [each for each in WORKLOADS if container(each)["image"] == "movieql"]


def one(kind: str, name: str) -> Object:
    (found,) = (
        each for each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)
    )
    return found


@named(OURS)
def test_every_variable_is_a_setting_and_together_they_are_accepted(workload: Object) -> None:
    accepted(environ(workload), CONFIGS["movieql-providers"]["providers.toml"])


@named(OURS)
def test_every_command_is_one_of_ours(workload: Object) -> None:
    assert container(workload)["args"][0] in COMMANDS
    assert "command" not in container(workload)  # the image's own


def test_the_providers_lie_where_the_settings_say() -> None:
    path = Path(CONFIGS["movieql-settings"]["MOVIEQL_PROVIDERS_FILE"])
    for workload in OURS:
        mounts = {each["name"]: each["mountPath"] for each in container(workload)["volumeMounts"]}
        assert mounts["providers"] == str(path.parent)
    assert path.name in CONFIGS["movieql-providers"]


def test_browsers_are_told_to_use_tls_alone_for_tls_ends_at_the_ingress() -> None:
    assert int(CONFIGS["movieql-settings"]["MOVIEQL_HSTS_S"]) >= 31_536_000  # a year


def routes() -> set[str]:
    app = build_app(Settings(), (), {}, make_logger("info", "json", io.StringIO()))
    return {route.path for route in app.routes if hasattr(route, "path")}


def test_every_probe_of_ours_asks_a_route_at_a_port_that_is_there() -> None:
    probed = 0
    for workload in OURS:
        ports = {each["name"] for each in container(workload).get("ports", ())}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = at(container(workload), kind, "httpGet")
            if probe is not None:
                probed += 1
                assert probe["path"] in routes()
                assert probe["port"] in ports
    assert probed == 3


@named(WORKLOADS)
def test_nothing_may_more_than_it_has_to(workload: Object) -> None:
    spec = template(workload)["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(workload)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert at(container(workload), "resources", "limits", "memory")
    assert at(container(workload), "resources", "requests", "cpu")
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert all("hostPath" not in volume for volume in spec.get("volumes", ()))


def test_our_pods_are_the_image_s_user() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for workload in OURS:
        user = template(workload)["spec"]["securityContext"]
        assert f"\nUSER {user['runAsUser']}:{user['runAsGroup']}\n" in dockerfile


@named(WORKLOADS)
def test_every_mount_has_a_volume_and_every_volume_what_it_names(workload: Object) -> None:
    spec = template(workload)["spec"]
    claims = workload["spec"].get("volumeClaimTemplates", ())
    volumes = {each["name"] for each in spec.get("volumes", ())}
    volumes |= {each["metadata"]["name"] for each in claims}
    assert {each["name"] for each in container(workload)["volumeMounts"]} == volumes
    for volume in spec.get("volumes", ()):
        assert at(volume, "configMap", "name", default="movieql-providers") in CONFIGS
    account = spec.get("serviceAccountName")
    assert account is None or one("ServiceAccount", account)


def matches(selector: Mapping[str, str]) -> list[str]:
    """Return the workloads whose pods a selector finds."""
    return [
        each["metadata"]["name"]
        for each in WORKLOADS
        if selector.items() <= template(each)["metadata"]["labels"].items()
    ]


def of_kind(*kinds: str) -> list[Object]:
    return [each for each in OBJECTS if each["kind"] in kinds]


def test_whatever_runs_pods_finds_its_own() -> None:
    for each in of_kind("Deployment", "StatefulSet"):
        name = each["metadata"]["name"]
        assert matches(each["spec"]["selector"]["matchLabels"]) == [name]
        for spread in template(each)["spec"].get("topologySpreadConstraints", ()):
            assert matches(spread["labelSelector"]["matchLabels"]) == [name]


def test_what_is_for_a_workload_has_its_name_and_finds_it() -> None:
    for each in of_kind("Service"):
        assert matches(each["spec"]["selector"]) == [each["metadata"]["name"]]
    for each in of_kind("PodDisruptionBudget"):
        assert matches(each["spec"]["selector"]["matchLabels"]) == [each["metadata"]["name"]]
    for each in of_kind("HorizontalPodAutoscaler"):
        target = each["spec"]["scaleTargetRef"]
        scaled = one(target["kind"], target["name"])["spec"]
        assert scaled["replicas"] == each["spec"]["minReplicas"]


def test_every_network_policy_finds_pods_at_both_ends() -> None:
    for each in of_kind("NetworkPolicy"):
        spec = each["spec"]
        assert matches(at(spec, "podSelector", "matchLabels", default={}))
        for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
            for peer in (*rule.get("from", ()), *rule.get("to", ())):
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    assert matches(peer["podSelector"]["matchLabels"])


def test_services_and_the_ingress_lead_to_ports_that_are_there() -> None:
    for service in (each for each in OBJECTS if each["kind"] == "Service"):
        (workload,) = matches(service["spec"]["selector"])
        pods = next(each for each in WORKLOADS if each["metadata"]["name"] == workload)
        names = {each["name"] for each in container(pods)["ports"]}
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["name"]) in names
    for _, backend in ingress_paths():
        service = one("Service", backend["service"]["name"])
        assert backend["service"]["port"]["name"] in {
            each["name"] for each in service["spec"]["ports"]
        }


def ingress_paths() -> list[tuple[re.Pattern[str], Object]]:
    """Return what the ingress lets through, as patterns of paths."""
    (rule,) = one("Ingress", "movieql")["spec"]["rules"]
    return [
        (
            re.compile(
                re.escape(each["path"]) + ("" if each["pathType"] == "Exact" else "(/.*)?")
            ),
            each["backend"],
        )
        for each in rule["http"]["paths"]
    ]


@pytest.mark.parametrize("path", sorted(routes()))
def test_the_ingress_lets_every_route_through_that_is_for_people(path: str) -> None:
    is_let_through = any(pattern.fullmatch(path) for pattern, _ in ingress_paths())
    assert is_let_through == (path not in INSIDE | FOLDER_STORE_ONLY)


def test_a_server_has_the_time_to_drain_and_to_end() -> None:
    server, worker = one("Deployment", "movieql-server"), one("Deployment", "movieql-worker")
    settings = accepted(environ(server), CONFIGS["movieql-providers"]["providers.toml"])
    grace_s = template(server)["spec"]["terminationGracePeriodSeconds"]
    assert grace_s >= settings.drain_s + settings.shutdown_s + 5
    probe = container(server)["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < settings.drain_s
    assert template(worker)["spec"]["terminationGracePeriodSeconds"] > settings.worker_stop_s
    assert at(server, "spec", "strategy", "rollingUpdate", "maxUnavailable") == 0


def secrets() -> set[tuple[str, str]]:
    """Return every secret that is referred to: its name and the key."""
    return {
        (each["valueFrom"]["secretKeyRef"]["name"], each["valueFrom"]["secretKeyRef"]["key"])
        for workload in WORKLOADS
        for each in container(workload).get("env", ())
        if "valueFrom" in each
    }


@pytest.mark.parametrize("name, key", sorted(secrets()))
def test_every_secret_is_in_the_document(name: str, key: str) -> None:
    command = next(
        each for each in DOCUMENT.split("kubectl ") if f"secret generic {name} " in each
    )
    assert f"--from-literal={key}=" in command


def test_no_secret_is_in_a_manifest() -> None:
    assert all(each["kind"] != "Secret" for each in OBJECTS)
    for values in CONFIGS.values():
        for name in values:
            assert not re.search("SECRET|TOKEN|PASSWORD|_URL$", name), name


def kustomization(name: str) -> Object:
    text = (FOLDER / name / "kustomization.yaml").read_text(encoding="utf-8")
    found: Object = yaml.safe_load(text)
    return found


def test_every_image_gets_a_tag_and_every_file_is_named() -> None:
    everything = kustomization("everything")
    parts = [*everything["resources"], *everything["components"]]
    images = {each["name"]: each["newTag"] for each in everything["images"]}
    for part in parts:
        folder = (FOLDER / "everything" / part).resolve()
        rules = kustomization(folder.name)
        images |= {each["name"]: each["newTag"] for each in rules.get("images", ())}
        files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert set(rules["resources"]) == files
    assert {container(each)["image"] for each in WORKLOADS} == images.keys()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\S*", tag) for tag in images.values())


def test_where_kubernetes_asks_for_the_daily_export_workers_do_not() -> None:
    (patch,) = kustomization("daily-export")["patches"]
    (change,) = yaml.safe_load(patch["patch"])
    name = change["path"].removeprefix("/data/")
    changed = {**environ(one("CronJob", "movieql-daily-export")), name: change["value"]}
    providers = CONFIGS["movieql-providers"]["providers.toml"]
    assert accepted(changed, providers).daily_export is False


def test_the_ready_providers_are_the_example() -> None:
    example = ROOT / "movieql" / "providers" / "examples" / "contract_a.toml"
    text = CONFIGS["movieql-providers"]["providers.toml"]
    assert text.strip() in example.read_text(encoding="utf-8")
