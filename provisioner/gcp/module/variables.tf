variable "name" {
  description = "Beginning of every resource's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "The name is 2 to 24 lower case letters, digits and dashes, and starts with a letter."
  }
}

variable "deployment" {
  description = "Name of the deployment this region belongs to."
  type        = string
}

variable "deployment_id" {
  description = "UUID of the deployment: the tag by which a resumed deployment knows its own resources."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.deployment_id))
    error_message = "The deployment id is a UUID in lower case."
  }
}

variable "region" {
  description = "Name of this region in the deployment's file."
  type        = string
}

variable "environment" {
  description = "production, staging, development or another word."
  type        = string
}

variable "location" {
  description = "Google Cloud region, such as europe-west1."
  type        = string
}

variable "account" {
  description = "Project, empty for that of the environment. Used by the root module."
  type        = string
  default     = ""
}

variable "labels" {
  description = "Labels for every resource; characters that Google does not allow become dashes."
  type        = map(string)
  default     = {}
}

variable "cidr" {
  description = "Address range of the network: /16 to /20."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.cidr)) && tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "The range is an IPv4 network from /16 to /20."
  }
}

variable "zones" {
  description = "Availability zones to spread over."
  type        = number
  default     = 3

  validation {
    condition     = var.zones >= 2 && var.zones <= 4
    error_message = "Two to four zones."
  }
}

variable "zone_names" {
  description = "Names of the zones, such as europe-west1-b; empty for those that the region has."
  type        = list(string)
  default     = []
}

variable "instance_type" {
  description = "Machine type of the instances that run the service."
  type        = string
}

variable "instances" {
  description = "Instances that always run."
  type        = number

  validation {
    condition     = var.instances >= 1
    error_message = "At least one instance."
  }
}

variable "max_instances" {
  description = "Instances under load."
  type        = number
}

variable "domain" {
  description = "Domain of the whole deployment, empty for none. The region answers as REGION.DOMAIN and DOMAIN."
  type        = string
  default     = ""
}

variable "certificate" {
  description = "Id of a certificate for the load balancer (projects/P/global/sslCertificates/C), empty for none."
  type        = string
  default     = ""
}

variable "dns_zone" {
  description = "Not used here: what a managed certificate is validated by is the output certificate_records. There for uniformity."
  type        = string
  default     = ""
}

variable "service" {
  description = "What runs on the instances, as a container."
  type = object({
    image              = string
    port               = number
    schema             = string
    health_path        = string
    readiness_path     = string
    metrics_path       = string
    log_level          = string
    otlp_endpoint      = string
    environment        = map(string)
    secret_environment = map(string)
  })
}

variable "database" {
  description = "The PostgreSQL server. Parameters have PostgreSQL's own names."
  type = object({
    engine              = string
    version             = number
    class               = string
    storage_gb          = number
    max_storage_gb      = number
    high_availability   = bool
    deletion_protection = bool
    public_access       = bool
    backup_days         = number
    backup_window       = string
    geo_redundant       = bool
    backup_location     = string
    encryption_key      = string
    logical_replication = bool
    parameters          = map(string)
  })

  validation {
    condition     = var.database.engine == "postgresql"
    error_message = "This module makes PostgreSQL servers."
  }

  validation {
    condition     = var.database.encryption_key == "" || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.database.encryption_key))
    error_message = "The encryption key is the name of a Cloud KMS key: projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}

variable "node" {
  description = "Position among the regions that write, from 0, and how many there are."
  type = object({
    index = number
    count = number
  })
  default = { index = 0, count = 1 }
}

variable "links" {
  description = "How other regions reach the database: none, or tls through a gateway."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "tls"], var.links)
    error_message = "Links are none or tls."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 90
}

variable "audit_log" {
  description = "Log every statement that changes data, and every connection."
  type        = bool
  default     = true
}

variable "final_snapshot" {
  description = "Not empty: the backups stay when the database is destroyed."
  type        = string
  default     = ""
}

variable "gateway_program" {
  description = "Program with which the gateway sets replication up, empty for none."
  type        = string
  default     = ""
}
