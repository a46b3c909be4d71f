/* Kubernetes: objects of the API server with kube-state-metrics' names, usage from metrics.k8s.io, and the
 * kubelets' cadvisor pages through the API server's node proxy. */
#ifndef FRAISEQL_SCRAPERS_KUBERNETES_H
#define FRAISEQL_SCRAPERS_KUBERNETES_H

#include "scrapers/scraper.h"

extern const struct scraper_kind kubernetes_scraper;

#endif
