"""Time of `fraiseql deploy` of three AWS regions: the real terraform, the real AWS provider, the whole module, on moto.
Prints; asserts nothing. Most of it is the provider waiting between two looks at a database.

    python3 tests/bench/bench_deploy_aws.py
"""

import os
import re
import resource
import shutil
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

from cloud_rig import cloud_rig  # noqa: E402
from harness import Case, Folder  # noqa: E402
from test_deploy_run import deployment  # noqa: E402
from test_deploy_terraform import Moto, find_mirror  # noqa: E402


class Bench(Case):
    def runTest(self):
        """Unused: a Case closes what it has opened."""

    def measure(self):
        moto = self.open(Moto(self.open(Folder())))
        rig = cloud_rig(self, deployment())
        rig.env.update(AWS_ENDPOINT_URL=moto.url, AWS_EC2_METADATA_DISABLED="true")
        for what, flags in (("first", ()), ("second", ("--dry-run",))):
            begin = time.monotonic()
            status, text = rig.deploy(*flags)
            spent = time.monotonic() - begin
            made = [int(count) for count in re.findall(r"^    (\d+) resources in", text, re.M)]
            print(f"{what:6} deploy of 3 AWS regions ({sum(made)} resources): {spent:6.1f} s, exit {status}"
                  + (" (aim: under 180 s)" if what == "first" else " (plan only)"), flush=True)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"processor time of all processes: {usage.ru_utime + usage.ru_stime:.1f} s; largest of them: "
              f"{usage.ru_maxrss / 1024:.0f} MiB (terraform and its provider)")


def main():
    missing = [name for name in ("terraform", "moto_server") if not shutil.which(name)]
    if missing or not find_mirror():
        print(f"skipped: needs {', '.join(missing) or 'a tf-plugins folder with the AWS provider'}")
        return
    bench = Bench()
    bench.setUp()
    try:
        bench.measure()
    finally:
        bench.doCleanups()


main()
