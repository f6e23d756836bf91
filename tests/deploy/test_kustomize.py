"""The manifests: valid for old and new clusters, and of one mind with the server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from voicebot.server.settings import Settings

VERSIONS = ["1.30", "1.37"]
"""The oldest Kubernetes that knows all that is used, and the newest of which the schema is at hand."""
OPERATORS = {"ScaledObject", "PodMonitor"}
"""Kinds of KEDA and of the Prometheus operator."""


@pytest.fixture(scope="module", params=["base", "keda"])
def manifests(request: pytest.FixtureRequest, kubectl: str, deploy: Path) -> dict[str, dict[str, Any]]:
    """Kind -> manifest, as they go to the cluster."""
    command = [kubectl, "kustomize", str(deploy / "kustomize" / request.param)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(done.stdout)}


@pytest.fixture(scope="module")
def pod(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = manifests["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return dict(only)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_of_kubernetes_allow_it(manifests: dict[str, dict[str, Any]], version: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="make extras installs kubernetes-validate")
    known = [manifest for kind, manifest in manifests.items() if kind not in OPERATORS]
    assert len(known) >= 6
    for manifest in known:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_would_find_a_mistake(manifests: dict[str, dict[str, Any]]) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="make extras installs kubernetes-validate")
    wrong = manifests["PodDisruptionBudget"] | {"spec": {"maxUnavailible": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailible"):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_one_thing_scales_it(manifests: dict[str, dict[str, Any]]) -> None:
    assert len(manifests.keys() & {"HorizontalPodAutoscaler", "ScaledObject"}) == 1
    assert "replicas" not in manifests["Deployment"]["spec"]


def test_a_pod_is_given_longer_than_pause_and_drain(
    manifests: dict[str, dict[str, Any]], pod: dict[str, Any], container: dict[str, Any]
) -> None:
    pause_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_s = float(manifests["ConfigMap"]["data"]["VOICEBOT_DRAIN"])
    assert pod["terminationGracePeriodSeconds"] >= pause_s + drain_s + 30
    ready = container["readinessProbe"]
    assert pause_s >= ready["periodSeconds"] * ready["failureThreshold"]


def test_it_is_run_without_rights(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_what_the_server_writes_to_is_a_volume(pod: dict[str, Any], container: dict[str, Any]) -> None:
    settings = Settings(project=Path("/project"))
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert {"/tmp", str(settings.own_dir), str(settings.calls_dir)} <= mounts.keys()
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}


def test_its_user_is_that_of_the_image(pod: dict[str, Any], deploy: Path) -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (deploy / "Dockerfile").read_text(), re.MULTILINE)
    assert user
    context = pod["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(user[2]))
    assert context["fsGroup"] == int(user[2])


def test_ports_agree(manifests: dict[str, dict[str, Any]], container: dict[str, Any]) -> None:
    port = Settings.model_fields["port"].default
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    assert [each["targetPort"] for each in manifests["Service"]["spec"]["ports"]] == ["http"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert environment["VOICEBOT_ADVERTISE"] == f"http://$(POD_IP):{port}"
    assert list(environment) == ["POD_IP", "VOICEBOT_ADVERTISE"], "a variable is known only to those behind it"


def test_selectors_find_the_pods(manifests: dict[str, dict[str, Any]]) -> None:
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        manifests["Deployment"]["spec"]["selector"]["matchLabels"],
        manifests["Service"]["spec"]["selector"],
        manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ]
    if "PodMonitor" in manifests:
        selectors.append(manifests["PodMonitor"]["spec"]["selector"]["matchLabels"])
    assert all(selector.items() <= labels.items() for selector in selectors)


def test_the_alerts_know_the_job_by_its_name(manifests: dict[str, dict[str, Any]], deploy: Path) -> None:
    """Else the operator calls it namespace/name, and no alert of a server that is down is ever raised."""
    if "PodMonitor" not in manifests:
        pytest.skip("no PodMonitor in this one")
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    job = labels[manifests["PodMonitor"]["spec"]["jobLabel"]]
    assert f'up{{job="{job}"}}' in (deploy / "observe" / "alerts.yaml").read_text()
