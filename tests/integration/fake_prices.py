"""The clouds' price APIs as their documentation draws them, on loopback: AWS's price list files (CSV), Google's Cloud
Billing Catalog v1, Azure's Retail Prices 2023-01-01-preview. A request that the documentation does not allow is
answered with 400 and noted; `trouble()` makes the next answers go wrong."""

import http.server
import json
import re
import socket
import threading
import time
import urllib.parse

KEY = "AIzaSy-a-key-of-the-tests"
PUBLISHED = "2026-11-20T17:00:00Z"

# --- AWS ---

AWS_REGIONS = ("us-east-1", "eu-west-1")
AWS_PREFIX = {"us-east-1": "", "eu-west-1": "EU-"}
AWS_COMMON = ["SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange",
              "EndingRange", "Unit", "PricePerUnit", "Currency", "RelatedTo", "LeaseContractLength", "PurchaseOption",
              "OfferingClass", "Product Family", "serviceCode", "Location", "Location Type", "Instance Type"]
AWS_GLOBAL = ("AmazonRoute53",)  # of these there is one file, not one a region
AWS_OWN = {
    "AmazonEC2": ["Operating System", "License Model", "Tenancy", "Pre Installed S/W", "CapacityStatus", "MarketOption",
                  "Volume API Name", "Group", "usageType", "operation", "Region Code"],
    "AmazonRDS": ["Volume Type", "Database Engine", "License Model", "Deployment Option", "usageType", "operation",
                  "Region Code"],
    "AWSELB": ["Group", "usageType", "operation", "Region Code"],
    "AmazonVPC": ["Group", "usageType", "operation", "Region Code"],
    "AmazonCloudWatch": ["Group", "usageType", "operation", "Region Code"],
    "AWSSecretsManager": ["Group", "usageType", "operation", "Region Code"],
    "awskms": ["Group", "usageType", "operation", "Region Code"],
    "AmazonRoute53": ["Routing Type", "Routing Target", "usageType", "operation", "Region Code"],
    "AWSDataTransfer": ["Transfer Type", "From Location", "From Location Type", "To Location", "To Location Type",
                        "usageType", "operation", "From Region Code", "To Region Code"],
}


def aws_row(offer, region, **fields):
    """One line; what is not given is what an hour on demand in the region has."""
    values = {"SKU": "ABCDEFGH", "OfferTermCode": "JRTCKXETXF", "RateCode": "ABCDEFGH.JRTCKXETXF.6YS6EN2CT7",
              "TermType": "OnDemand", "PriceDescription": "a \"\"quoted\"\" word, and a comma", "EffectiveDate": "2026-11-01",
              "StartingRange": "0", "EndingRange": "Inf", "Unit": "Hrs", "Currency": "USD", "serviceCode": offer,
              "Location": "Somewhere", "Location Type": "AWS Region", "Region Code": region}
    unknown = set(fields) - set(AWS_COMMON) - set(AWS_OWN[offer])
    assert not unknown, unknown
    values.update(fields)
    return ",".join(f'"{values[name]}"' if values.get(name) else "" for name in AWS_COMMON + AWS_OWN[offer])


def aws_machine(region, name, price, **other):
    return aws_row("AmazonEC2", region, **{
        "Product Family": "Compute Instance", "Instance Type": name, "PricePerUnit": price, "Operating System": "Linux",
        "License Model": "No License required", "Tenancy": "Shared", "Pre Installed S/W": "NA", "CapacityStatus": "Used",
        "MarketOption": "OnDemand", "usageType": f"{AWS_PREFIX[region]}BoxUsage:{name}", "operation": "RunInstances", **other})


def aws_database(region, name, price, deployment="Single-AZ", **other):
    return aws_row("AmazonRDS", region, **{
        "Product Family": "Database Instance", "Instance Type": name, "PricePerUnit": price, "Database Engine": "PostgreSQL",
        "License Model": "No license required", "Deployment Option": deployment,
        "usageType": f"{AWS_PREFIX[region]}InstanceUsage:{name}", "operation": "CreateDBInstance:0014", **other})


def aws_usage(offer, region, usage, price, unit="Hrs", family="", **other):
    return aws_row(offer, region, **{"Product Family": family, "usageType": AWS_PREFIX[region] + usage, "Unit": unit,
                                     "PricePerUnit": price, **other})


def aws_name(usage, price, family, unit="HealthCheck", start="0", end="Inf", **other):
    return aws_row("AmazonRoute53", "", **{"Product Family": family, "usageType": usage, "Unit": unit, "PricePerUnit": price,
                                           "StartingRange": start, "EndingRange": end, "Location": "Global",
                                           "Location Type": "", **other})


