// The Kubernetes API by the official client.
'use strict';

exports.open = async ({ endpoint, token }) => {
  const k8s = await import('@kubernetes/client-node');
  const config = new k8s.KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: endpoint, skipTLSVerify: true }], users: [{ name: 'u', token }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }], currentContext: 'x',
  });
  const api = (kind) => config.makeApiClient(k8s[kind]);
  const metrics = new k8s.Metrics(config);
  const lists = {
    nodes: () => api('CoreV1Api').listNode(),
    pods: () => api('CoreV1Api').listPodForAllNamespaces(),
    persistentvolumeclaims: () => api('CoreV1Api').listPersistentVolumeClaimForAllNamespaces(),
    deployments: () => api('AppsV1Api').listDeploymentForAllNamespaces(),
    statefulsets: () => api('AppsV1Api').listStatefulSetForAllNamespaces(),
    daemonsets: () => api('AppsV1Api').listDaemonSetForAllNamespaces(),
    jobs: () => api('BatchV1Api').listJobForAllNamespaces(),
    horizontalpodautoscalers: () => api('AutoscalingV2Api').listHorizontalPodAutoscalerForAllNamespaces(),
    poddisruptionbudgets: () => api('PolicyV1Api').listPodDisruptionBudgetForAllNamespaces(),
    endpointslices: () => api('DiscoveryV1Api').listEndpointSliceForAllNamespaces(),
  };
  return {
    list: ({ kind }) => lists[kind](),
    nodeMetrics: () => metrics.getNodeMetrics(),
    podMetrics: () => metrics.getPodMetrics(),
    cadvisor: ({ node }) => api('CoreV1Api').connectGetNodeProxyWithPath({ name: node, path: 'metrics/cadvisor' }),
  };
};
