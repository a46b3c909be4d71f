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

variable "store" {
  description = "Where the gateway finds what to do: the region's output replication_store. Empty: nothing is put there."
  type        = string
  default     = ""
}

variable "identity" {
  description = "Who the gateway is: the region's output gateway_identity."
  type        = string
  default     = ""
}

variable "replication" {
  description = "SQL of this region, and what it fetches from its peers: port of the gateway that leads there, names in the SQL. null: none."
  type = object({
    sql = string
    sources = map(object({
      port         = number
      database     = string
      variable     = string
      publication  = string
      subscription = string
    }))
  })
  default = null
}

variable "keeps_password" {
  description = "Whether this region's store is where the password of the role that fetches rows is made. One region's is."
  type        = bool
  default     = false
}

variable "ready" {
  description = "Whether the region that keeps the password stands: without it there is none yet."
  type        = bool
  default     = false
}

variable "password_version" {
  description = "Raised, it changes the password. Of the region that keeps it."
  type        = number
  default     = 1
}

variable "password" {
  description = "The password, from the region that keeps it."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "password_stamp" {
  description = "Another one with each password, from the region that keeps it."
  type        = string
  default     = ""
}
