# Only what a GET asks for and the service itself allows to be kept is kept: persisted queries, not POST /graphql.
resource "cloudflare_ruleset" "cache" {
  count       = var.cdn ? 1 : 0
  zone_id     = var.zone_id
  name        = "${var.name}-cache"
  description = "fraiseql-deployment-id ${var.deployment_id}"
  kind        = "zone"
  phase       = "http_request_cache_settings"
  rules = [
    {
      ref         = "fraiseql_cache_get"
      description = "Persisted queries by GET, for as long as the service says"
      expression  = "(http.host eq \"${var.domain}\" and http.request.method eq \"GET\")"
      action      = "set_cache_settings"
      enabled     = true
      action_parameters = {
        cache       = true
        edge_ttl    = { mode = "respect_origin" }
        browser_ttl = { mode = "respect_origin" }
      }
    },
    {
      ref         = "fraiseql_cache_health"
      description = "Health is asked of the region itself"
      expression  = "(http.host eq \"${var.domain}\" and http.request.uri.path eq \"${var.health.path}\")"
      action      = "set_cache_settings"
      enabled     = true
      action_parameters = {
        cache = false
      }
    },
  ]
}
