#!/usr/bin/env python3
"""Makes a mirror of Terraform providers that have the real schemas and no cloud, for tests of the modules of clouds whose
providers are not at hand.

    build.py FOLDER

The schemas come from npm's @cdktf/provider-* packages (extract.js), the program is main.go and its neighbours. Needs go,
node and npm, and their registries. A folder that is up to date is left alone, so this can be called before every run."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
STAMP = "made-from"


def sources():
    """One text that changes with whatever the mirror is made from."""
    digest = hashlib.sha256()
    for name in sorted(os.listdir(HERE)):
        if name.endswith((".go", ".js", ".json", ".mod", ".sum", ".py")):
            with open(os.path.join(HERE, name), "rb") as data:
                digest.update(name.encode() + b"\0" + data.read() + b"\0")
    return digest.hexdigest()


def up_to_date(folder):
    try:
        with open(os.path.join(folder, STAMP), encoding="ascii") as stamp:
            return stamp.read().strip() == sources()
    except OSError:
        return False


def missing_tools():
    return [tool for tool in ("go", "node", "npm") if not shutil.which(tool)]


def platform():
    made = subprocess.run(["go", "env", "GOOS", "GOARCH"], check=True, capture_output=True, text=True).stdout.split()
    return "_".join(made)


def add(folder, work, name, about, program, architecture):
    package = f"@cdktf/provider-{name}@{about['package']}"
    archive = subprocess.run(["npm", "pack", "--silent", package], cwd=work, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    # .jsii describes the package for other languages, and is most of it.
    subprocess.run(["tar", "--extract", "--file", archive, "--exclude=.jsii", "--directory", work], cwd=work, check=True)
    target = os.path.join(folder, "registry.terraform.io", about["source"], about["version"], architecture)
    os.makedirs(target)
    provider = os.path.join(target, f"terraform-provider-{name}_v{about['version']}")
    shutil.copy(program, provider)
    with open(provider + ".json", "wb") as schema:
        subprocess.run(["node", os.path.join(HERE, "extract.js"), os.path.join(work, "package"), os.path.join(HERE, "additions.json")],
                       check=True, stdout=schema)
    shutil.rmtree(os.path.join(work, "package"))


def build(folder):
    with open(os.path.join(HERE, "additions.json"), encoding="utf-8") as text:
        providers = json.load(text)
    os.makedirs(os.path.dirname(os.path.abspath(folder)), exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        program, fresh = os.path.join(work, "schema-provider"), os.path.join(work, "mirror")
        subprocess.run(["go", "build", "-buildvcs=false", "-trimpath", "-mod=readonly", "-ldflags", "-s -w", "-o", program, "."],
                       cwd=HERE, check=True)
        for name, about in providers.items():
            add(fresh, work, name, about, program, platform())
        with open(os.path.join(fresh, STAMP), "w", encoding="ascii") as stamp:
            stamp.write(sources() + "\n")
        # A build that was cut off leaves what was there, or nothing.
        shutil.rmtree(folder + ".new", ignore_errors=True)
        shutil.copytree(fresh, folder + ".new")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(folder + ".new", folder)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 64
    folder = os.path.abspath(sys.argv[1])
    if up_to_date(folder):
        return 0
    absent = missing_tools()
    if absent:
        print(f"{folder}: schema-only providers need {', '.join(absent)}; tests of the modules of Google, Azure and Cloudflare are skipped")
        return 0
    build(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
