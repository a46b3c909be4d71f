#!/usr/bin/env python3
"""terraform with small roots: the real program and the real AWS provider, over a module of a few resources that moto
makes in a moment. Before each command an override file in the root points module.region there and the provider (and
an s3 backend) at $SMALL_CLOUD."""

import json
import os
import shutil
import sys

CLOUD = os.environ["SMALL_CLOUD"]
PLAIN = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "not-a-secret", "region": "us-east-1"}
LAX = {"skip_credentials_validation": True, "skip_metadata_api_check": True, "skip_requesting_account_id": True,
       "skip_region_validation": True}


def module(names):
    variables = {name: {} for name in names}
    tags = {"fraiseql-deployment-id": "${var.deployment_id}"}
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "variable": variables,
        "resource": {
            "aws_ssm_parameter": {"setting": {
                "count": "${var.instances * 4}", "name": "/${var.name}/${count.index}", "type": "String",
                "value": "${var.instance_type}", "tags": {**tags, "fraiseql-address": "aws_ssm_parameter.setting/${count.index}"}}}},
        "output": {"url": {"value": "http://127.0.0.1:9"}}}


def prepare(folder):
    with open(folder + "/main.tf.json", encoding="utf-8") as file:
        root = json.load(file)
    arguments = root["module"]["region"]
    names = [name for name in arguments if name != "source"]
    location = arguments["location"]
    terraform = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}}
    backend = root["terraform"].get("backend", {})
    if "s3" in backend:
        terraform["backend"] = {"s3": {**PLAIN, **LAX, "bucket": backend["s3"]["bucket"],
                                       "key": backend["s3"]["key"], "use_lockfile": True, "use_path_style": True,
                                       "skip_s3_checksum": True, "endpoints": {"s3": CLOUD}}}
    outputs = {name: {"value": ("${module.region.url}" if name == "url" else "")}
               for name, output in root["output"].items() if "module.region." in output["value"]}
    override = {"terraform": terraform,
                "provider": {"aws": {**PLAIN, **LAX, "region": location, "s3_use_path_style": True,
                                     "endpoints": {"ssm": CLOUD, "s3": CLOUD}}},
                "module": {"region": {"source": "./small"}}, "output": outputs}
    os.makedirs(folder + "/small", exist_ok=True)
    for path, content in ((folder + "/small/main.tf.json", module(names)), (folder + "/small_override.tf.json", override)):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)


prepare(sys.argv[1][len("-chdir="):])
os.execv(shutil.which("terraform"), ["terraform", *sys.argv[1:]])
