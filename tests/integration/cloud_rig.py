"""A deployment's rig (test_deploy_run.Rig) with the real terraform: AWS by its real provider on moto, Google and Azure by
providers that have the schema and a folder for a cloud (schema_providers), all three signed in with fakes."""

import glob
import json
import os
import shutil

import terraform_rig
from fake_azure import SECRET, SUBSCRIPTION, FakeAzure
from fake_google import FakeGoogle
from test_deploy_run import Rig


def made(cloud, kind):
    """What a schema-only cloud has of one type, as it was configured."""
    found = []
    for path in sorted(glob.glob(os.path.join(cloud, kind + ".*.json"))):
        with open(path, encoding="utf-8") as file:
            found.append(json.load(file))
    return found


def cloud_rig(case, config=None, cloud=None):
    """The rig's environment is somebody who may do everything everywhere."""
    rig = Rig(case, config, cloud)
    google, azure = case.open(FakeGoogle(rig.folder)), case.open(FakeAzure(rig.folder))
    rig.binary = shutil.which("terraform")
    rig.env.update(google.environment(), GOOGLE_APPLICATION_CREDENTIALS=google.service_account(), GOOGLE_PROJECT=google.project)
    rig.env.update(azure.client(ARM_CLIENT_SECRET=SECRET, ARM_SUBSCRIPTION_ID=SUBSCRIPTION))
    rig.env["TF_CLI_CONFIG_FILE"] = terraform_rig.Rig(rig.folder).config
    rig.env.update(FRAISEQL_SCHEMA_CLOUD=rig.cloud, FRAISEQL_SETTLE_SECONDS="0")
    return rig
