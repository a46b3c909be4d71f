"""What the gateway reads and writes in AWS: a parameter with the document, two secrets, a parameter with its report."""

import base64
import gzip
import json

import boto3


class Store:
    REPORT_EVERY_S = 300
    REPORT_BYTES = 4000  # of a parameter's 4,096

    def __init__(self, settings):
        self.settings = settings
        self.manager = boto3.client("secretsmanager", region_name=settings["location"])
        self.parameters = boto3.client("ssm", region_name=settings["location"])

    def document(self):
        try:
            value = self.parameters.get_parameter(Name=self.settings["document"])["Parameter"]["Value"]
        except self.parameters.exceptions.ParameterNotFound:
            return None
        return gzip.decompress(base64.b64decode(value))

    def password(self):
        return self.manager.get_secret_value(SecretId=self.settings["password"])["SecretString"]

    def administrator(self):
        login = json.loads(self.manager.get_secret_value(SecretId=self.settings["secret"])["SecretString"])
        return login["username"], login["password"]

    def report(self, text):
        self.parameters.put_parameter(Name=self.settings["report"], Value=text, Type="String", Overwrite=True)
