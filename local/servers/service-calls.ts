import { z } from 'zod';
import { ACCOUNT_ID, secretArn } from '../template/stack.ts';

/** What of a call IAM is asked about. */
export interface ServiceCall {
  /** As policies name it: `dynamodb:PartiQLUpdate`. */
  readonly action: string;
  /** The ARN, or `*` where the call names nothing. */
  readonly resource: string;
  /** Of a call of DynamoDB that names single keys: the values of their partition keys. */
  readonly leadingKeys?: readonly string[];
}

/** A request of AWS's, as far as it says what is asked for. */
export interface ServiceRequest {
  readonly method: string;
  readonly url: string;
  /** The header `x-amz-target`; empty for the protocols that have none. */
  readonly target: string;
  /** The fields of a body of JSON or of a form. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Which actions on which resources a request asks for. One that is not known here is answered as an action of its own
 * name, which no role allows: it is noticed, not passed over.
 */
export function serviceCalls(request: ServiceRequest, region: string): readonly ServiceCall[] {
  const { target, fields, url } = request;
  const [service = '', operation = ''] = target.split('.');
  if (service === 'DynamoDB_20120810') return tableCalls(operation, fields, region);
  if (service === 'AmazonSQS') {
    const name = textOf(fields['QueueUrl']).split('/').at(-1) ?? '';
    return [{ action: `sqs:${single(operation)}`, resource: arn('sqs', region, name) }];
  }
  if (service === 'secretsmanager') {
    const id = textOf(fields['SecretId']);
    const resource = id.startsWith('arn:') ? id : secretArn(region, id);
    return [{ action: `secretsmanager:${operation}`, resource }];
  }
  if (service !== '') return [{ action: target, resource: '*' }];
  if (url.startsWith('/2015-03-31/functions/')) {
    const [, , , name = ''] = url.split('/');
    const resource = arn('lambda', region, `function:${decodeURIComponent(name).split(':').at(-1) ?? ''}`);
    return [{ action: 'lambda:InvokeFunction', resource }];
  }
  const action = textOf(fields['Action']);
  if (action === '') return objectCalls(request);
  return [{ action: `sns:${single(action)}`, resource: textOf(fields['TopicArn']) || '*' }];
}

/** Many at once are allowed by the name of one. */
const single = (operation: string): string => operation.replace(/Batch$/, '');

const arn = (service: string, region: string, path: string): string =>
  `arn:aws:${service}:${region}:${ACCOUNT_ID}:${path}`;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const attribute = z.record(z.string(), z.unknown());
const item = z.looseObject({
  TableName: z.string(),
  Key: attribute.optional(),
  Item: attribute.optional(),
});
const query = z.looseObject({
  TableName: z.string(),
  IndexName: z.string().optional(),
  KeyConditionExpression: z.string().default(''),
  ExpressionAttributeValues: attribute.default({}),
});
const byTable = z.looseObject({ RequestItems: z.record(z.string(), z.unknown()) });
const keys = z.looseObject({ Keys: z.array(attribute) });
const transaction = z.looseObject({ TransactItems: z.array(z.record(z.string(), item)) });
const statement = z.looseObject({ Statement: z.string() });
const statements = z.looseObject({
  Statements: z.array(statement).optional(),
  TransactStatements: z.array(statement).optional(),
});

function tableCalls(operation: string, fields: ServiceRequest['fields'], region: string): ServiceCall[] {
  const table = (name: string): string => arn('dynamodb', region, `table/${name}`);
  const ofItem = (action: string, { TableName, Key, Item }: z.infer<typeof item>): ServiceCall => ({
    action: `dynamodb:${action}`,
    resource: table(TableName),
    leadingKeys: stringsOf((Key ?? Item)?.['pk']),
  });
  switch (operation) {
    case 'GetItem':
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [ofItem(operation, item.parse(fields))];
    case 'Query':
    case 'Scan': {
      const asked = query.parse(fields);
      const index = asked.IndexName === undefined ? '' : `/index/${asked.IndexName}`;
      // Partition keys are asked for by equality, and first.
      const [, value = ''] = /=\s*(:\w+)/.exec(asked.KeyConditionExpression) ?? [];
      const leadingKeys = stringsOf(asked.ExpressionAttributeValues[value]);
      return [{ action: `dynamodb:${operation}`, resource: table(asked.TableName) + index, leadingKeys }];
    }
    case 'BatchGetItem':
      return Object.entries(byTable.parse(fields).RequestItems).map(([name, asked]) => ({
        action: `dynamodb:${operation}`,
        resource: table(name),
        leadingKeys: keys.parse(asked).Keys.flatMap(({ pk }) => stringsOf(pk)),
      }));
    case 'BatchWriteItem':
      return Object.keys(byTable.parse(fields).RequestItems).map((name) => ({
        action: `dynamodb:${operation}`,
        resource: table(name),
      }));
    case 'TransactGetItems':
    case 'TransactWriteItems':
      return transaction
        .parse(fields)
        .TransactItems.flatMap((each) =>
          Object.entries(each).map(([what, of]) =>
            ofItem(what === 'ConditionCheck' ? 'ConditionCheckItem' : `${what}Item`, of),
          ),
        );
    case 'ExecuteStatement':
    case 'BatchExecuteStatement':
    case 'ExecuteTransaction': {
      const several = statements.parse(fields);
      const texts = several.Statements ?? several.TransactStatements ?? [statement.parse(fields)];
      return texts.map(({ Statement }) => statementCall(Statement, table));
    }
    default: {
      const name = textOf(fields['TableName']);
      return [{ action: `dynamodb:${operation}`, resource: name === '' ? '*' : table(name) }];
    }
  }
}

/** PartiQL: `UPDATE "table" …`, `SELECT … FROM "table"."index" …`. */
function statementCall(text: string, table: (name: string) => string): ServiceCall {
  const [, verb = ''] = /^\s*([a-z]+)/i.exec(text) ?? [];
  const [, name = '', index] = /(?:INTO|UPDATE|FROM)\s+"([^"]+)"(?:\."([^"]+)")?/i.exec(text) ?? [];
  const kind = verb.charAt(0).toUpperCase() + verb.slice(1).toLowerCase();
  const resource = table(name) + (index === undefined ? '' : `/index/${index}`);
  return { action: `dynamodb:PartiQL${kind}`, resource };
}

