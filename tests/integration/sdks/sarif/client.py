"""What is wrong with SARIF logs: `client.py FILE...` prints {"schema": [...], "rules": [[level, rule, file, message], ...]}, by the
JSON schema of the standard, which @microsoft/jest-sarif brings along, and by the rules of Microsoft's Multitool, the ones that
GitHub's code scanning has among them. Notes are left out."""

import json
import os
import subprocess
import sys

import jsonschema

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_modules", "@microsoft")
SCHEMA = os.path.join(HERE, "jest-sarif", "lib", "schemas", "sarif-2.1.0-rtm.5.json")
MULTITOOL = os.path.join(HERE, "sarif-multitool-linux", "Sarif.Multitool")


def by_schema(paths):
    with open(SCHEMA, encoding="utf-8-sig") as text:
        schema = json.load(text)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
    complaints = []
    for path in paths:
        with open(path, encoding="utf-8") as text:
            log = json.load(text)
        complaints += [f"{path}: {'/'.join(map(str, each.absolute_path))}: {each.message}" for each in validator.iter_errors(log)]
    return complaints


def by_rules(paths):
    found = paths[0] + ".found"
    os.chmod(MULTITOOL, 0o755)
    done = subprocess.run([MULTITOOL, "validate", *paths, "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning", "--output", found,
                           "--log", "ForceOverwrite", "--quiet"], capture_output=True, text=True, check=False,
                          env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"})
    if not os.path.exists(found):
        raise SystemExit(f"the Multitool ended with {done.returncode}: {done.stdout}{done.stderr}")
    with open(found, encoding="utf-8-sig") as text:
        run = json.load(text)["runs"][0]
    complaints = []
    for note in run.get("invocations", [{}])[0].get("toolExecutionNotifications", []):
        complaints.append(["error", note["descriptor"]["id"], "", note["message"]["text"]])
    for result in run["results"]:
        where = result["locations"][0]["physicalLocation"]["artifactLocation"].get("uri", "")
        message = result["message"].get("text") or " ".join(result["message"].get("arguments", []))
        complaints.append([result.get("level", "warning"), result["ruleId"], where, message])
    return complaints


if __name__ == "__main__":
    print(json.dumps({"schema": by_schema(sys.argv[1:]), "rules": by_rules(sys.argv[1:])}))
