import Ajv from 'ajv-draft-04';
import type { ValidateFunction } from 'ajv';
import { z } from 'zod';
import type {
  Definition,
  Found,
  GatewayProblem,
  IntegrationAnswer,
  MappedIntegration,
  Method,
} from './definition.ts';
import type { ApiAnswer, ApiRequest } from './exchange.ts';
import { proxyAnswer, proxyEvent } from './proxy.ts';
import type { TemplateScene } from './velocity.ts';

/** What an API is run with. */
export interface RestApiOptions {
  readonly definition: Definition;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>>;
  /** Id of the key, by its value: those of the stage's usage plans. */
  readonly keys: ReadonlyMap<string, string>;
  /** Calls an action of DynamoDB. */
  readonly call: (
    action: string,
    body: string,
  ) => Promise<{ readonly status: number; readonly body: string }>;
  /** Calls a function by its ARN, and waits for its answer. */
  readonly invoke: (
    arn: string,
    payload: string,
  ) => Promise<{ readonly payload: string; readonly failed: boolean }>;
  readonly onTrouble: (text: string) => void;
}

/** An API Gateway of one API: key, validation; request template, service, response template, or a function. */
export class RestApi {
  readonly #options: RestApiOptions;
  readonly #ajv = new Ajv.default({ strict: false, validateFormats: false });
  readonly #bodies = new Map<object, ValidateFunction>();

  constructor(options: RestApiOptions) {
    this.#options = options;
  }

  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const found = this.#options.definition.find(request.method, request.path);
    if (found === undefined) return this.#refuse('MISSING_AUTHENTICATION_TOKEN');
    const { method } = found;
    const { integration } = method;
    const keyId = this.#options.keys.get(request.headers['x-api-key'] ?? '');
    if (method.needsKey && keyId === undefined) return this.#refuse('INVALID_API_KEY');
    const fault = this.#faultIn(request, method);
    if (fault !== undefined) return this.#refuse(fault);
    try {
      const scene = this.#sceneOf(request, found, keyId);
      return integration.kind === 'mapped'
        ? await this.#integrate(integration, scene)
        : await this.#forward(integration.functionArn, request, found, scene);
    } catch (error) {
      this.#options.onTrouble(`${request.method} ${request.path}: ${String(error)}`);
      return this.#refuse('API_CONFIGURATION_ERROR');
    }
  }

  /** As API Gateway validates: whether what is needed is there, and the form of the body. */
  #faultIn({ query, headers, body }: ApiRequest, method: Method): GatewayProblem | undefined {
    const isMissing = (value: string | null | undefined): boolean =>
      value === null || value === undefined || value === '';
    if (method.requiredQuery.some((name) => isMissing(query.get(name)))) return 'BAD_REQUEST_PARAMETERS';
    if (method.requiredHeaders.some((name) => isMissing(headers[name]))) return 'BAD_REQUEST_PARAMETERS';
    if (method.bodySchema === undefined) return undefined;
    const type = headers['content-type'] ?? 'application/json';
    if (!/^application\/json(?:\s*;|$)/i.test(type)) return 'UNSUPPORTED_MEDIA_TYPE';
    try {
      return this.#bodyCheck(method.bodySchema)(JSON.parse(body)) ? undefined : 'BAD_REQUEST_BODY';
    } catch (error) {
      if (error instanceof SyntaxError) return 'BAD_REQUEST_BODY';
      throw error;
    }
  }

  #bodyCheck(schema: object): ValidateFunction {
    const known = this.#bodies.get(schema) ?? this.#ajv.compile(schema);
    this.#bodies.set(schema, known);
    return known;
  }

  #sceneOf(
    { method, path, query, headers, body, requestId, at }: ApiRequest,
    { parameters }: Found,
    keyId: string | undefined,
  ): TemplateScene {
    const { stage, stageVariables } = this.#options;
    return {
      body,
      path: parameters,
      // Of what is given twice, API Gateway hands on the last.
      querystring: Object.fromEntries(query),
      header: headers,
      stageVariables,
      context: {
        stage,
        requestId,
        httpMethod: method,
        path: `/${stage}${path}`,
        requestTimeEpoch: at,
        requestTime: logTime(at),
        identity: { ...(keyId === undefined ? {} : { apiKeyId: keyId }), sourceIp: '127.0.0.1' },
      },
    };
  }

  async #forward(
    arn: string,
    request: ApiRequest,
    found: Found,
    { stageVariables, context }: TemplateScene,
  ): Promise<ApiAnswer> {
    try {
      const { payload, failed } = await this.#options.invoke(
        arn,
        proxyEvent(request, found, stageVariables, context),
      );
      if (!failed) return proxyAnswer(payload);
      this.#options.onTrouble(`${arn}: ${payload}`);
    } catch (error) {
      this.#options.onTrouble(`${arn}: ${String(error)}`);
    }
    return this.#refuse('DEFAULT_5XX');
  }

  async #integrate(
    { action, request, answerFor }: MappedIntegration,
    scene: TemplateScene,
  ): Promise<ApiAnswer> {
    const asked = request(scene).text;
    if (action === undefined) {
      const { statusCode } = z.object({ statusCode: z.number() }).parse(JSON.parse(asked));
      return written(answerFor(statusCode), scene);
    }
    let reply;
    try {
      // API Gateway hands on what a template makes as it is; what is no JSON would be refused by the table.
      JSON.parse(asked);
      reply = await this.#options.call(action, asked);
    } catch (error) {
      this.#options.onTrouble(`${action}: ${String(error)}`);
      return this.#refuse('INTEGRATION_FAILURE');
    }
    return written(answerFor(reply.status), { ...scene, body: reply.body });
  }

  #refuse(problem: GatewayProblem): ApiAnswer {
    const { status, headers, text } = this.#options.definition.gatewayAnswer(problem);
    return { status, headers: { 'Content-Type': 'application/json', ...headers }, text };
  }
}

/** `31/Jan/2026:12:34:56 +0000` */
function logTime(at: number): string {
  const [, day = '', month = '', year = '', time = ''] = new Date(at).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

function written({ status, headers, template }: IntegrationAnswer, scene: TemplateScene): ApiAnswer {
  const made = template?.(scene);
  return {
    status: made?.override.status ?? status,
    headers: { 'Content-Type': 'application/json', ...headers, ...made?.override.header },
    text: made?.text ?? '',
  };
}