AWS_NAMES = [
    aws_name("HostedZone", "0.5100000000", "DNS Zone", "HostedZone", end="25"),
    aws_name("HostedZone", "0.1000000000", "DNS Zone", "HostedZone", start="25"),
    aws_name("DNS-Queries", "0.0000004100", "DNS Query", "Queries", end="1000000000"),
    aws_name("DNS-Queries", "0.0000002000", "DNS Query", "Queries", start="1000000000"),
    aws_name("USE1-DNS-Queries", "0.0000009000", "DNS Query", "Queries"),
    aws_name("LBR-Queries", "0.0000006100", "DNS Query", "Queries"),
    aws_name("Geo-Queries", "0.0000007100", "DNS Query", "Queries"),
    aws_name("Intra-AWS-DNS-Queries", "0.0000000000", "DNS Query", "Queries"),
    aws_name("Health-Check-AWS", "0.0000000000", "DNS Health Check", end="50"),
    aws_name("Health-Check-AWS", "0.5200000000", "DNS Health Check", start="50"),
    aws_name("Health-Check-Non-AWS", "0.7600000000", "DNS Health Check"),
    aws_name("Health-Check-Option-AWS", "1.0100000000", "DNS Health Check"),
    aws_name("Health-Check-Option-Non-AWS", "2.0100000000", "DNS Health Check"),
]


