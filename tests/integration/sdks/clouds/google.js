// Cloud Monitoring by Google's SDK, over REST; signed in by google-auth-library.
'use strict';

const { MetricServiceClient } = require('@google-cloud/monitoring');
const { GoogleAuth } = require('google-auth-library');

exports.open = ({ host, port, credentials, scope, project }) => {
  const auth = new GoogleAuth({ keyFilename: credentials, scopes: [scope], projectId: project });
  const client = new MetricServiceClient({ auth, fallback: true, protocol: 'http', apiEndpoint: host, port, projectId: project });
  const once = { retry: { retryCodes: [] } };
  return {
    descriptor: async ({ name }) => (await client.getMetricDescriptor({ name }, once))[0],
    // Page by page, so that a test sees the unit and the errors of each.
    timeSeries: async (request) => {
      const pages = [];
      let next = { ...request };
      while (next) {
        const [, following, page] = await client.listTimeSeries(next, { ...once, autoPaginate: false });
        pages.push(page);
        next = page.nextPageToken ? { ...request, pageToken: page.nextPageToken } : null;
        if (next && !following) throw new Error('the SDK knows of no next page');
      }
      return pages;
    },
  };
};
