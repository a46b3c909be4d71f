"""Signs in by the vendor's own SDK and prints the token: `client.py google|azure`, what of it as JSON on standard input.

Google: the path of an "account"'s key or of a workload identity "pool"'s file, a "user"'s members, with "target" and "hop" to
become somebody else by that address, or none of these for a machine's own; and the "scope" where there is one. Azure: the name of
a "credential", its "arguments" and the "scope". Nothing else is asked, of nobody else: SDKs like to look the project up."""

import json
import sys


def google(settings):
    import google.auth.transport.requests
    from google.auth import compute_engine, identity_pool, impersonated_credentials
    from google.oauth2 import credentials, service_account

    scopes = [settings["scope"]] if "scope" in settings else None
    if "user" in settings:
        signed = credentials.Credentials(None, **settings["user"])
        if "target" in settings:
            signed = impersonated_credentials.Credentials(signed, settings["target"], scopes, delegates=[],
                                                          iam_endpoint_override=settings["hop"])
    elif "account" in settings:
        signed = service_account.Credentials.from_service_account_file(settings["account"], scopes=scopes)
    elif "pool" in settings:
        signed = identity_pool.Credentials.from_file(settings["pool"], scopes=scopes)
    else:
        signed = compute_engine.Credentials(scopes=scopes)
    signed.refresh(google.auth.transport.requests.Request())
    return signed.token


def azure(settings):
    import azure.identity

    credential = getattr(azure.identity, settings["credential"])(**settings["arguments"])
    return credential.get_token(settings["scope"]).token


if __name__ == "__main__":
    print({"google": google, "azure": azure}[sys.argv[1]](json.load(sys.stdin)))