def aws_rows(offer, region):
    if offer == "AmazonRoute53":
        return AWS_NAMES
    more = 1 if region == "us-east-1" else 2  # twice the price elsewhere, to tell them apart
    p = lambda nano: f"{nano * more / 1e9:.10f}"
    if offer == "AmazonEC2":
        return [
            aws_machine(region, "t3.large", "0.0100000000", TermType="Reserved"),
            aws_machine(region, "t3.large", p(83300000)),
            aws_machine(region, "t3.large", p(99000000), **{"Operating System": "Windows"}),
            aws_machine(region, "t3.large", p(98000000), Tenancy="Dedicated"),
            aws_machine(region, "t3.large", p(97000000), CapacityStatus="UnusedCapacityReservation"),
            aws_machine(region, "t3.large", p(96000000), **{"Pre Installed S/W": "SQL Web"}),
            aws_machine(region, "t3.large", p(95000000), **{"Location Type": "AWS Local Zone", "Region Code": region + "-bos-1"}),
            aws_machine(region, "m6i.xlarge", p(192100000)),
            aws_machine(region, "t4g.small", p(16900000)),
            aws_machine(region, "m6i.2xlarge", "0.0000000000"),
            aws_machine(region, "x9.unheard", p(1)),
            aws_usage("AmazonEC2", region, "EBS:VolumeUsage.gp3", p(81000000), "GB-Mo", "Storage", **{"Volume API Name": "gp3"}),
            aws_usage("AmazonEC2", region, "NatGateway-Hours", p(46000000), family="NAT Gateway"),
            aws_usage("AmazonEC2", region, "RegionalNatGateway-Hours", p(47000000), family="NAT Gateway"),
            aws_usage("AmazonEC2", region, "NatGateway-Bytes", p(45500000), "GB", "NAT Gateway"),
        ]
    if offer == "AmazonRDS":
        return [
            aws_database(region, "db.t3.medium", p(72100000)),
            aws_database(region, "db.t3.medium", p(144300000), "Multi-AZ"),
            aws_database(region, "db.t3.medium", p(200000000), "Multi-AZ (readable standbys)"),
            aws_database(region, "db.t3.medium", p(1), **{"Database Engine": "MySQL"}),
            aws_database(region, "db.m6i.large", p(178100000)),
            # Two prices for the same: neither is taken.
            aws_database(region, "db.r6i.xlarge", p(500000000)), aws_database(region, "db.r6i.xlarge", p(510000000)),
            aws_usage("AmazonRDS", region, "RDS:GP3-Storage", p(115100000), "GB-Mo", "Database Storage",
                      **{"Database Engine": "PostgreSQL", "Deployment Option": "Single-AZ"}),
            aws_usage("AmazonRDS", region, "RDS:Multi-AZ-GP3-Storage", p(230300000), "GB-Mo", "Database Storage",
                      **{"Database Engine": "PostgreSQL", "Deployment Option": "Multi-AZ"}),
            aws_usage("AmazonRDS", region, "RDS:ChargedBackupUsage", p(95100000), "GB-Mo", "Storage Snapshot",
                      **{"Database Engine": "PostgreSQL"}),
        ]
    if offer == "AWSELB":
        return [aws_usage("AWSELB", region, "LoadBalancerUsage", p(22600000), family="Load Balancer-Application"),
                aws_usage("AWSELB", region, "LoadBalancerUsage", p(25000000), family="Load Balancer"),
                aws_usage("AWSELB", region, "TS-LoadBalancerUsage", p(5600000), family="Load Balancer-Application"),
                aws_usage("AWSELB", region, "LCUUsage", p(8100000), "LCU-Hrs", "Load Balancer-Application")]
    if offer == "AmazonVPC":
        return [aws_usage("AmazonVPC", region, "PublicIPv4:InUseAddress", p(5100000)),
                aws_usage("AmazonVPC", region, "PublicIPv4:IdleAddress", p(5200000))]
    if offer == "AmazonCloudWatch":
        return [aws_usage(offer, region, "DataProcessing-Bytes", p(510000000), "GB", "Data Payload"),
                aws_usage(offer, region, "VendedLog-Bytes", p(250000000), "GB", "Data Payload"),
                aws_usage(offer, region, "DataProcessingIA-Bytes", p(260000000), "GB", "Data Payload"),
                aws_usage(offer, region, "CW:GMD-Metrics", p(11000), "Metrics", "API Request"),
                aws_usage(offer, region, "CW:Requests", p(12000), "Requests", "API Request")]
    if offer == "AWSSecretsManager":
        return [aws_usage(offer, region, "AWSSecretsManager-Secrets", p(410000000), "Secrets", "Secret",
                          usageType={"us-east-1": "USE1-", "eu-west-1": "EUW1-"}[region] + "AWSSecretsManager-Secrets"),
                aws_usage(offer, region, "AWSSecretsManagerAPIRequest", p(5000), "API Requests", "API Request")]
    if offer == "awskms":
        return [aws_usage(offer, region, "", p(1010000000), "Keys", "Encryption Key", usageType=f"{region}-KMS-Keys"),
                aws_usage(offer, region, "", p(3000), "Requests", "API Request", usageType=f"{region}-KMS-Requests")]
    outbound = {"Product Family": "Data Transfer", "Region Code": "", "From Region Code": region, "Unit": "GB"}
    between = {**outbound, "Transfer Type": "InterRegion Outbound", "To Location Type": "AWS Region"}
    other = "us-east-2" if region == "us-east-1" else "us-east-1"
    rows = [{**outbound, "Transfer Type": "AWS Outbound", "usageType": AWS_PREFIX[region] + "DataTransfer-Out-Bytes",
             "StartingRange": start, "PricePerUnit": price}
            for start, price in (("0", "0.0910000000"), ("10240", "0.0860000000"), ("51200", "0.0710000000"),
                                 ("153600", "0.0510000000"))]
    rows += [{**between, "usageType": "AWS-Out-Bytes", "To Region Code": to, "PricePerUnit": price}
             for to, price in ((other, "0.0110000000"), ("us-west-2", "0.0210000000"), ("eu-central-1", "0.0220000000"),
                               ("us-gov-east-1", "0.9000000000"))]
    rows.append({**between, "usageType": "AWS-In-Bytes", "Transfer Type": "InterRegion Inbound", "To Region Code": other,
                 "PricePerUnit": "0.0000000000"})
    for row in rows:
        row.pop("Region Code")
    return [aws_row("AWSDataTransfer", region, **row) for row in rows]


def aws_file(offer, region, padding=0):
    head = ['"FormatVersion","v1.0"', '"Disclaimer","This list is an invention, of ""the"" tests"',
            f'"Publication Date","{PUBLISHED}"', '"Version","20261120170000"', f'"OfferCode","{offer}"',
            ",".join(f'"{name}"' for name in AWS_COMMON + AWS_OWN[offer])]
    rows = aws_rows(offer, region)
    filler = aws_row(offer, region, TermType="Reserved", PricePerUnit="1.0000000000")
    return "\n".join(head + rows[:2] + [filler] * padding + rows[2:]) + "\n"


# --- Google ---

GCP_SERVICES = {"6F81-5844-456A": "Compute Engine", "9662-B51E-5089": "Cloud SQL", "E505-1604-58F8": "Networking",
                "5490-F7B7-8DF6": "Cloud Logging", "58CD-E7C3-72CA": "Cloud Monitoring", "EE82-7A5E-871C": "Secret Manager"}
GCP_FAMILIES = {"Networking": "Network", "Cloud SQL": "ApplicationServices", "Cloud Logging": "ApplicationServices",
                "Cloud Monitoring": "ApplicationServices", "Secret Manager": "ApplicationServices"}


