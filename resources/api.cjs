// The status API: the OpenAPI document and the templates of resources/api, as one resource. What makes its deployment
// a new one is its own content: API Gateway serves a deployment as it was made, whatever becomes of the document.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const folder = join(__dirname, 'api');

/** @param {{ resolveVariable: (name: string) => Promise<string> }} context */
module.exports.rest = async ({ resolveVariable }) => {
  const [stage, rate, burst, explainRate, explainBurst] = await Promise.all(
    [
      'sls:stage',
      'param:apiRequestsPerSecond',
      'param:apiBurst',
      'param:explanationsPerSecond',
      'param:explanationsBurst',
    ].map((name) => resolveVariable(name)),
  );
  const hash = createHash('sha256');
  const read = (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    hash.update(`${file}\n${text}\n`);
    return text;
  };
  const document = JSON.parse(read('openapi.json'));
  for (const path of Object.values(document.paths)) {
    for (const method of Object.values(path)) complete(method['x-amazon-apigateway-integration'], read);
  }
  // What is a function shares the account's with the moves: it never gets many of them at once.
  const explained = Object.entries(document.paths)
    .filter(([, { get }]) => get?.['x-amazon-apigateway-integration'].type === 'aws_proxy')
    .map(([path]) => path);
  const deployment = `ApiDeployment${hash.digest('hex').slice(0, 12)}`;
  return {
    Resources: {
      Api: {
        Type: 'AWS::ApiGateway::RestApi',
        Properties: {
          Name: `drayage-${stage}`,
          Description:
            'Where endpoints are, how hosts, batches and moves are, and what is to be done with them',
          EndpointConfiguration: { Types: ['REGIONAL'] },
          ApiKeySourceType: 'HEADER',
          Body: document,
        },
      },
      [deployment]: {
        Type: 'AWS::ApiGateway::Deployment',
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: { RestApiId: { Ref: 'Api' } },
      },
      ApiStage: {
        Type: 'AWS::ApiGateway::Stage',
        Properties: {
          RestApiId: { Ref: 'Api' },
          DeploymentId: { Ref: deployment },
          StageName: stage,
          Variables: { table: { Ref: 'Table' } },
          MethodSettings: [
            {
              HttpMethod: '*',
              ResourcePath: '/*',
              MetricsEnabled: true,
              ThrottlingRateLimit: Number(rate),
              ThrottlingBurstLimit: Number(burst),
            },
            ...explained.map((path) => ({
              HttpMethod: 'GET',
              ResourcePath: `/${path.replaceAll('/', '~1')}`,
              MetricsEnabled: true,
              ThrottlingRateLimit: Number(explainRate),
              ThrottlingBurstLimit: Number(explainBurst),
            })),
          ],
        },
      },
      ApiKey: {
        Type: 'AWS::ApiGateway::ApiKey',
        Properties: { Name: `drayage-${stage}`, Enabled: true },
      },
      ApiUsagePlan: {
        Type: 'AWS::ApiGateway::UsagePlan',
        Properties: {
          UsagePlanName: `drayage-${stage}`,
          ApiStages: [{ ApiId: { Ref: 'Api' }, Stage: { Ref: 'ApiStage' } }],
          Throttle: { RateLimit: Number(rate), BurstLimit: Number(burst) },
        },
      },
      ApiUsagePlanKey: {
        Type: 'AWS::ApiGateway::UsagePlanKey',
        Properties: {
          KeyId: { Ref: 'ApiKey' },
          KeyType: 'API_KEY',
          UsagePlanId: { Ref: 'ApiUsagePlan' },
        },
      },
    },
  };
};

/** Puts templates in the place of their files' names, and says where the service is and in whose name it is asked. */
function complete(integration, read) {
  const texts = (templates) =>
    Object.fromEntries(
      Object.entries(templates).map(([type, text]) => [type, text.endsWith('.vtl') ? read(text) : text]),
    );
  if (integration.requestTemplates !== undefined)
    integration.requestTemplates = texts(integration.requestTemplates);
  for (const response of Object.values(integration.responses ?? {})) {
    if (response.responseTemplates !== undefined)
      response.responseTemplates = texts(response.responseTemplates);
  }
  if (integration.type === 'mock') return;
  integration.uri = {
    'Fn::Sub': `arn:\${AWS::Partition}:apigateway:\${AWS::Region}:${integration.uri}`,
  };
  integration.credentials = { 'Fn::GetAtt': ['ApiRole', 'Arn'] };
}
