"""`fraiseql deploy` on Azure and Google Cloud: the real terraform, the whole modules, and providers with the real schemas
whose cloud is a folder (schema_providers). A run is cut off at a resource, before or after the cloud has made it, and the
next one must end with the same deployment."""

import glob
import os
import random
import shutil
import signal
import unittest

import harness
import terraform_rig
from cloud_rig import cloud_rig, made

REGIONS = {"azure": {"provider": "azure", "location": "westeurope", "size": "small"},
           "gcp": {"provider": "gcp", "location": "europe-west1", "size": "small"}}
PROVIDERS = {"azure": "hashicorp/azurerm", "gcp": "hashicorp/google"}


@unittest.skipUnless(shutil.which("terraform"), "terraform is not installed")
@unittest.skipUnless(os.path.isdir(terraform_rig.SCHEMA_MIRROR), terraform_rig.HOW_TO_GET_THEM)
class Clouds(harness.Case):
    def rig(self, kind, **more):
        if terraform_rig.providers().get(PROVIDERS[kind]) != terraform_rig.SCHEMA_MIRROR:
            self.skipTest(f"no schema-only {PROVIDERS[kind]}; {terraform_rig.HOW_TO_GET_THEM}")
        return cloud_rig(self, {"version": 1, "metadata": {"name": "demo", "environment": "staging"},
                                "regions": {"eu": REGIONS[kind]}, **more})

    def made(self, rig, kind):
        return made(rig.cloud, kind)

    def cut_off(self, rig, where):
        rig.env["FRAISEQL_SCHEMA_FAIL"] = where
        status, text = rig.deploy()
        self.assertNotEqual(status, 0, text)
        rig.env.pop("FRAISEQL_SCHEMA_FAIL")
        return text

    def converges(self, rig):
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        status, text = rig.deploy()
        self.assertEqual(status, 0, text)
        self.assertIn("Nothing to do", text)

    def passwords(self, rig):
        vault = [secret["given"]["value_wo"] for secret in self.made(rig, "azurerm_key_vault_secret") if secret["name"] == "database-password"]
        server = [one["given"]["administrator_password_wo"] for one in self.made(rig, "azurerm_postgresql_flexible_server")]
        self.assertEqual(len(vault), 1)
        return vault[0], server[0] if server else None

    def no_file_has(self, rig, word):
        for base, _, names in os.walk(rig.folder.path):
            for name in names:
                path = os.path.join(base, name)
                if not path.startswith(rig.cloud) and os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.assertNotIn(word.encode(), file.read(), path)

    def test_azure_password_is_one_whatever_was_cut_off(self):
        rig = self.rig("azure")
        self.cut_off(rig, "azurerm_postgresql_flexible_server")
        first, server = self.passwords(rig)
        self.assertIsNone(server)
        self.assertTrue(first.startswith("Aa1-"))
        self.converges(rig)
        self.assertEqual(self.passwords(rig), (first, first))
        self.no_file_has(rig, first)

    def test_azure_secret_that_nobody_knows_of(self):
        rig = self.rig("azure")
        self.cut_off(rig, "lost:azurerm_key_vault_secret")
        self.converges(rig)
        vault, server = self.passwords(rig)
        self.assertEqual(vault, server)

    def test_azure_password_is_changed_in_both_places(self):
        rig = self.rig("azure")
        self.converges(rig)
        first, _ = self.passwords(rig)
        rig.env["TF_VAR_password_version"] = "2"
        self.cut_off(rig, "update:azurerm_postgresql_flexible_server")
        self.converges(rig)
        second, server = self.passwords(rig)
        self.assertNotEqual(second, first)
        self.assertEqual(server, second)

    def test_azure_database_that_stays_keeps_its_password(self):
        rig = self.rig("azure")
        self.converges(rig)
        first = self.passwords(rig)
        status, text = rig.run("--yes", "--confirm", "demo", verb=("destroy",))
        self.assertEqual(status, 0, text)
        self.assertEqual(self.made(rig, "azurerm_linux_virtual_machine_scale_set"), [])
        self.converges(rig)
        self.assertEqual(self.passwords(rig), first)

    def test_killed_with_terraform_at_any_moment(self):
        for kind in ("azure", "gcp") * (3 if harness.LONG else 1):
            with self.subTest(kind):
                rig = self.rig(kind)
                process = rig.start("--yes", "--skip-smoke-tests")
                enough = random.randint(1, 40)
                harness.wait_until(lambda: len(os.listdir(rig.cloud)) >= enough, 200, "the first resources", 0.005)
                for pid in [process.pid, *rig.children()]:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                process.communicate()
                self.converges(rig)
                names = [(one["type"], one["name"]) for one in self.made(rig, "*") if one["name"]]
                self.assertEqual(len(set(names)), len(names), "nothing is there twice")
                if kind == "azure":
                    self.assertEqual(*self.passwords(rig))

    def test_azure_destroyed_and_deployed_again(self):
        self.again(self.rig("azure"))

    def test_gcp_destroyed_and_deployed_again(self):
        """Google keeps the names of some things for days, and of key rings for ever: none is asked for twice."""
        first, second = self.again(self.rig("gcp"))
        self.assertEqual([len(first), len(second)], [1, 1])
        self.assertNotEqual(first[0]["name"], second[0]["name"], "the name of a log bucket is taken for a week")

    def test_azure_what_is_in_no_state_is_found(self):
        self.forgotten(self.rig("azure"), "azurerm_")

    def test_gcp_what_is_in_no_state_is_found(self):
        self.forgotten(self.rig("gcp"), "google_")

    def again(self, rig):
        self.converges(rig)
        first = self.made(rig, "google_logging_project_bucket_config")
        count = len(os.listdir(rig.cloud))
        status, text = rig.run("--yes", "--confirm", "demo", "--delete-data", verb=("destroy",))
        self.assertEqual(status, 0, text)
        self.assertEqual([name for name in os.listdir(rig.cloud) if not name.startswith("google_project_service")], [])
        self.converges(rig)
        self.assertEqual(len(os.listdir(rig.cloud)), count)
        self.assertEqual(self.made(rig, "google_kms_key_ring"), [])
        return first, self.made(rig, "google_logging_project_bucket_config")

    def forgotten(self, rig, prefix):
        """What has a name and is in no state is found by it: takes every resource of the types out of the state, which is
        what a run leaves that was killed while the cloud made them."""
        self.converges(rig)
        before = sorted(os.listdir(rig.cloud))
        root = glob.glob(os.path.join(rig.folder.path, ".fraiseql", "*", "**", "regions", "eu"), recursive=True)[0]
        listed = terraform_rig.Rig(rig.folder)
        listed.env["FRAISEQL_SCHEMA_CLOUD"] = rig.cloud
        addresses = listed.check(root, "state", "list").splitlines()
        named = {one["type"] for one in self.made(rig, prefix + "*") if one["name"]}
        kinds = sorted(named)
        for group in (kinds[at::5] for at in range(5)):
            found = [address for address in addresses if address.split(".")[2] in group]
            self.assertGreaterEqual(len(found), len(group))
            listed.check(root, "state", "rm", *found)
            self.cut_off(rig, "*")
            status, text = rig.deploy()
            self.assertEqual(status, 0, "\n".join([*found, text]))
        self.assertEqual(sorted(os.listdir(rig.cloud)), before)


if __name__ == "__main__":
    harness.main()
