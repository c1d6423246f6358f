import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { codeOf } from '../local/cloud-error.ts';

/** A span as it was told. Times are epoch milliseconds. */
export interface ToldSpan {
  readonly trace: string;
  readonly span: string;
  readonly parent?: string;
  readonly name: string;
  readonly since: number;
  readonly until: number;
  /** The code with which it failed. */
  readonly failure?: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** Who had sent what has set it going. */
  readonly links: readonly { readonly trace: string; readonly span: string }[];
}

const nanoseconds = z.string().transform((text) => Number(BigInt(text) / 1_000n) / 1_000);
const fact = z
  .object({
    key: z.string(),
    value: z.object({
      stringValue: z.string().optional(),
      intValue: z.union([z.number(), z.string()]).optional(),
      doubleValue: z.number().optional(),
      boolValue: z.boolean().optional(),
    }),
  })
  .transform(({ key, value }): [string, string | number | boolean] => {
    const { stringValue, intValue, doubleValue, boolValue } = value;
    const whole = intValue === undefined ? undefined : Number(intValue);
    return [key, stringValue ?? whole ?? doubleValue ?? boolValue ?? ''];
  });
const span = z
  .object({
    traceId: z.string(),
    spanId: z.string(),
    parentSpanId: z.string().optional(),
    name: z.string(),
    startTimeUnixNano: nanoseconds,
    endTimeUnixNano: nanoseconds,
    status: z.object({ code: z.number().optional(), message: z.string().optional() }).optional(),
    attributes: z.array(fact).default([]),
    links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  })
  .transform(
    ({
      traceId,
      spanId,
      parentSpanId,
      name,
      startTimeUnixNano,
      endTimeUnixNano,
      status,
      attributes,
      links,
    }): ToldSpan => ({
      trace: traceId,
      span: spanId,
      ...(parentSpanId === undefined || parentSpanId === '' ? {} : { parent: parentSpanId }),
      name,
      since: startTimeUnixNano,
      until: endTimeUnixNano,
      ...(status?.code === failed ? { failure: status.message ?? '' } : {}),
      facts: Object.fromEntries(attributes),
      links: links.map(({ traceId: of, spanId: at }) => ({ trace: of, span: at })),
    }),
  );
const failed = 2;
const line = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(span) })) })),
});

/** All spans of a trace that an embedded cloud has kept; of one that was told twice, what was told last. */
export async function spansOf(stateDir: string, trace: string): Promise<readonly ToldSpan[]> {
  const found = new Map<string, ToldSpan>();
  for (const name of ['spans.log.1', 'spans.log']) {
    for await (const text of linesOf(join(stateDir, 'logs', name))) {
      if (!text.includes(trace)) continue;
      const read = line.safeParse(jsonOf(text));
      // A line that was being written when the machine stopped.
      if (!read.success) continue;
      for (const each of read.data.resourceSpans
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans))
        if (each.trace === trace) found.set(each.span, each);
    }
  }
  return [...found.values()];
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await open(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file !== undefined) yield* file.readLines();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
