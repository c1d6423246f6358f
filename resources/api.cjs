// The status API: the OpenAPI document and the templates of resources/api, as one resource. What makes its deployment
// a new one is its own content: API Gateway serves a deployment as it was made, whatever becomes of the document.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const folder = join(__dirname, 'api');

/** By keys: whoever has one is it, and may do everything. */
const byKey = {
  known: (text) => text,
  security: { api_key: [] },
  schemes: { api_key: { type: 'apiKey', name: 'x-api-key', in: 'header' } },
  resources: ({ stage, rate, burst }) => ({
    ApiKey: {
      Type: 'AWS::ApiGateway::ApiKey',
      Properties: { Name: `drayage-${stage}`, Enabled: true },
    },
    ApiUsagePlan: {
      Type: 'AWS::ApiGateway::UsagePlan',
      Properties: {
        UsagePlanName: `drayage-${stage}`,
        ApiStages: [{ ApiId: { Ref: 'Api' }, Stage: { Ref: 'ApiStage' } }],
        Throttle: { RateLimit: rate, BurstLimit: burst },
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
  }),
  outputs: {
    ApiKeyId: {
      Description: 'The key to it: aws apigateway get-api-key --include-value --api-key …',
      Value: { Ref: 'ApiKey' },
    },
  },
};

/** By IAM: requests are signed, each caller is who AWS says, and may do what the policies say that it has. */
const byIam = {
  known: (text) => text.replaceAll('/api-keys/$context.identity.apiKeyId', '/iam/$context.identity.userArn'),
  security: { sigv4: [] },
  schemes: {
    sigv4: {
      type: 'apiKey',
      name: 'Authorization',
      in: 'header',
      'x-amazon-apigateway-authtype': 'awsSigv4',
    },
  },
  resources: ({ document, stage }) => {
    const posts = postsOf(document);
    const isApproval = (path) => path.endsWith('/approve');
    return {
      ApiReaderPolicy: policyOf(stage, 'reader', 'Sees everything that the status API shows', ['GET/*']),
      ApiOperatorPolicy: policyOf(stage, 'operator', 'Sees everything, and says everything but approvals', [
        'GET/*',
        ...posts.filter((path) => !isApproval(path)),
      ]),
      ApiApproverPolicy: policyOf(stage, 'approver', 'Sees everything, and approves', [
        'GET/*',
        ...posts.filter(isApproval),
      ]),
    };
  },
  outputs: Object.fromEntries(
    ['Reader', 'Operator', 'Approver'].map((name) => [
      `Api${name}PolicyArn`,
      {
        Description: `For ${name.toLowerCase()}s: attach it to their roles`,
        Value: { Ref: `Api${name}Policy` },
      },
    ]),
  ),
};

const callersBy = { 'api-key': byKey, iam: byIam };

/** What may be posted, as IAM names it; one by one only where somebody is to have a part of it. */
function postsOf(document) {
  return Object.entries(document.paths).flatMap(([path, { post }]) => {
    if (post === undefined) return [];
    const place = `POST${path.replaceAll('{id}', '*')}`;
    const verbs = post.parameters.find(({ name }) => name === 'verb')?.schema.enum ?? [];
    return verbs.includes('approve')
      ? verbs.map((verb) => place.replace('{verb}', verb))
      : [place.replace('{verb}', '*')];
  });
}

function policyOf(stage, who, description, paths) {
  return {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: {
      Description: description,
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: `Api${who[0].toUpperCase()}${who.slice(1)}`,
            Effect: 'Allow',
            Action: 'execute-api:Invoke',
            Resource: paths.map((path) => ({
              'Fn::Sub': `arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${Api}/${stage}/${path}`,
            })),
          },
        ],
      },
    },
  };
}

/** @param {{ resolveVariable: (name: string) => Promise<string> }} context */
module.exports.rest = async ({ resolveVariable }) => {
  const [stage, authentication, rate, burst, explainRate, explainBurst] = await Promise.all(
    [
      'sls:stage',
      'param:apiAuthentication',
      'param:apiRequestsPerSecond',
      'param:apiBurst',
      'param:explanationsPerSecond',
      'param:explanationsBurst',
    ].map((name) => resolveVariable(name)),
  );
  const callers = callersBy[authentication];
  if (callers === undefined)
    throw new Error(`apiAuthentication is "${authentication}": give ${Object.keys(callersBy).join(' or ')}`);
  const hash = createHash('sha256');
  const read = (file) => {
    const text = callers.known(readFileSync(join(folder, file), 'utf8'));
    hash.update(`${file}\n${text}\n`);
    return text;
  };
  const document = JSON.parse(read('openapi.json'));
  for (const path of Object.values(document.paths)) {
    for (const method of Object.values(path)) {
      complete(method['x-amazon-apigateway-integration'], read);
      if (method.security.length > 0) method.security = [callers.security];
    }
  }
  document.components.securitySchemes = callers.schemes;
  // To API Gateway a request without a signature is one without a token, as one for a route that there is not.
  const answers = document['x-amazon-apigateway-gateway-responses'];
  if (callers === byIam) answers.MISSING_AUTHENTICATION_TOKEN = answers.ACCESS_DENIED;
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
      ...callers.resources({ document, stage, rate: Number(rate), burst: Number(burst) }),
    },
    Outputs: callers.outputs,
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
