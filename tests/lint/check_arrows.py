#!/usr/bin/env python3
"""Every #include follows an arrow of arrows.txt; x_internal.h stays in its folder; headers of ours exist."""
import os
import re
import sys

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
# Headers made by the build, by path prefix.
GENERATED = ("version.h", "lib/metrics/proto/")


def module_of(path, modules):
    """The longest folder of arrows.txt that holds the path."""
    holders = [name for name in modules if path.startswith(name + "/")]
    return max(holders, key=len) if holders else None


def check_own(root, path, module, included, modules):
    target = module_of(included, modules)
    if not included.startswith(GENERATED) and not os.path.exists(os.path.join(root, included)):
        return f'"{included}" does not exist: includes are written from the root'
    if included.endswith("_internal.h") and os.path.dirname(included) != os.path.dirname(path):
        return f'"{included}" is private to its folder'
    if target and target != module and target not in modules[module]:
        return f'{module} must not include {target} ("{included}")'
    return None


def check_foreign(module, included, libraries):
    for prefix, folders in libraries.items():
        if included.startswith(prefix) and module not in folders:
            return f"<{included}> may be included by {', '.join(folders)} only"
    return None


def main(root):
    modules, libraries = {}, {}
    for _, key, rest in tree.table(root, "tests/lint/arrows.txt"):
        (libraries if key.startswith("<") else modules)[key.lstrip("<")] = rest.split()
    violations = []
    for path in tree.files(root, tree.SOURCE_FOLDERS, (".c", ".h")):
        module = module_of(path, modules)
        if not module:
            violations.append(f"{path}:1: its folder is not in tests/lint/arrows.txt")
            continue
        for number, line in enumerate(tree.read(root, path).splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            own = match.group(1) == '"'
            problem = (check_own(root, path, module, match.group(2), modules) if own
                       else check_foreign(module, match.group(2), libraries))
            if problem:
                violations.append(f"{path}:{number}: {problem}")
    tree.finish(violations)


main(sys.argv[1])
