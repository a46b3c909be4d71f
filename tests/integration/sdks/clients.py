"""The SDK clients beside this file: installs each once into the user's cache folder and runs it.

`client("go")` gives a Client, or raises SkipTest saying which tool or registry is missing. What is fetched may be missing;
what has been fetched must build. The cache is keyed by the client's files, so a change of one builds it anew."""

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import unittest

SOURCES = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "fraiseql-tests", "sdks")
FETCH_SECONDS = 120
BUILD_SECONDS = 300

# Durations, kinds and names of README.md.
DURATIONS_US = [500, 2000, 2001, 7000, 49999, 50000, 123456, 999999, 1000001, 15000000, 20000000]
KINDS = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
NAMES = ["GET /orders", "query", "Übersicht"]


class Recipe:
    """How one client comes to be; commands run in a copy of its folder."""

    def __init__(self, tool, version_command, minimum, fetch, build=(), run=()):
        self.tool, self.version_command, self.minimum = tool, version_command, minimum
        self.fetch, self.build, self.run = fetch, build, run


RECIPES = {
    "python": Recipe(sys.executable, [sys.executable, "--version"], (3, 10),
                     [[sys.executable, "-m", "venv", "venv"],
                      ["venv/bin/pip", "install", "-q", "--retries", "1", "--timeout", "20", "-r", "requirements.txt"]],
                     run=["venv/bin/python", "client.py"]),
    "node": Recipe("npm", ["node", "--version"], (18, 19),
                   [["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"]],
                   run=["node", "client.js"]),
    "clouds": Recipe("npm", ["node", "--version"], (20,),
                     [["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"]],
                     run=["node", "client.js"]),
    "go": Recipe("go", ["go", "version"], (1, 26), [["go", "mod", "download"]], [["go", "build", "-o", "client", "."]],
                 ["./client"]),
    "exposition_go": Recipe("go", ["go", "version"], (1, 26), [["go", "mod", "download"]], [["go", "build", "-o", "client", "."]],
                            ["./client"]),
    "exposition_python": Recipe(sys.executable, [sys.executable, "--version"], (3, 10),
                                [[sys.executable, "-m", "venv", "venv"],
                                 ["venv/bin/pip", "install", "-q", "--retries", "1", "--timeout", "20", "-r", "requirements.txt"]],
                                run=["venv/bin/python", "client.py"]),
    "credentials": Recipe(sys.executable, [sys.executable, "--version"], (3, 10),
                          [[sys.executable, "-m", "venv", "venv"],
                           ["venv/bin/pip", "install", "-q", "--retries", "1", "--timeout", "20", "-r", "requirements.txt"]],
                          run=["venv/bin/python", "client.py"]),
    "sarif": Recipe("npm", ["node", "--version"], (18,),
                    [["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"],
                     [sys.executable, "-m", "venv", "venv"],
                     ["venv/bin/pip", "install", "-q", "--retries", "1", "--timeout", "20", "-r", "requirements.txt"]],
                    run=["venv/bin/python", "client.py"]),
    "rust": Recipe("cargo", ["cargo", "--version"], (1, 85), [["cargo", "fetch", "--locked"]],
                   [["cargo", "build", "-q", "--locked", "--offline"], ["cp", "target/debug/otlp-client", "client"],
                    ["rm", "-r", "target"]], ["./client"]),
    "java": Recipe("mvn", ["java", "--version"], (17,),
                   [["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"]],
                   [["javac", "-encoding", "UTF-8", "-cp", "lib/*", "Client.java"]],
                   ["java", "-XX:TieredStopAtLevel=1", "-cp", "lib/*:.", "Client"]),
}


def _attempt(command, folder, seconds):
    """None, or what a failed command said first and last."""
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, check=False, env={**os.environ, "GOTOOLCHAIN": "local"})
    except subprocess.TimeoutExpired:
        return f"took over {seconds} s"
    except FileNotFoundError as problem:
        return str(problem)
    if done.returncode == 0:
        return None
    said = done.stdout.decode(errors="replace").strip().splitlines()
    return f"ended with {done.returncode}: " + " | ".join(said[:2] + said[2:][-4:])


