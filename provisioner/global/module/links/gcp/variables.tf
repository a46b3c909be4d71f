variable "name" {
  description = "Prefix of the names of everything in this region."
  type        = string
}

variable "deployment_id" {
  description = "UUID of the deployment, for the tags that tell what is ours."
  type        = string
}

variable "region" {
  description = "Region whose gateway is opened."
  type        = string
}

variable "target" {
  description = "What guards the gateway: the region's output gateway_rule_target. Empty: nothing is opened."
  type        = string
}

variable "peers" {
  description = "Gateway addresses of the other regions by their names; empty addresses are left out."
  type        = map(string)
  validation {
    condition     = alltrue([for address in values(var.peers) : address == "" || can(cidrnetmask("${address}/32"))])
    error_message = "Every peer must be an IPv4 address."
  }
}

variable "port" {
  description = "Port of the database behind the gateway."
  type        = number
  default     = 5432
}