def gcp_sku(service, description, regions, unit, *rates, usage="OnDemand", group="CPU", currency="USD", family=None):
    """Rates: (start, units, nanos)."""
    number = f"{abs(hash((description, regions))) % 16 ** 12:012X}"
    return {"name": f"services/{service}/skus/{number[:4]}-{number[4:8]}-{number[8:]}",
            "skuId": f"{number[:4]}-{number[4:8]}-{number[8:]}", "description": description,
            "category": {"serviceDisplayName": GCP_SERVICES[service], "resourceFamily": family or GCP_FAMILIES.get(GCP_SERVICES[service], "Compute"), "resourceGroup": group,
                         "usageType": usage},
            "serviceRegions": list(regions),
            "pricingInfo": [{"summary": "", "pricingExpression": {
                "usageUnit": unit, "displayQuantity": 1, "tieredRates": [
                    {"startUsageAmount": start, "unitPrice": {"currencyCode": currency, "units": str(units), "nanos": nanos}}
                    for start, units, nanos in rates],
                "usageUnitDescription": "x", "baseUnit": "s", "baseUnitDescription": "second",
                "baseUnitConversionFactor": 3600.0}, "currencyConversionRate": 1, "effectiveTime": "2026-11-24T10:00:00.123Z"}],
            "serviceProviderName": "Google", "geoTaxonomy": {"type": "MULTI_REGIONAL", "regions": list(regions)}}


def gcp_traffic(service):
    internet, between = "Network Internet Data Transfer Out from ", "Network Inter Region Data Transfer Out from "
    out = lambda words, regions, group, *rates: gcp_sku(service, words, regions, "GiBy", *rates, group=group, family="Network")
    europe, americas = ("europe-west1",), ("us-central1", "us-east1")
    tiers = lambda nanos, free=0: ([(0, 0, 0)] if free else []) + [
        (start or free, 0, nanos - step) for start, step in ((0, 0), (1024, 10000000), (10240, 40000000))]
    return [
        out(internet + "EMEA to EMEA", europe, "PremiumInternetEgress", *tiers(121000000)),
        out(internet + "EMEA to Western Europe", europe, "PremiumInternetEgress", *tiers(120000000)),
        out(internet + "EMEA to China", europe, "PremiumInternetEgress", *tiers(230000000)),
        out(internet + "EMEA to Americas", europe, "PremiumInternetEgress", *tiers(125000000)),
        out(internet + "Americas to Americas", americas, "PremiumInternetEgress", *tiers(119000000, free=1)),
        out("Network Standard Data Transfer Out to Internet from EMEA", europe, "StandardInternetEgress", *tiers(85000000)),
        out(between + "EMEA to Frankfurt", europe, "InterregionEgress", (0, 0, 20000000)),
        out(between + "EMEA to Warsaw", europe, "InterregionEgress", (0, 0, 21000000)),
        out(between + "EMEA to Americas", europe, "InterregionEgress", (0, 0, 51000000)),
        out(between + "EMEA to Singapore", europe, "InterregionEgress", (0, 0, 81000000)),
        out(between + "EMEA to Atlantis", europe, "InterregionEgress", (0, 0, 999000000)),
        out("Network Inter Region Data Transfer In from Americas to EMEA", europe, "InterregionIngress", (0, 0, 0)),
        out("Network Inter Zone Data Transfer Out", europe, "InterzoneEgress", (0, 0, 10000000)),
    ]


