#!/usr/bin/env python3
"""Banned functions, length of files and functions, and paths of one machine."""
import os
import re
import sys

import tree

BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|stpcpy|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|sscanf|gets|localtime|"
                    r"gmtime|ctime|asctime|strerror|alloca|getenv|secure_getenv|setenv|putenv|system|popen|rand|"
                    r"tmpnam|mktemp)\s*\(")
# Who may call what is banned elsewhere. Tests start servers and read the environment ctest gives them.
ALLOWED = {("lib/core/env.c", "secure_getenv")}
ALLOWED_IN_TESTS = {"getenv", "setenv", "system", "popen"}
FILE_LINES = 600
FUNCTION_LINES = 60
TEST_FUNCTION_LINES = 120
# Texts that name the machine or the tools somebody wrote this with mean nothing to a reader.
MACHINE = re.compile(r"/(?:work|home/\w+)/|(?i:\b(?:chatgpt|claude|anthropic|openai|copilot|llm)\b)")
TEXTS = (".c", ".h", ".txt", ".md", ".cmake", ".sh", ".py", ".yaml", ".yml", ".json", ".proto", ".html", ".js", ".css")


def banned_calls(path, text):
    for number, line in enumerate(tree.without_comments_and_strings(text).splitlines(), 1):
        for match in BANNED.finditer(line):
            name = match.group(1)
            if (path, name) in ALLOWED or (path.startswith("tests/") and name in ALLOWED_IN_TESTS):
                continue
            yield f"{path}:{number}: {name}() is banned"


def lengths(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{path}:{FILE_LINES + 1}: {len(lines)} lines are more than {FILE_LINES}"
    limit = TEST_FUNCTION_LINES if path.startswith("tests/") else FUNCTION_LINES
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > limit:
                yield f"{path}:{start}: a function of {number - start - 1} lines, more than {limit}"
            start = None


def machine_names(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        match = MACHINE.search(line)
        if match:
            yield f'{path}:{number}: "{match.group(0)}" names a machine or a tool'


def is_script(root, path):
    """A file without an ending that says it is a script; programs that somebody unpacked here are not ours."""
    if "." in path.rsplit("/", 1)[-1]:
        return False
    with open(os.path.join(root, path), "rb") as file:
        return file.read(2) == b"#!"


def main(root):
    violations = []
    for path in tree.files(root, tree.SOURCE_FOLDERS + ("tests",), (".c", ".h")):
        text = tree.read(root, path)
        violations.extend(banned_calls(path, text))
        violations.extend(lengths(path, text))
    for path in tree.files(root, ("",), ""):
        if not path.endswith(TEXTS) and not is_script(root, path):
            continue
        if path not in ("tests/lint/check_style.py", "tests/lint/selftest.py"):
            violations.extend(machine_names(path, tree.read(root, path)))
    tree.finish(violations)


main(sys.argv[1])
