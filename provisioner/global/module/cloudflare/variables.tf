variable "name" {
  description = "Prefix of the names of what is made here."
  type        = string
}

variable "deployment_id" {
  description = "UUID of the deployment, for the tags that tell what is ours."
  type        = string
}

variable "domain" {
  description = "Name that users ask for; each region answers as REGION.DOMAIN too."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.domain))
    error_message = "The domain must be a host name in lower case, such as api.example.com."
  }
}

variable "routing" {
  description = "Which region answers: the fastest, the nearest on the map, the primary while it lives, or by weight."
  type        = string
  default     = "latency"
  validation {
    condition     = contains(["latency", "geographic", "failover", "weighted"], var.routing)
    error_message = "Allowed: latency, geographic, failover, weighted."
  }
}

variable "primary" {
  description = "Region that answers first with failover routing; empty: the first by name."
  type        = string
  default     = ""
}

variable "ttl" {
  description = "Seconds for which resolvers may keep an answer."
  type        = number
  default     = 60
  validation {
    condition     = var.ttl >= 1 && var.ttl <= 86400
    error_message = "The time to live must be from 1 to 86400 seconds."
  }
}

variable "health" {
  description = "How a region is asked whether it can serve."
  type = object({
    path     = string
    interval = number
  })
  default = { path = "/readiness", interval = 10 }
  validation {
    condition     = startswith(var.health.path, "/")
    error_message = "The path must start with a slash."
  }
}

variable "regions" {
  description = "Every region by its name, with the outputs of its module. A region without an endpoint gets no record."
  type = map(object({
    provider         = string
    location         = string
    latitude         = number
    longitude        = number
    nearest_aws      = string
    weight           = optional(number, 100)
    endpoint         = string
    endpoint_kind    = string
    endpoint_zone_id = string
    url              = string

    # JSON: a list of records, CNAME all of them, by name and data.
    certificate_records = optional(string, "")
  }))
}

variable "account_id" {
  description = "Cloudflare account that owns pools and monitors."
  type        = string
}

variable "zone_id" {
  description = "Cloudflare zone that holds the domain."
  type        = string
}

variable "cdn" {
  description = "Whether requests pass Cloudflare's proxy and cache."
  type        = bool
  default     = false
}
