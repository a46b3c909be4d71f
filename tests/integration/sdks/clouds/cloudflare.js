// Cloudflare by its own SDK; GraphQL, for which that has no method, by its request function. Queries are judged by
// GraphQL's reference implementation and cloudflare.graphql.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const Cloudflare = require('cloudflare');
const { buildSchema, parse, validate } = require('graphql');

async function all(found) {
  const list = [];
  for await (const item of found) list.push(item);
  return list;
}

exports.open = ({ endpoint, token }) => {
  const client = new Cloudflare({ apiToken: token, baseURL: endpoint, maxRetries: 0 });
  return {
    zones: (query) => all(client.zones.list(query)),
    pools: (query) => all(client.loadBalancers.pools.list(query)),
    judge: ({ query }) => {
      const schema = buildSchema(fs.readFileSync(path.join(__dirname, 'cloudflare.graphql'), 'utf8'));
      return validate(schema, parse(query)).map((problem) => problem.message);
    },
    graphql: (body) => client.post('/graphql', { body }),
  };
};
