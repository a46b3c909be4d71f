// CloudWatch, the tagging API and STS by AWS's SDK. Keys come from the environment, as anywhere.
'use strict';

const cloudwatch = require('@aws-sdk/client-cloudwatch');
const tagging = require('@aws-sdk/client-resource-groups-tagging-api');
const sts = require('@aws-sdk/client-sts');

async function all(pages) {
  const found = [];
  for await (const page of pages) found.push(page);
  return found;
}

exports.open = ({ endpoint, region }) => {
  const options = { endpoint, region, maxAttempts: 1 };
  const metrics = new cloudwatch.CloudWatchClient(options);
  const tags = new tagging.ResourceGroupsTaggingAPIClient(options);
  const identity = new sts.STSClient(options);
  const dated = (input) => ({ ...input, StartTime: new Date(input.StartTime * 1000), EndTime: new Date(input.EndTime * 1000) });
  return {
    getMetricData: (input) => all(cloudwatch.paginateGetMetricData({ client: metrics }, dated(input))),
    listMetrics: (input) => all(cloudwatch.paginateListMetrics({ client: metrics }, input)),
    getResources: (input) => all(tagging.paginateGetResources({ client: tags }, input)),
    getCallerIdentity: () => identity.send(new sts.GetCallerIdentityCommand({})),
    assumeRole: (input) => identity.send(new sts.AssumeRoleCommand(input)),
  };
};
