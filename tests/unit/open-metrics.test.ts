import { describe, expect, test } from '@jest/globals';
import { figuresIn } from '../../local/metrics/embedded.ts';
import { figuresPage } from '../../local/metrics/figures-page.ts';
import { OpenMetrics } from '../../local/metrics/open-metrics.ts';
import { faultsOfExposition } from '../support/open-metrics.ts';

const meanings = {
  MovesEnded: { kind: 'count', says: 'moves that "ended"' },
  StepMs: { kind: 'spread', says: 'work' },
  LagMs: { kind: 'level', says: 'behind' },
  KeptBytes: { kind: 'level', says: 'kept' },
} as const;

interface Told {
  readonly metric: string;
  readonly unit: string;
  readonly values: readonly number[];
  readonly of?: readonly Readonly<Record<string, string>>[];
  readonly at?: number;
}

function textOf(told: readonly Told[], now = 1_000): string {
  const exposition = new OpenMetrics(meanings);
  for (const { metric, unit, values, of = [{}], at = 1 } of told) {
    const line = JSON.stringify({
      _aws: {
        Timestamp: at,
        CloudWatchMetrics: [
          {
            Namespace: 'Drayage',
            Dimensions: of.map((each) => Object.keys(each)),
            Metrics: [{ Name: metric, Unit: unit }],
          },
        ],
      },
      ...Object.assign({}, ...of),
      [metric]: values,
    });
    for (const figures of figuresIn(line)) exposition.add(figures);
  }
  const text = exposition.text(now);
  expect(faultsOfExposition(text)).toEqual([]);
  return text;
}

describe('figures for Prometheus', () => {
  test('are the text form of OpenMetrics, by what each is', () => {
    const text = textOf([
      { metric: 'MovesEnded', unit: 'Count', values: [1], of: [{ stage: 'x', outcome: 'moved' }] },
      { metric: 'MovesEnded', unit: 'Count', values: [1, 1], of: [{ stage: 'x', outcome: 'stuck' }] },
      { metric: 'MovesEnded', unit: 'Count', values: [4], of: [{ stage: 'x', outcome: 'moved' }] },
      { metric: 'LagMs', unit: 'Milliseconds', values: [9, 250], of: [{ host: 'a' }] },
      { metric: 'KeptBytes', unit: 'Bytes', values: [4_096] },
    ]);
    expect(text).toBe(`# TYPE drayage_moves_ended counter
# HELP drayage_moves_ended moves that \\"ended\\"
drayage_moves_ended_total{stage="x",outcome="moved"} 5
drayage_moves_ended_total{stage="x",outcome="stuck"} 2
# TYPE drayage_lag_seconds gauge
# UNIT drayage_lag_seconds seconds
# HELP drayage_lag_seconds behind
drayage_lag_seconds{host="a"} 0.25
# TYPE drayage_kept_bytes gauge
# UNIT drayage_kept_bytes bytes
# HELP drayage_kept_bytes kept
drayage_kept_bytes 4096
# EOF
`);
  });

  test('of which there are many are spread over buckets, each with all below it', () => {
    const text = textOf([{ metric: 'StepMs', unit: 'Milliseconds', values: [3, 40, 2_000, 9e6] }]);
    const buckets = [...text.matchAll(/_bucket\{le="(.*?)"\} (\d+)$/gm)].map(([, le, count]) => [le, count]);
    expect(Object.fromEntries(buckets)).toMatchObject({
      '0.005': '1',
      '0.025': '1',
      '0.05': '2',
      '1.0': '2',
      '2.5': '3',
      '3600.0': '3',
      '+Inf': '4',
    });
    expect(text).toContain('drayage_step_seconds_count 4\ndrayage_step_seconds_sum 9002.043\n');
  });

  test('that stand in a series of fewer dimensions too are there once', () => {
    const of = [{ stage: 'x', step: 'copy' }, { stage: 'x' }];
    const text = textOf([{ metric: 'MovesEnded', unit: 'Count', values: [1], of }]);
    expect(text.match(/^drayage_moves_ended_total.*$/gm)).toEqual([
      'drayage_moves_ended_total{stage="x",step="copy"} 1',
    ]);
  });

  test('that say how something stands are left out when nobody has said so for a while', () => {
    const level = { metric: 'LagMs', unit: 'Milliseconds', values: [5], at: 1_000 };
    expect(textOf([level], 900_999)).toContain('drayage_lag_seconds 0.005');
    expect(textOf([level], 901_000)).toBe('# EOF\n');
    const count = { metric: 'MovesEnded', unit: 'Count', values: [5], at: 1_000 };
    expect(textOf([count], 9e9)).toContain('drayage_moves_ended_total 5');
  });

  test('keep their form whatever names hold', () => {
    const text = textOf([
      { metric: 'MovesEnded', unit: 'Count', values: [1], of: [{ 'a-b': 'say "no"\\\nor } = 1' }] },
    ]);
    expect(text).toContain('{a_b="say \\"no\\"\\\\\\nor } = 1"} 1');
  });

  test('of which nothing is known are read by their unit', () => {
    const text = textOf([
      { metric: 'OddMs', unit: 'Milliseconds', values: [1] },
      { metric: 'Odd', unit: 'Count', values: [1] },
      { metric: 'OddShare', unit: 'Percent', values: [1] },
    ]);
    expect(text.match(/^# TYPE .*$/gm)).toEqual([
      '# TYPE drayage_odd_seconds histogram',
      '# TYPE drayage_odd counter',
      '# TYPE drayage_odd_share gauge',
    ]);
  });
});

test('a text that is no exposition is noticed', () => {
  for (const text of [
    '',
    '# EOF',
    'a 1\n# EOF\n',
    '# TYPE a counter\na 1\n# EOF\n',
    '# TYPE a gauge\na{b=c} 1\n# EOF\n',
    '# TYPE a gauge\na 1\n# TYPE b gauge\na{c="d"} 1\n# EOF\n',
    '# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n',
    '# TYPE a gauge\na 1\na 2\n# EOF\n',
    '# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n',
    '# TYPE a histogram\na_bucket{le="1.0"} 1\na_count 1\na_sum 1\n# EOF\n',
  ])
    expect(faultsOfExposition(text)).not.toEqual([]);
});

describe('figures in a browser', () => {
  test('are the same, each with what it means, its series and its unit', () => {
    const page = figuresPage(
      textOf([
        { metric: 'MovesEnded', unit: 'Count', values: [5], of: [{ stage: 'x', outcome: 'moved' }] },
        { metric: 'LagMs', unit: 'Milliseconds', values: [250], of: [{ host: '<b>' }] },
        { metric: 'StepMs', unit: 'Milliseconds', values: [3, 4, 2_000], of: [{ step: 'copy' }] },
      ]),
    );
    const cells = [...page.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell]) => cell);
    expect(cells).toEqual([
      'stage x, outcome moved',
      '5',
      'host &lt;b&gt;',
      '0.25 seconds',
      'step copy',
      '3 · half ≤ 0.005 seconds · 99 % ≤ 2.5 seconds',
    ]);
    expect(page).toContain('<p>behind</p>');
  });

  test('are none as long as nothing was told', () => {
    expect(figuresPage(textOf([]))).toContain('Nothing has been told yet.');
  });
});
