// Azure Monitor and Resource Manager by Microsoft's SDKs; signed in by @azure/identity with a client secret.
'use strict';

const { ClientSecretCredential } = require('@azure/identity');
const { MetricsClient } = require('@azure/monitor-query-metrics');
const { MonitorClient } = require('@azure/arm-monitor');
const { ResourceManagementClient } = require('@azure/arm-resources');

async function all(found) {
  const list = [];
  for await (const item of found) list.push(item);
  return list;
}

exports.open = ({ endpoint, tenant, client, secret, subscription, scope, versions }) => {
  const credential = new ClientSecretCredential(tenant, client, secret, { authorityHost: endpoint, disableInstanceDiscovery: true });
  const options = { endpoint, retryOptions: { maxRetries: 0 } };
  // Its own default is Resource Manager's audience, which is not that of the data plane.
  const batch = new MetricsClient(endpoint, credential, { ...options, credentials: { scopes: [scope] } });
  const monitor = new MonitorClient(credential, subscription, options);
  const manager = new ResourceManagementClient(credential, subscription, options);
  // These packages ask by other versions of the same operations than the collector does.
  for (const [sdk, version] of [[monitor, versions.metrics], [manager, versions.resources]]) {
    sdk.pipeline.addPolicy({
      name: 'version',
      sendRequest: (request, next) => {
        request.url = request.url.replace(/([?&]api-version=)[^&]*/, `$1${version}`);
        return next(request);
      },
    });
  }
  const dated = ({ startTime, endTime, ...more }) => ({ ...more, startTime: new Date(startTime * 1000), endTime: new Date(endTime * 1000) });
  return {
    queryResources: ({ ids, names, namespace, ...more }) => batch.queryResources(ids, names, namespace, dated(more)),
    metrics: ({ id, ...more }) => monitor.metrics.list(id, more),
    resources: ({ filter }) => all(manager.resources.list({ filter })),
    resourcesOfGroup: ({ group, filter }) => all(manager.resources.listByResourceGroup(group, { filter })),
  };
};
