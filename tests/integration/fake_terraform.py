#!/usr/bin/env python3
"""A stand-in for terraform that speaks its command line and its -json stream, with a cloud that is a folder.

It is a fake: it knows nothing of providers. It exists for what a real cloud does not do on demand: hang, answer 500,
be killed between a creation and the writing of the state, which it does at the end only. $FAKE_CLOUD is the folder;
behaviour.json in it says {"delay": seconds, "REGION": "hang" | "hang plan" | "cut plan" | "holed plan" | "fail" | "stale" | "no plan" | "no show" | "no state" | "hang state" | "outputs", "outputs": {"REGION": {"name": value}},
"meet": how many roots must be asked for their outputs at the same time}."""

import json
import os
import signal
import sys
import time

CLOUD = os.environ["FAKE_CLOUD"]
stopping = False


def read(path, default):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return default


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


def say(kind, message="", **more):
    print(json.dumps({"@level": "info", "@message": message, "@module": "terraform.ui", "type": kind, **more}), flush=True)


def complain(summary, address=""):
    say("diagnostic", summary, diagnostic={"severity": "error", "summary": summary, "detail": "", "address": address})


def interrupted(*_):
    global stopping
    if not stopping:
        for thing in ("a", "b"):  # of everything that was not begun
            complain("execution halted", f"module.region.aws_thing.{thing}")
    stopping = True


class Root:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.name = os.path.basename(self.folder)
        self.config = read(folder + "/main.tf.json", {})
        module = self.config.get("module", {}).get("region", {})
        self.prefix, self.owner = module.get("name", "none"), module.get("deployment_id", "")
        remote = "local" not in self.config.get("terraform", {}).get("backend", {"local": {}})
        self.state_path = f"{CLOUD}/remote/{self.name}" if remote else self.folder + "/fake.tfstate"
        self.state = read(self.state_path, {"serial": 0, "resources": {}})
        self.imports = {one["to"]: one["id"] for one in read(folder + "/import.tf.json", {}).get("import", [])}
        self.wanted = {}
        if self.name == "global":
            self.wanted = {f"module.{name}.aws_vpc_security_group_ingress_rule.r[{peer}]": "1"
                           for name, link in self.config["module"].items() for peer in link.get("peers", {})}
            if "dns" in self.config["module"]:
                self.wanted["module.dns.aws_route53_record.r"] = "1"
        if module:
            self.wanted = {"module.region.aws_vpc.this": "1",
                           "module.region.aws_db_instance.this": str(module["database"]["deletion_protection"])}
            for i in range(module["instances"]):
                self.wanted[f"module.region.aws_thing.t[{i}]"] = module["instance_type"]
        if os.path.exists(folder + "/identity.tf.json"):
            identity = read(folder + "/identity.tf.json", {})
            self.wanted["terraform_data.fraiseql_identity"] = \
                identity["resource"]["terraform_data"]["fraiseql_identity"]["input"]

    def save(self):
        self.state["serial"] += 1
        write(self.state_path, self.state)

    def cloud_id(self, address):
        return f"{self.prefix}/{address.replace('/', '_')}"

    def cloud_path(self, address):
        return f"{CLOUD}/things/{self.cloud_id(address)}"


def type_of(address):
    return address.split(".")[-2]


def describe(address):
    return {"addr": address, "resource_type": type_of(address)}


def make_plan(root, arguments):
    have = root.state["resources"]
    targets = [a[8:] for a in arguments if a.startswith("-target=")]
    if "-destroy" in arguments:
        changes = [[a, "delete", ""] for a in have]
    else:
        changes = [[a, "delete", ""] for a in have if a not in root.wanted]
        for address, value in root.wanted.items():
            if address not in have:
                changes.append([address, "import" if address in root.imports else "create", root.imports.get(address, "")])
            elif have[address] != value:
                changes.append([address, "update", ""])
    return [c for c in changes if not targets or any(f"{c[0]}.".startswith(target + ".") for target in targets)]


def plan(root, arguments):
    behaviour = read(CLOUD + "/behaviour.json", {}).get(root.name)
    if behaviour == "no plan":
        complain("ExpiredToken: the cloud does not let us look")
        return 1
    while read(CLOUD + "/behaviour.json", {}).get(root.name) == "hang plan" and not stopping:
        time.sleep(0.05)
    if stopping:
        say("change_summary", changes={"add": 0, "change": 0, "remove": 0, "import": 0, "operation": "plan"})
        complain("reading Thing: https response error StatusCode: 0, canceled, context canceled")
        return 1
    changes = make_plan(root, arguments)
    for address, action, import_id in changes[:0 if behaviour == "cut plan" else 2 if behaviour == "holed plan" else None]:
        importing = {"importing": {"id": import_id}} if import_id else {}
        say("planned_change", change={"resource": describe(address), "action": action, **importing})
    if behaviour == "cut plan":
        return 2 if changes else 0
    actions = [action for _, action, _ in changes]
    say("change_summary", changes={"add": actions.count("create"), "change": actions.count("update"),
                                   "remove": actions.count("delete"), "import": actions.count("import"), "operation": "plan"})
    out = next(a[5:] for a in arguments if a.startswith("-out="))
    write(out, {"serial": root.state["serial"], "changes": changes})
    return 2 if changes or (behaviour == "outputs" and not root.state.get("outputs")) else 0