def gcp_skus(service):
    americas, europe = ("us-central1", "us-east1"), ("europe-west1",)
    sku = lambda description, unit, nanos, regions=europe, **more: gcp_sku(service, description, regions, unit, (0, 0, nanos), **more)
    padding = [sku(f"Commitment v1: N2 Cpu in nowhere {i}", "h", 5, usage="Commit1Yr") for i in range(9)]
    if GCP_SERVICES[service] == "Compute Engine":
        return padding + [
            sku("N2 Instance Core running in Americas", "h", 31700000, americas),
            sku("N2 Instance Ram running in Americas", "GiBy.h", 4250000, americas, group="RAM"),
            sku("N2 Instance Core running in EMEA", "h", 34800000),
            sku("N2 Instance Ram running in EMEA", "GiBy.h", 4670000, group="RAM"),
            sku("N2 Custom Instance Core running in EMEA", "h", 99000000),
            sku("Spot Preemptible N2 Instance Core running in EMEA", "h", 7000000, usage="Preemptible"),
            sku("E2 Instance Core running in EMEA", "h", 24000000), sku("E2 Instance Ram running in EMEA", "GiBy.h", 3210000),
            sku("N2D AMD Instance Core running in EMEA", "h", 30300000),
            sku("Balanced PD Capacity in Belgium", "GiBy.mo", 101000000, group="SSD"),
            sku("Regional Balanced PD Capacity in Belgium", "GiBy.mo", 202000000, group="SSD"),
            gcp_sku(service, "C4 Instance Core running in EMEA", europe, "h", (0, 0, 1000), (100, 0, 900)),
            sku("External IP Charge on a Standard VM", "h", 5300000, ("global",), group="IpAddress", family="Network"),
            sku("External IP Charge on a Spot Preemptible VM", "h", 2500000, ("global",), group="IpAddress", family="Network"),
            *gcp_traffic(service),
        ]
    if GCP_SERVICES[service] == "Networking":
        balancer = "External Application Load Balancer"
        return padding + [
            sku("Cloud Load Balancer Forwarding Rule Minimum Global", "h", 25300000, ("global",), group="LoadBalancing"),
            sku("Cloud Load Balancer Forwarding Rule Additional Global", "h", 10000000, ("global",), group="LoadBalancing"),
            sku("Cloud Load Balancer Forwarding Rule Minimum for Belgium", "h", 26000000, group="LoadBalancing"),
            sku(f"Global {balancer} Inbound Data Processing for Belgium", "GiBy", 8100000, group="LoadBalancing"),
            sku(f"Global {balancer} Outbound Data Processing for Belgium", "GiBy", 8200000, group="LoadBalancing"),
            sku(f"Regional {balancer} Outbound Data Processing for Belgium", "GiBy", 9000000, group="LoadBalancing"),
            sku("Networking Cloud Nat Gateway Uptime", "h", 1500000, ("global",), group="CloudNat"),
            sku("Networking Private Nat Gateway Uptime", "h", 44000000, ("global",), group="CloudNat"),
            sku("Networking Cloud Nat Data Processing", "GiBy", 45300000, ("global",), group="CloudNat"),
            sku("Networking Cloud NAT IP Usage", "h", 5000000, ("global",), group="CloudNat"),
        ]
    if GCP_SERVICES[service] == "Cloud Logging":
        return padding + [gcp_sku(service, "Log Storage cost", ("global", *europe), "GiBy", (0, 0, 0), (50, 0, 510000000)),
                          sku("Log Retention cost", "GiBy.mo", 10000000, ("global",))]
    if GCP_SERVICES[service] == "Cloud Monitoring":
        return padding + [gcp_sku(service, "Monitoring API Requests", ("global",), "count", (0, 0, 0), (1000000, 0, 11000)),
                          gcp_sku(service, "Metric Volume", ("global",), "MiBy", (0, 0, 0), (150, 0, 258000000), (100000, 0, 151000000))]
    if GCP_SERVICES[service] == "Secret Manager":
        return padding + [gcp_sku(service, "Secret version replica storage", ("global",), "mo", (0, 0, 0), (6, 0, 61000000)),
                          gcp_sku(service, "Secret access operations", ("global",), "count", (0, 0, 0), (10000, 0, 3000))]
    return padding + [
        sku("Cloud SQL for PostgreSQL: Zonal - vCPU in Belgium", "h", 41400000),
        sku("Cloud SQL for PostgreSQL: Zonal - RAM in Belgium", "GiBy.h", 7100000),
        sku("Cloud SQL for PostgreSQL: Zonal - Enterprise Plus C4 vCPU in Belgium", "h", 54000000),
        sku("Cloud SQL for MySQL: Zonal - vCPU in Belgium", "h", 11000000),
        sku("Cloud SQL for PostgreSQL: Zonal - Standard storage in Belgium", "GiBy.mo", 170100000),
        sku("Cloud SQL for PostgreSQL: Regional - Standard storage in Belgium", "GiBy.mo", 340300000),
        sku("Cloud SQL: Backups in Belgium", "GiBy.mo", 80100000),
        gcp_sku(service, "Cloud SQL for PostgreSQL: Zonal - Micro instance in Belgium", europe, "h", (0, 0, 0), (10, 0, 10500000)),
    ]


# --- Azure ---

FILTER_FIELDS = {"serviceName", "armRegionName", "armSkuName", "priceType", "productName", "skuName", "meterName"}


def azure_item(region, service, product, sku, meter, price, unit="1 Hour", arm_sku="", kind="Consumption", tier=0.0):
    return {"currencyCode": "USD", "tierMinimumUnits": tier, "retailPrice": price, "unitPrice": price, "armRegionName": region,
            "location": "X", "effectiveStartDate": "2023-03-01T00:00:00Z", "meterId": "m", "meterName": meter, "productId": "p",
            "skuId": "s", "productName": product, "skuName": sku, "serviceName": service, "serviceId": "i",
            "serviceFamily": "Compute", "unitOfMeasure": unit, "type": kind, "isPrimaryMeterRegion": True, "armSkuName": arm_sku}


