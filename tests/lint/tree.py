"""The source tree as the checks see it."""
import os
import re
import sys

SOURCE_FOLDERS = ("lib", "scrapers", "tracing", "sla", "exporters", "failover", "collector", "agent", "provisioner", "supervisor",
                  "relay", "examples")
SKIPPED = {".git", "build", ".cache", "__pycache__"}


def files(root, tops, endings):
    """Paths relative to root, sorted, below the folders in `tops` that exist ("" for the whole tree)."""
    found = []
    for top in tops:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(name for name in folders if name not in SKIPPED)
            for name in sorted(names):
                if name.endswith(endings):
                    found.append(os.path.relpath(os.path.join(folder, name), root))
    return found


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def without_comments_and_strings(text):
    """The same lines with comments and the contents of literals blanked."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return _TOKENS.sub(blank, text)


def table(root, path):
    """Lines "key words..." of a text file as (line number, key, rest)."""
    rows = []
    for number, line in enumerate(read(root, path).splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if line:
            key, _, rest = line.partition(" ")
            rows.append((number, key, rest.strip()))
    return rows


def finish(violations):
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations")
    sys.exit(1 if violations else 0)