def change(root, address, action, import_id):
    """True when it worked."""
    path, identity = root.cloud_path(address), address.startswith("terraform_data")
    if action == "delete":
        root.state["resources"].pop(address, None)
        if os.path.exists(path):
            os.unlink(path)
        return True
    if action == "create" and not identity:
        if os.path.exists(path):
            complain(f'A resource with the ID "{root.cloud_id(address)}" already exists - to be managed via Terraform this '
                     "resource needs to be imported into the State.", address)
            return False
        write(path, {"owner": root.owner})
    root.state["resources"][address] = root.wanted[address]
    return True


def apply(root, arguments):
    behaviour = read(CLOUD + "/behaviour.json", {})
    planned = read(arguments[-1], None)
    if planned["serial"] != root.state["serial"] or behaviour.get(root.name) == "stale":
        complain("Saved plan is stale")
        return 1
    failed = False
    order = sorted(planned["changes"], key=lambda c: (c[1] == "delete") == ("vpc" in c[0]))
    for address, action, import_id in order:
        if stopping:
            break
        hook = {"resource": describe(address), "action": action}
        say("apply_start", hook=hook)
        if behaviour.get(root.name) == "fail" and "thing" in address:
            complain("operation error: https response error StatusCode: 500, InternalFailure", address)
            say("apply_errored", hook=hook)
            failed = True
            continue
        while behaviour.get(root.name) == "hang" and "thing" in address and not stopping:
            time.sleep(0.05)
        time.sleep(behaviour.get("delay", 0.0))
        worked = change(root, address, action, import_id)
        failed = failed or not worked
        say("apply_complete" if worked else "apply_errored", hook={**hook, "elapsed_seconds": 0})
    root.state["outputs"] = behaviour.get(root.name) == "outputs"
    root.save()
    return 1 if failed or stopping else 0


def show(root, arguments):
    if arguments and not arguments[-1].startswith("-"):
        if read(CLOUD + "/behaviour.json", {}).get(root.name) == "no show":
            sys.exit("Error: Failed to load plugin schemas")
        changes = []
        for address, action, import_id in read(arguments[-1], None)["changes"]:
            owner = read(root.cloud_path(address), {}).get("owner")
            importing = {"importing": {"id": import_id}} if import_id else {}
            before, after = {"tags": {"fraiseql-deployment-id": owner}} if import_id else None, {"name": root.prefix}
            if action == "update":
                attribute = "deletion_protection" if "db_instance" in address else "instance_type"
                before = {"name": root.prefix, attribute: root.state["resources"][address]}
                after |= {attribute: root.wanted[address]}
            changes.append({"address": address, "type": type_of(address), "change": {
                "actions": ["no-op" if import_id else action], "after": after, **importing, "before": before}})
        return {"resource_changes": changes}
    resources = [{"address": a, "mode": "managed", "type": type_of(a),
                  "depends_on": [] if "vpc" in a else ["module.region.aws_vpc.this"]} for a in root.state["resources"]]
    return {"values": {"root_module": {"resources": resources}}}


def state(root, arguments):
    if read(CLOUD + "/behaviour.json", {}).get(root.name) == "no state":
        sys.exit("Error: Failed to read state: AccessDenied")
    while read(CLOUD + "/behaviour.json", {}).get(root.name) == "hang state":
        if stopping:
            sys.exit("Error: interrupted")
        time.sleep(0.05)
    if arguments[0] == "list":
        print("\n".join(root.state["resources"]))
    else:
        identity = root.state["resources"].get("terraform_data.fraiseql_identity")
        found = [{"type": "terraform_data", "name": "fraiseql_identity",
                  "instances": [{"attributes": {"input": {"value": identity, "type": "string"}}}]}] if identity else []
        if os.path.exists(root.state_path):
            print(json.dumps({"version": 4, "serial": root.state["serial"], "lineage": root.state.get("lineage", "of " + root.name),
                              "resources": found}))
    return 0


def meet(name, count):
    """Waits until so many are here; alone, it fails."""
    write(f"{CLOUD}/met/{name}", 1)
    for _ in range(400):
        if len(os.listdir(CLOUD + "/met")) >= count:
            return
        time.sleep(0.05)
    sys.exit("nobody else came")


def outputs(root):
    meet(root.name, read(CLOUD + "/behaviour.json", {}).get("meet", 1))
    stands = "module.region.aws_vpc.this" in root.state["resources"]
    values = {"url": os.environ.get("FAKE_URL", ""), "endpoint": "", "database_address": "127.0.0.1",
              "database_port": "1"} if stands else {}
    if root.state["resources"]:
        values |= read(CLOUD + "/behaviour.json", {}).get("outputs", {}).get(root.name, {})
    return {name: {"value": value} for name, value in values.items()}


def main():
    signal.signal(signal.SIGINT, interrupted)
    folder, command, arguments = sys.argv[1][len("-chdir="):], sys.argv[2], sys.argv[3:]
    with open(CLOUD + "/calls", "a", encoding="utf-8") as calls:
        calls.write(f"{os.path.basename(folder)} {command}\n")
    root = Root(folder)
    if command == "init":
        os.makedirs(folder + "/.terraform/providers", exist_ok=True)
        return 0
    if command == "plan":
        return plan(root, arguments)
    if command == "apply":
        return apply(root, arguments)
    if command == "state":
        return state(root, arguments)
    print(json.dumps(show(root, arguments) if command == "show" else outputs(root)))
    return 0


sys.exit(main())