def azure_items(region):
    machines, postgres = "Virtual Machines", "Azure Database for PostgreSQL"
    flexible = "Azure Database for PostgreSQL Flexible Server "
    vm = lambda product, sku, price, arm="Standard_D4s_v5", **more: azure_item(region, machines, product, sku, sku, price, arm_sku=arm, **more)
    db = lambda product, sku, meter, price, **more: azure_item(region, postgres, product, sku, meter, price, **more)
    dns = lambda place, sku, meter, price, unit="1", **more: azure_item(place, "Azure DNS", "Azure DNS", sku, meter, price, unit, **more)
    if region in ("", "Zone 1"):
        return [dns(region, "Private", "Private Zone", 0.51), dns(region, "Private", "Private Zone", 0.1, tier=25.0),
                dns(region, "Public", "Public Zone", 0.52), dns(region, "Private", "Private Queries", 0.4, "1M"),
                dns(region, "Private Resolver", "Private Resolver Inbound Endpoint", 180.0)]
    if region == "Global":
        return [
            azure_item(region, "NAT Gateway", "NAT Gateway", "Standard", "Standard Gateway", 0.0451),
            azure_item(region, "NAT Gateway", "NAT Gateway", "Standard", "Standard Data Processed", 0.0452, "1 GB"),
        ]
    return [
        vm("Virtual Machines Dsv5 Series", "D4s v5", 0.2301),
        vm("Virtual Machines Dsv5 Series Windows", "D4s v5", 0.414), vm("Virtual Machines Dsv5 Series", "D4s v5 Spot", 0.0477),
        vm("Virtual Machines Dsv5 Series", "D4s v5 Low Priority", 0.046), vm("Dsv5 Series Cloud Services", "D4s v5", 0.3),
        vm("Virtual Machines Dsv5 Series", "D4s v5", 0.1, kind="DevTestConsumption"),
        vm("Virtual Machines BS Series", "B1s", 1.04E-2, "Standard_B1s"),
        vm("Virtual Machines Dsv5 Series", "D8s v5", 0.46020000000000000001, "Standard_D8s_v5"),
        db(flexible + "General Purpose - Ddsv5 Series Compute", "2 vCore", "vCore", 0.2031),
        db(flexible + "General Purpose - Ddsv5 Series Compute", "4 vCore", "vCore", 0.4062),
        db(flexible + "Memory Optimized Edsv5 Series Compute", "vCore", "vCore", 0.131),
        db(flexible + "Burstable BS Series Compute", "B1MS", "B1MS", 0.0221),
        db("Az DB for PostgreSQL Flexible Server Storage", "Storage", "Storage Data Stored", 0.1381, unit="1 GB/Month"),
        db("Azure Database for PostgreSQL Flexible Server Backup Storage", "Backup Storage LRS", "Backup Storage LRS Data Stored", 0.0951,
           unit="1 GB/Month"),
        azure_item(region, "Application Gateway", "Application Gateway Standard v2", "Standard", "Standard Fixed Cost", 0.2461, "1/Hour"),
        azure_item(region, "Application Gateway", "Application Gateway Standard v2", "Standard", "Standard Capacity Units", 0.0081, "1/Hour"),
        azure_item(region, "Application Gateway", "Application Gateway WAF v2", "Standard", "Standard Fixed Cost", 0.443, "1/Hour"),
        azure_item(region, "Virtual Network", "IP Addresses", "Standard", "Standard IPv4 Static Public IP", 0.0052),
        azure_item(region, "Bandwidth", "Rtn Preference: MGN", "Standard", "Standard Data Transfer Out", 0.0, "1 GB"),
        azure_item(region, "Bandwidth", "Rtn Preference: MGN", "Standard", "Standard Data Transfer Out", 0.0871, "1 GB", tier=100.0),
        azure_item(region, "Bandwidth", "Rtn Preference: MGN", "Standard", "Standard Data Transfer Out", 0.0831, "1 GB", tier=10335.0),
        azure_item(region, "Bandwidth", "Rtn Preference: MGN", "Standard", "Standard Inter-Region Data Transfer", 0.0805, "1 GB"),
        azure_item(region, "Bandwidth", "Rtn Preference: MGN", "Standard", "Standard Inter-Availability Zone Data Transfer Out", 0.01, "1 GB"),
        azure_item(region, "Bandwidth", "Bandwidth - Routing Preference: Internet", "Standard", "Standard Data Transfer Out", 0.08, "1 GB", tier=100.0),
        azure_item(region, "Storage", "Standard SSD Managed Disks", "E4 LRS", "E4 LRS Disk", 2.56, "1/Month"),
        azure_item(region, "Storage", "Standard SSD Managed Disks", "E4 LRS", "E4 LRS Disk Operations", 0.002, "10K"),
        azure_item(region, "Storage", "Standard SSD Managed Disks", "E4 ZRS", "E4 ZRS Disk", 3.6, "1/Month"),
        azure_item(region, "Storage", "Standard SSD Managed Disks", "E10 LRS", "E10 LRS Disk", 9.6, "1/Month"),
        azure_item(region, "Storage", "Premium SSD Managed Disks", "P4 LRS", "P4 LRS Disk", 5.28, "1/Month"),
        azure_item(region, "Log Analytics", "Log Analytics", "Analytics Logs", "Analytics Logs Data Ingestion", 0.0, "1 GB"),
        azure_item(region, "Log Analytics", "Log Analytics", "Analytics Logs", "Analytics Logs Data Ingestion", 2.95, "1 GB", tier=5.0),
        azure_item(region, "Log Analytics", "Log Analytics", "Analytics Logs", "Analytics Logs Data Retention", 0.12, "1 GB/Month"),
        azure_item(region, "Key Vault", "Key Vault", "Standard", "Operations", 0.031, "10K"),
        azure_item(region, "Key Vault", "Key Vault", "Standard", "Advanced Key Operations", 0.15, "10K"),
        azure_item(region, "Key Vault", "Key Vault", "Premium", "Operations", 0.032, "10K"),
        azure_item(region, "Key Vault", "Azure Dedicated HSM", "Standard", "Standard Instance", 4.85),
    ]


