const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const text = '(?:[^\\n"\\\\]|\\\\["\\\\n])*';
const label = `[a-zA-Z_][a-zA-Z0-9_]*="${text}"`;
const number = '(?:[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?|[+-]Inf|NaN)';
const sample = new RegExp(
  `^(?<name>${name})(?:\\{(?<labels>${label}(?:,${label})*)?\\})? (?<value>${number})$`,
);
const type = new RegExp(`^# TYPE (?<name>${name}) (?<type>counter|gauge|histogram)$`);
const unit = new RegExp(`^# UNIT (?<name>${name}) (?<unit>[a-z]+)$`);
const help = new RegExp(`^# HELP (?<name>${name}) ${text}$`);

const suffixes = { counter: ['_total'], gauge: [''], histogram: ['_bucket', '_count', '_sum'] } as const;

interface Family {
  readonly name: string;
  readonly type: keyof typeof suffixes;
  readonly samples: { readonly suffix: string; readonly labels: string; readonly value: number }[];
}

/**
 * Where a text is not of the form of OpenMetrics 1.0, as far as counters, gauges and histograms without timestamps and
 * exemplars go: its grammar, families in one piece behind their metadata, names by type and unit, each series once,
 * buckets that add up.
 */
export function faultsOfExposition(exposition: string): string[] {
  if (!exposition.endsWith('# EOF\n')) return ['it does not end with # EOF'];
  const faults: string[] = [];
  const families = new Map<string, Family>();
  let family: Family | undefined;
  for (const line of exposition.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const said = type.exec(line)?.groups;
    if (said !== undefined) {
      const { name: of = '', type: kind = '' } = said;
      if (families.has(of)) faults.push(`${of} is not in one piece`);
      family = { name: of, type: isType(kind) ? kind : 'gauge', samples: [] };
      families.set(of, family);
      continue;
    }
    const about = unit.exec(line)?.groups ?? help.exec(line)?.groups;
    if (about !== undefined) {
      if (about['name'] !== family?.name || family?.samples.length !== 0)
        faults.push(`${line} is not at the head of its family`);
      if (about['unit'] !== undefined && about['name']?.endsWith(`_${about['unit']}`) !== true)
        faults.push(`${line}: the name does not end in its unit`);
      continue;
    }
    const found = sample.exec(line)?.groups;
    const at = found?.['name'] ?? '';
    if (found === undefined) faults.push(`no line of an exposition: ${line}`);
    else if (family === undefined || !at.startsWith(family.name)) faults.push(`${line} is of no family`);
    else
      family.samples.push({
        suffix: at.slice(family.name.length),
        labels: found['labels'] ?? '',
        value: Number(found['value']?.replace('Inf', 'Infinity')),
      });
  }
  return [...faults, ...[...families.values()].flatMap(faultsOfFamily)];
}

const isType = (kind: string): kind is keyof typeof suffixes => kind in suffixes;

function faultsOfFamily({ name: of, type: kind, samples }: Family): string[] {
  const allowed: readonly string[] = suffixes[kind];
  const faults = samples
    .filter(({ suffix }) => !allowed.includes(suffix))
    .map(({ suffix }) => `${of}${suffix} is no ${kind}`);
  const keys = samples.map(({ suffix, labels }) => `${suffix}{${labels}}`);
  if (new Set(keys).size !== keys.length) faults.push(`${of} has a series twice`);
  if (kind !== 'histogram') return faults;
  const bare = (labels: string): string => labels.replace(/,?le="[^"]*"$/, '');
  for (const series of new Set(samples.map(({ labels }) => bare(labels)))) {
    const its = samples.filter(({ labels }) => bare(labels) === series);
    const buckets = its.filter(({ suffix }) => suffix === '_bucket');
    const count = its.find(({ suffix }) => suffix === '_count')?.value;
    const last = buckets.at(-1);
    if (last?.labels.endsWith('le="+Inf"') !== true || last.value !== count)
      faults.push(`${of}{${series}} does not end with all of it`);
    if (buckets.some(({ value }, at) => value < (buckets[at - 1]?.value ?? 0)))
      faults.push(`the buckets of ${of}{${series}} do not add up`);
  }
  return faults;
}
