"""`scan` for automatic checks: exit codes, SARIF, the hook of pre-commit and the workflow."""

import json
import shlex
import shutil
import subprocess

import pytest
import yaml

import scan_corpus
from program import BINARY, DATA, DIFFERENCE, DONE, FIXTURES, ROOT, describe, run

EVIL = FIXTURES / "broken/malicious-train-pt/train.pt"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return scan_corpus.build(tmp_path_factory.mktemp("corpus"))


def verdicts(*paths):
    process = run("scan", "--json", *paths)
    return [json.loads(line)["verdict"] for line in process.stdout.splitlines()]


def test_no_attack_of_the_corpus_is_clean(corpus):
    attacks, _ = corpus
    found = verdicts(*(path for path, _, _ in attacks))
    assert len(found) == len(attacks)
    missed = [attack for attack, verdict in zip(attacks, found) if verdict == "clean"]
    assert not missed
    # Only the function that nobody knows is less than dangerous.
    mild = {attack for (_, attack, _), verdict in zip(attacks, found) if verdict != "dangerous"}
    assert mild <= {"unknown function"}


def test_every_honest_file_of_the_corpus_is_clean(corpus):
    _, honest = corpus
    for path, verdict in zip(honest, verdicts(*honest)):
        assert verdict == "clean", path


def test_a_directory_has_the_verdicts_and_the_exit_code_of_its_files(corpus):
    attacks, honest = corpus
    folder = honest[0].parent
    process = run("scan", "--json", "--jobs", "3", folder)
    assert process.returncode == DONE, describe(process)
    files = {json.loads(line)["path"] for line in process.stdout.splitlines()}
    assert files == {str(path) for path in folder.iterdir()}
    assert run("scan", folder).stdout.splitlines()[-1] == f"{len(files)} files: {len(files)} clean"
    alone = {run("scan", "-q", path).returncode for path, _, _ in attacks[:40]}
    assert run("scan", "-q", *(path for path, _, _ in attacks[:40])).returncode == max(
        alone, key=[DONE, DATA, DIFFERENCE].index)


def test_fail_on_decides_what_is_a_failure(tmp_path):
    path = tmp_path / "two.pkl"
    path.write_bytes(scan_corpus.HARMLESS * 2)
    assert run("scan", path).returncode == DONE
    assert run("scan", "--fail-on", "dangerous", path).returncode == DONE
    assert run("scan", "--fail-on", "suspicious", path).returncode == DIFFERENCE
    assert run("scan", "--strict", path).returncode == DIFFERENCE
    path.write_bytes(b"7z\xbc\xaf\x27\x1c\0\4")
    assert run("scan", path).returncode == DATA
    assert run("scan", "--strict", path).returncode == DIFFERENCE


# The parts of the schema (https://json.schemastore.org/sarif-2.1.0.json) that the document uses: for each
# object its members, with those that must be there marked by `!`.
SCHEMA = {
    "sarifLog": {"$schema": str, "version!": "2.1.0", "runs!": ["run"]},
    "run": {"tool!": "tool", "results": ["result"]},
    "tool": {"driver!": "toolComponent"},
    "toolComponent": {"name!": str, "semanticVersion": str, "rules": ["reportingDescriptor"]},
    "reportingDescriptor": {
        "id!": str, "shortDescription": "message", "defaultConfiguration": "reportingConfiguration"},
    "reportingConfiguration": {"level": ("none", "note", "warning", "error")},
    "result": {
        "ruleId": str, "level": ("none", "note", "warning", "error"), "message!": "message",
        "locations": ["location"]},
    "message": {"text": str},
    "location": {
        "physicalLocation": "physicalLocation", "logicalLocations": ["logicalLocation"]},
    "physicalLocation": {"artifactLocation": "artifactLocation", "region": "region"},
    "artifactLocation": {"uri": str},
    "region": {"startLine": int},
    "logicalLocation": {"fullyQualifiedName": str},
}


def validate(value, kind):
    if isinstance(kind, list):
        assert isinstance(value, list)
        for item in value:
            validate(item, kind[0])
    elif isinstance(kind, tuple):
        assert value in kind
    elif isinstance(kind, type):
        assert isinstance(value, kind)
    elif kind not in SCHEMA:
        assert value == kind
    else:
        members = SCHEMA[kind]
        names = {name.rstrip("!") for name in members}
        assert set(value) <= names, f"{kind} has no {set(value) - names}"
        for name, member in members.items():
            if name.endswith("!"):
                assert name[:-1] in value, f"{kind} needs {name}"
            if name.rstrip("!") in value:
                validate(value[name.rstrip("!")], member)


def test_sarif_is_what_the_schema_allows(tmp_path):
    path = tmp_path / "a model, 100%.pt"
    shutil.copy(EVIL, path)
    process = run("scan", "--sarif", path, FIXTURES / "plain/whole-module.pt")
    assert process.returncode == DIFFERENCE, describe(process)
    document = json.loads(process.stdout)
    validate(document, "sarifLog")
    results = document["runs"][0]["results"]
    rules = {rule["id"] for rule in document["runs"][0]["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in results} == {"dangerous", "opaque"} <= rules
    location = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert location == f"file://{tmp_path}/a%20model%2C%20100%25.pt"


def test_the_hook_of_pre_commit_stops_a_commit(tmp_path):
    hook, = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    command = [BINARY, *shlex.split(hook["entry"])[1:]]
    assert hook["entry"].startswith("ckptconv scan")
    good = FIXTURES / "plain/opt-sgd.pt"
    assert subprocess.run([*command, good]).returncode == DONE
    assert subprocess.run([*command, good, EVIL]).returncode == DIFFERENCE


def test_the_workflow_runs_the_command_that_is_there(tmp_path):
    workflow = yaml.safe_load((ROOT / "Examples/workflows/scan.yml").read_text())
    steps = workflow["jobs"]["scan"]["steps"]
    line, = (step["run"] for step in steps if step.get("id") == "scan")
    shutil.copy(EVIL, tmp_path / "model.pt")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ckptconv").symlink_to(BINARY)
    process = subprocess.run(
        line, shell=True, cwd=tmp_path, env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})
    assert process.returncode == DIFFERENCE
    validate(json.loads((tmp_path / "scan.sarif").read_text()), "sarifLog")