def _check_tool(recipe):
    for tool in [recipe.tool, recipe.version_command[0]]:
        if not shutil.which(tool):
            raise unittest.SkipTest(f"{tool} is not installed")
    said = subprocess.run(recipe.version_command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)*", said)
    version = tuple(int(part) for part in found.group().split(".")) if found else ()
    if version < recipe.minimum:
        wanted = ".".join(map(str, recipe.minimum))
        raise unittest.SkipTest(f"{recipe.version_command[0]} is older than {wanted}: {said.strip()}")


def _files_of(folder):
    return sorted(os.path.join(base, name) for base, _, names in os.walk(folder) for name in names)


def _install(language, recipe, source, home):
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source, home)
    for command in recipe.fetch:
        problem = _attempt(command, home, FETCH_SECONDS)
        if problem:
            raise unittest.SkipTest(f"the SDK for {language} cannot be fetched: {' '.join(command)} {problem}")
    for command in recipe.build:
        problem = _attempt(command, home, BUILD_SECONDS)
        if problem:
            raise AssertionError(f"the client for {language} does not build: {' '.join(command)} {problem}")


@functools.lru_cache(maxsize=None)
def _home(language):
    """The client's folder, or the exception that says why there is none (kept, so that it is tried once a run)."""
    recipe, source = RECIPES[language], os.path.join(SOURCES, language)
    digest = hashlib.sha256(repr((recipe.fetch, recipe.build)).encode())
    for path in _files_of(source):
        with open(path, "rb") as text:
            digest.update(os.path.relpath(path, source).encode() + b"\0" + text.read())
    home = os.path.join(CACHE, f"{language}-{digest.hexdigest()[:16]}")
    try:
        _check_tool(recipe)
        os.makedirs(CACHE, exist_ok=True)
        with open(home + ".lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(home + ".done"):
                _install(language, recipe, source, home)
                with open(home + ".done", "w", encoding="ascii"):
                    pass
    except (unittest.SkipTest, AssertionError) as problem:
        return problem
    return home


class Client:
    def __init__(self, language, home):
        self.language, self.home = language, home

    def run(self, mode="spans", spans=0, service="orders", attributes="", endpoint=None, seconds=90, **environment):
        """What the SDK said on stderr. `endpoint` is the base URL, to which SDKs add the path of the signal; environment
        names are those after OTEL_, in lower case."""
        settings = {"SERVICE_NAME": service, "RESOURCE_ATTRIBUTES": attributes, "BSP_MAX_QUEUE_SIZE": "40000",
                    "BSP_MAX_EXPORT_BATCH_SIZE": "512", "EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                    "METRICS_EXPORTER": "none", "LOGS_EXPORTER": "none"}
        if endpoint:
            settings["EXPORTER_OTLP_ENDPOINT"] = endpoint
        settings.update({name.upper(): value for name, value in environment.items() if name != "client_endpoint"})
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        env = {**inherited, **{"OTEL_" + name: value for name, value in settings.items()}, "CLIENT_SPANS": str(spans),
               "NO_PROXY": "*", "no_proxy": "*"}
        if "client_endpoint" in environment:
            env["CLIENT_ENDPOINT"] = environment["client_endpoint"]
        done = subprocess.run([*RECIPES[self.language].run, mode], cwd=self.home, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds, check=False)
        said = done.stderr.decode(errors="replace")
        if done.returncode:
            raise AssertionError(f"the client for {self.language} ended with {done.returncode}:\n{said}")
        return said


def client(language):
    home = _home(language)
    if isinstance(home, Exception):
        raise home
    return Client(language, home)


def command(name, *arguments):
    """(command, folder) of a client that is run by the caller."""
    return [*RECIPES[name].run, *map(str, arguments)], client(name).home


def planned(count):
    """{(name, kind, status): sorted durations in µs} of the spans that a client sends; see README.md."""
    sets = {}
    for i in range(count):
        status = {3: "ERROR", 5: "OK"}.get(i % 7, "UNSET")
        key = (NAMES[i % 3], "SPAN_KIND_" + KINDS[i % 5], "STATUS_CODE_" + status)
        sets.setdefault(key, []).append(DURATIONS_US[i % 11])
    return {key: sorted(durations) for key, durations in sets.items()}
