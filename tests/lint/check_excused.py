#!/usr/bin/env python3
"""Every module has a unit test, or a line with a reason in excused.txt."""
import os
import sys

import tree

# Folders whose tests are looked for in tests/unit/<folder>; a subfolder's tests lie in its module's folder.
MODULES = ("lib/core", "lib/net", "lib/db", "lib/journal", "lib/metrics", "scrapers", "tracing", "sla", "exporters",
           "failover", "collector", "agent", "provisioner", "examples/service")


def has_test(root, path):
    module = next((name for name in MODULES if path.startswith(name + "/")), os.path.dirname(path))
    inner = os.path.splitext(path[len(module) + 1:])[0]
    names = {os.path.basename(inner), inner.replace("/", "_")}
    return any(os.path.exists(os.path.join(root, "tests/unit", module, f"test_{name}.c")) for name in names)


def main(root):
    violations, excused = [], {}
    for number, path, reason in tree.table(root, "tests/lint/excused.txt"):
        where = f"tests/lint/excused.txt:{number}"
        excused[path] = where
        if not reason:
            violations.append(f"{where}: no reason for {path}")
        if not os.path.exists(os.path.join(root, path)):
            violations.append(f"{where}: {path} does not exist")
        elif has_test(root, path):
            violations.append(f"{where}: {path} has a test now")
    for path in tree.files(root, tree.SOURCE_FOLDERS, (".c",)):
        if path not in excused and not has_test(root, path):
            violations.append(f"{path}:1: no unit test and no line in tests/lint/excused.txt")
    tree.finish(violations)


main(sys.argv[1])