# --- the server ---

class Wrong(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802, the name is http.server's
        fake = self.server.fake
        split = urllib.parse.urlsplit(self.path)
        with fake.lock:
            fake.requests.append((self.path, dict(self.headers.items())))
        try:
            status, kind, body = fake.answer(split.path, split.query, self.headers)
        except Wrong as problem:
            fake.wrong.append(f"{self.path}: {problem}")
            status, kind, body = 400, "text/plain", str(problem)
        trouble = fake.next_trouble(self.path)
        if trouble:
            trouble(self, status, kind, body.encode())
        else:
            self.reply(status, kind, body.encode())

    def reply(self, status, kind, body, headers=(), cut=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True


def failing(status, headers=()):
    return lambda handler, *_: handler.reply(status, "application/json", b'{"error":{"code":%d}}' % status, headers)


def cut_at(share):
    return lambda handler, status, kind, body: handler.reply(status, kind, body, cut=int(len(body) * share))


def cut_in_last_line(handler, status, kind, body):
    """Ends the answer as if it were complete, within its last line."""
    handler.reply(status, kind, body[:body.rstrip(b"\n").rfind(b",")])


def replaced(old, new, strict=True):
    def trouble(handler, status, kind, body):
        if strict and old.encode() not in body:
            handler.server.fake.wrong.append(f"{handler.path}: nothing to replace: {old}")
            status = 400
        handler.reply(status, kind, body.replace(old.encode(), new.encode()))
    return trouble


def slow(seconds, share=0.5):
    def trouble(handler, status, kind, body):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:int(len(body) * share)])
        handler.wfile.flush()
        time.sleep(seconds)
        try:
            handler.wfile.write(body[int(len(body) * share):])
        except OSError:
            handler.close_connection = True
    return trouble


