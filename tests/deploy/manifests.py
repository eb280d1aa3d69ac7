"""Holds the files under deploy/ against the schemas they follow, and against what docs promise of them.

  manifests.py PROGRAM COMPOSE_SCHEMA
"""

import glob
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = ["1.31", "1.37"]
SECRETS = "/run/secrets/superid-gateway"
# Prometheus and the kubelet ask from elsewhere, and a network policy stands before Redis.
MEANT = ["admin.address", "redis.url"]
PARTNER_KEY = "tests/config/partner_keys/2048.xml"


def main(program, compose_schema):
    for path in sorted(glob.glob("deploy/kubernetes/*.yaml")):
        documents = list(yaml.safe_load_all(pathlib.Path(path).read_text(encoding="utf-8")))
        for document in documents:
            manifest(path, document)
        labels_are_found(path, documents)
        for document in documents:
            if document["kind"] == "ConfigMap":
                seconds = configuration(program, path, document["data"]["gateway.toml"])
                grace(path, documents, seconds)
        print(f"{path}: {len(documents)} objects hold, by the schemas of {' and '.join(KUBERNETES)}")
    compose(compose_schema)
    dockerfile()


def manifest(path, document):
    for version in KUBERNETES:
        kubernetes_validate.validate(document, version, strict=True)
    pod = document.get("spec", {}).get("template", {}).get("spec")
    if pod is None:
        return
    name = f"{path}: {document['kind']} {document['metadata']['name']}"
    told = pod["securityContext"]
    hold(told["runAsNonRoot"] and told["runAsUser"] > 0, name, "runs as a user")
    hold(told["seccompProfile"] == {"type": "RuntimeDefault"}, name, "has a seccomp profile")
    hold(pod["automountServiceAccountToken"] is False, name, "has no token of the cluster")
    for container in pod["containers"]:
        where = f"{name}, {container['name']}"
        wanted = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        hold(container["securityContext"] == wanted, where, "is restricted")
        hold(re.search(r":[0-9][^:/]*$", container["image"]), where, "names a version")
        hold("memory" in container["resources"]["limits"], where, "has a limit of memory")
        if container["name"] == "gateway":
            for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
                hold(probe in container, where, f"has a {probe}")


def labels_are_found(path, documents):
    """Whatever selects pods selects some that are in the same file."""
    pods = [d["spec"]["template"]["metadata"]["labels"] for d in documents if "template" in d.get("spec", {})]
    for document in documents:
        spec = document.get("spec", {})
        for key in ["selector", "podSelector"]:
            wanted = spec.get(key, {})
            wanted = wanted.get("matchLabels", wanted)
            found = any(wanted.items() <= labels.items() for labels in pods)
            hold(not wanted or found, f"{path}: {document['kind']}", f"{key} {wanted} finds a pod")


def configuration(program, path, text):
    """Whether it holds once its secrets are there; how long its drain takes."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "gateway.toml")
        file.write_text(text.replace(SECRETS, folder), encoding="utf-8")
        for name in set(re.findall(rf"{SECRETS}/([\w.-]+)", text)):
            if name == "partner-key.xml":
                made = pathlib.Path(PARTNER_KEY).read_text(encoding="utf-8")
            else:
                made = "a-secret-of-24-characters"
            if name not in ["session.key", "vault.key"]:
                secret = pathlib.Path(folder, name)
                secret.write_text(made, encoding="utf-8")
                secret.chmod(0o600)
        run(program, "keys", "--config", file)
        told = run(program, "check", "--config", file).replace(folder, SECRETS)
    warnings = [line for line in told.splitlines() if line.endswith("(warning)")]
    unmeant = [line for line in warnings if not any(f" {key}: " in line for key in MEANT)]
    hold(not unmeant, path, f"is configured without doubt: {unmeant}")
    delay = re.search(r'drain_delay = "(\d+)s"', text)
    return 30 + int(delay[1]) if delay else 30


def grace(path, documents, drain):
    for document in documents:
        pod = document.get("spec", {}).get("template", {}).get("spec")
        if pod is None:
            continue
        seconds = pod["terminationGracePeriodSeconds"]
        hold(seconds >= drain + 3, path, f"has {drain} s to drain and 3 s more, not {seconds}")
        for container in pod["containers"]:
            if container["name"] == "app":
                sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
                hold(drain < sleep < seconds, path, "has an app that outlives the drain")


def compose(schema):
    path = "deploy/compose/compose.yaml"
    document = yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))
    rules = json.loads(pathlib.Path(schema).read_text(encoding="utf-8"))
    # Younger than that edition of the schema.
    name = document.pop("name")
    hold(re.fullmatch(r"[a-z0-9_-]+", name), path, "has a name")
    jsonschema.Draft7Validator(rules).validate(document)
    for name, service in document["services"].items():
        where = f"{path}: {name}"
        hold(service["read_only"] is True, where, "has a read-only root")
        hold(service["cap_drop"] == ["ALL"], where, "has no capability")
        hold(service["security_opt"] == ["no-new-privileges:true"], where, "gains no right")
    print(f"{path}: {len(document['services'])} services hold, by the compose specification's schema")


def dockerfile():
    path = "deploy/container/Dockerfile"
    text = pathlib.Path(path).read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM ") :]
    hold(last.startswith("\nFROM scratch\n"), path, "ends in an image from scratch")
    hold("\nUSER 65532:65532\n" in last, path, "runs as user 65532")
    hold("RUN" not in last, path, "needs no shell in its last stage")
    ignored = pathlib.Path(f"{path}.dockerignore").read_text(encoding="utf-8")
    let_in = {line[1:] for line in ignored.splitlines() if line.startswith("!")}
    wanted = set(re.findall(r"\bdeploy/[\w./-]+", text[: text.rindex("\nFROM ")].partition("\nFROM ")[2]))
    wanted |= {"build.rs", "src", "Cargo.lock"}
    hold(wanted <= let_in, f"{path}.dockerignore", f"lets in what the build wants: {sorted(wanted)}")
    asked = json.loads(re.search(r"HEALTHCHECK[^\[]*(\[[^\]]*\])", last)[1])
    hold(asked[:2] == ["/usr/bin/superid-gateway", "health"], path, "is asked by the program itself")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        sys.exit(f"{command} ended in {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def hold(true, where, promise):
    if not true:
        sys.exit(f"FAILED {where}: it is not so that it {promise}")


main(sys.argv[1], sys.argv[2])
