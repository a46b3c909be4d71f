terraform {
  # Passwords are write-only arguments, read from the vault as an ephemeral resource, so that no state holds them.
  required_version = ">= 1.11"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.55"
    }
  }
}