class Prices:
    def __init__(self, padding=0):
        self.lock = threading.Lock()
        self.padding = padding
        self.requests, self.wrong, self.troubles = [], [], []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.fake = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def trouble(self, part, action, times=1):
        """The next answers to paths that contain `part` are made by `action`."""
        self.troubles.append([part, action, times])

    def next_trouble(self, path):
        with self.lock:
            for each in self.troubles:
                if each[0] in urllib.parse.unquote(path) and each[2] > 0:
                    each[2] -= 1
                    return each[1]
        return None

    def paths(self, part=""):
        return [path for path, _ in self.requests if part in path]

    def answer(self, path, query, headers):
        if path.startswith("/offers/"):
            return self.aws(path, query, headers)
        if path.startswith("/v1/"):
            return self.gcp(path, query, headers)
        if path == "/api/retail/prices":
            return self.azure(query, headers)
        raise Wrong("no API has this path")

    def aws(self, path, query, headers):
        if query or "X-Goog-Api-Key" in headers or "Authorization" in headers:
            raise Wrong("files are asked for by their path alone")
        if path == "/offers/v1.0/aws/index.json":
            return 200, "application/json", json.dumps({
                "formatVersion": "v1.0", "disclaimer": "", "publicationDate": PUBLISHED, "offers": {
                    code: {"offerCode": code, "versionIndexUrl": f"/offers/v1.0/aws/{code}/index.json",
                           "currentVersionUrl": f"/offers/v1.0/aws/{code}/current/index.json",
                           "currentRegionIndexUrl": f"/offers/v1.0/aws/{code}/current/region_index.json"}
                    for code in (*AWS_OWN, "AmazonS3")}})
        found = re.fullmatch(r"/offers/v1\.0/aws/(\w+)/current/index\.csv", path)
        if found and found[1] in AWS_GLOBAL:
            return 200, "text/csv", aws_file(found[1], "", self.padding)
        found = re.fullmatch(r"/offers/v1\.0/aws/(\w+)/current/(?:(region_index\.json)|([a-z0-9-]+)/index\.csv)", path)
        if not found or found[1] not in set(AWS_OWN) - set(AWS_GLOBAL) or found[3] not in (None, *AWS_REGIONS):
            raise Wrong("no such file")
        if found[2]:
            return 200, "application/json", json.dumps({
                "formatVersion": "v1.0", "disclaimer": "", "publicationDate": PUBLISHED, "regions": {
                    region: {"regionCode": region,
                             "currentVersionUrl": f"/offers/v1.0/aws/{found[1]}/20261120170000/{region}/index.json"}
                    for region in AWS_REGIONS}})
        return 200, "text/csv", aws_file(found[1], found[3], self.padding)

    def gcp(self, path, query, headers):
        found = re.fullmatch(r"/v1/services/([0-9A-F-]+)/skus", path)
        given = urllib.parse.parse_qs(query, keep_blank_values=True, strict_parsing=True)
        if not found or found[1] not in GCP_SERVICES:
            raise Wrong("no such service")
        if set(given) - {"pageSize", "pageToken"} or any(len(values) != 1 for values in given.values()):
            raise Wrong("a parameter that the method does not have, or twice, or the key outside of its header")
        if not 1 <= int(given["pageSize"][0]) <= 5000:
            raise Wrong("pageSize")
        if headers.get("X-Goog-Api-Key") != KEY:
            return 403, "application/json", '{"error":{"code":403,"message":"no key","status":"PERMISSION_DENIED"}}'
        token, skus, begin, size = given.get("pageToken", [""])[0], gcp_skus(found[1]), 0, 5
        if token:
            number = re.fullmatch(r"at\+(\d+)/=", token)
            if not number:
                raise Wrong("pageToken")
            begin = int(number[1])
        page = {"skus": skus[begin:begin + size], "nextPageToken": f"at+{begin + size}/=" if begin + size < len(skus) else ""}
        return 200, "application/json; charset=UTF-8", json.dumps(page)

    def azure(self, query, headers):
        given = urllib.parse.parse_qs(query, keep_blank_values=True, strict_parsing=True)
        if "X-Goog-Api-Key" in headers or "Authorization" in headers:
            raise Wrong("no credentials are wanted")
        if set(given) - {"api-version", "meterRegion", "$filter", "$skip"} or any(len(each) != 1 for each in given.values()):
            raise Wrong("an unknown parameter, or one twice")
        if given.get("api-version") != ["2023-01-01-preview"] or given.get("meterRegion") != ["'primary'"]:
            raise Wrong("api-version or meterRegion")
        if " " in query or "'" in query:
            raise Wrong("characters that a URL cannot hold")
        wanted = {}
        for term in given["$filter"][0].split(" and "):
            found = re.fullmatch(r"(\w+) eq '([^']*)'", term)
            if not found or found[1] not in FILTER_FIELDS or found[1] in wanted:
                raise Wrong(f"$filter: {term}")
            wanted[found[1]] = found[2]
        wanted["type"] = wanted.pop("priceType")
        if not {"serviceName", "armRegionName"} <= set(wanted) or (wanted["serviceName"] == "Storage" and "productName" not in wanted):
            raise Wrong("$filter would list the world")
        items = [each for each in azure_items(wanted["armRegionName"]) if all(each[name] == value for name, value in wanted.items())]
        begin, size = int(given.get("$skip", ["0"])[0]), 2
        link = None
        if begin + size < len(items):
            link = f"{self.url}/api/retail/prices?" + urllib.parse.urlencode(
                {**{name: values[0] for name, values in given.items()}, "$skip": begin + size}, quote_via=urllib.parse.quote)
        page = items[begin:begin + size]
        return 200, "application/json; charset=utf-8", json.dumps({
            "BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail", "Items": page,
            "NextPageLink": link, "Count": len(page)})
