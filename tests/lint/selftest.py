#!/usr/bin/env python3
"""Runs the checks over a tree that breaks each rule once, and expects each to be found at its line."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

TREE = {
    "tests/lint/arrows.txt": "lib/core\nlib/net lib/core\nscrapers lib/core lib/net\n<uv lib/net\n",
    "tests/lint/excused.txt": "lib/core/excused.c covered elsewhere\nlib/core/gone.c reason\nlib/core/good.c\n",
    "lib/core/good.h": "",
    "lib/core/good.c": '#include "lib/core/good.h"\n/* strcpy(a, b) in a comment */\n',
    "lib/core/excused.c": "",
    "tests/unit/lib/core/test_good.c": "",
    "lib/net/net.h": "",
    "lib/net/net_internal.h": "",
    "lib/core/bad.c": '#include "lib/net/net.h"\n#include <uv.h>\n\nint f(void)\n{\n    return system("x");\n}\n',
    "scrapers/bad.c": '#include "lib/net/net_internal.h"\n#include "lib/absent.h"\n',
    "lib/core/long.c": "int x;\n" * 601,
    "lib/core/tall.c": "int f(void)\n{\n" + "    x();\n" * 61 + "}\n",
    "docs/page.md": "see /home/somebody/file\n",
}

EXPECTED = {
    "check_arrows.py": ["lib/core/bad.c:1: lib/core must not include lib/net", "lib/core/bad.c:2: <uv.h>",
                        "scrapers/bad.c:1: \"lib/net/net_internal.h\" is private", "scrapers/bad.c:2: \"lib/absent.h\"",
                        "4 violations"],
    "check_excused.py": ["excused.txt:2: lib/core/gone.c does not exist", "excused.txt:3: no reason",
                         "excused.txt:3: lib/core/good.c has a test now", "lib/core/bad.c:1: no unit test",
                         "lib/core/long.c:1", "lib/core/tall.c:1", "scrapers/bad.c:1", "7 violations"],
    "check_style.py": ["lib/core/bad.c:6: system() is banned", "lib/core/long.c:601: 601 lines",
                       "lib/core/tall.c:2: a function of 61 lines", "docs/page.md:1", "4 violations"],
}


def main():
    failed = False
    with tempfile.TemporaryDirectory() as root:
        for path, text in TREE.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        for check, expected in EXPECTED.items():
            done = subprocess.run([sys.executable, "-B", os.path.join(HERE, check), root], capture_output=True, text=True,
                                  check=False)
            missing = [text for text in expected if text not in done.stdout]
            if done.returncode != 1 or missing:
                failed = True
                print(f"{check}: exit {done.returncode}, not found: {missing}\n{done.stdout}{done.stderr}")
    sys.exit(1 if failed else 0)


main()