const stringsOf = (value: unknown): string[] => {
  const { data } = z.object({ S: z.string() }).safeParse(value);
  return data === undefined ? [] : [data.S];
};

/** S3 says by verb, path and query what it is asked for. */
function objectCalls({ method, url }: ServiceRequest): ServiceCall[] {
  const { pathname, searchParams } = new URL(url, 'http://local');
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = decodeURIComponent(rest.join('/'));
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;
  const action = key === '' ? bucketAction(method, searchParams) : objectAction(method, searchParams);
  return [{ action: `s3:${action}`, resource }];
}

function bucketAction(method: string, query: URLSearchParams): string {
  if (method === 'POST' && query.has('delete')) return 'DeleteObject';
  if (method === 'GET' && query.has('uploads')) return 'ListBucketMultipartUploads';
  return method === 'GET' || method === 'HEAD' ? 'ListBucket' : `${method}Bucket`;
}

function objectAction(method: string, query: URLSearchParams): string {
  if (query.has('uploadId')) {
    if (method === 'DELETE') return 'AbortMultipartUpload';
    if (method === 'GET') return 'ListMultipartUploadParts';
  }
  switch (method) {
    case 'GET':
    case 'HEAD':
      return query.has('versionId') ? 'GetObjectVersion' : 'GetObject';
    case 'PUT':
    case 'POST':
      return 'PutObject';
    case 'DELETE':
      return query.has('versionId') ? 'DeleteObjectVersion' : 'DeleteObject';
    default:
      return `${method}Object`;
  }
}
