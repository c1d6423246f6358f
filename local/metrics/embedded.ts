import { z } from 'zod';

/** What a series of figures is called: two with the same dimensions are one. */
export interface SeriesName {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Figures of one series that a function wrote in one line. */
export interface Figures {
  readonly name: SeriesName;
  /** As CloudWatch has it: `Milliseconds`, `Bytes`, `Count`; absent: nobody said. */
  readonly unit: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly values: readonly number[];
  /** The same figures stand in a series of more dimensions too. */
  readonly isAgain: boolean;
}

const embedded = z.looseObject({
  _aws: z.object({
    Timestamp: z.number(),
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string(), Unit: z.string().optional() })),
      }),
    ),
  }),
});
const figures = z.union([z.number().transform((value) => [value]), z.array(z.number())]);

/** The figures in a line that a function wrote; none, if it is not one of the embedded metric format. */
export function figuresIn(line: string): readonly Figures[] {
  if (!line.includes('"_aws"')) return [];
  const parsed = embedded.safeParse(jsonOf(line));
  if (!parsed.success) return [];
  const { _aws, ...values } = parsed.data;
  return _aws.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names, nth) => {
      const dimensions = Object.fromEntries(names.map((name) => [name, String(values[name])]));
      return Metrics.flatMap(({ Name: metric, Unit: unit }) => {
        const found = figures.safeParse(values[metric]);
        if (!found.success) return [];
        const name = { namespace, metric, dimensions };
        return [{ name, unit, at: _aws.Timestamp, values: found.data, isAgain: nth > 0 }];
      });
    }),
  );
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The same for every order of dimensions. */
export function keyOf({ namespace, metric, dimensions }: SeriesName): string {
  const sorted = Object.entries(dimensions).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([namespace, metric, sorted]);
}
