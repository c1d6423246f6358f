/** The figures of the cloud as a page, for whoever opens their address in a browser. */

interface Row {
  readonly labels: string;
  readonly value: string;
}
interface Section {
  readonly name: string;
  says: string;
  unit: string;
  readonly samples: { readonly suffix: string; readonly labels: string; readonly value: number }[];
}

/** @param text the figures in the text form of OpenMetrics, as `OpenMetrics.text` writes it */
export function figuresPage(text: string): string {
  const sections = sectionsOf(text).map(sectionHtml).join('\n');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width">
<title>Figures of the embedded cloud</title>
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font-size: 1rem; margin: 1.5rem 0 0; }
p { margin: 0 0 .3rem; opacity: .75; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .15rem 0; }
td + td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-left: 1rem; }
</style>
<h1>Figures of the embedded cloud</h1>
<p>Since it was started; the page looks again every five seconds. Prometheus reads the same at this address.</p>
${sections === '' ? '<p>Nothing has been told yet.</p>' : sections}
</html>
`;
}

function sectionHtml(section: Section): string {
  const rows = rowsOf(section).map(
    ({ labels, value }) => `<tr><td>${escaped(labels === '' ? 'in all' : labels)}</td><td>${value}</td></tr>`,
  );
  const says = section.says === '' ? '' : `<p>${escaped(section.says)}</p>`;
  return `<section><h2>${escaped(section.name)}</h2>${says}<table>${rows.join('')}</table></section>`;
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (TYPE|UNIT|HELP) (\S+) (.*)$/.exec(line) ?? [];
    const last = sections.at(-1);
    if (kind === 'TYPE') sections.push({ name, says: '', unit: '', samples: [] });
    else if (kind === 'UNIT' && last !== undefined) last.unit = rest;
    else if (kind === 'HELP' && last !== undefined) last.says = rest;
    const sample = /^([^#\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null || last === undefined) continue;
    const [, metric = '', labels = '', value = ''] = sample;
    last.samples.push({ suffix: metric.slice(last.name.length), labels, value: Number(value) });
  }
  return sections;
}

/** One for each series; of one that is spread how many there were, and within what half and 99 of 100 are. */
function rowsOf({ samples, unit }: Section): Row[] {
  const spread = samples.filter(({ suffix }) => suffix === '_count');
  if (spread.length === 0) {
    return samples.map(({ labels, value }) => ({ labels: shown(labels), value: withUnit(value, unit) }));
  }
  return spread.map(({ labels, value: count }) => {
    const within = (share: number): string => {
      const bucket = samples
        .filter((sample) => sample.suffix === '_bucket' && withoutBound(sample.labels) === labels)
        .find(({ value }) => value >= count * share);
      const bound = /le="([^"]*)"/.exec(bucket?.labels ?? '')?.[1] ?? '+Inf';
      return bound === '+Inf' ? 'more' : `≤ ${withUnit(Number(bound), unit)}`;
    };
    return { labels: shown(labels), value: `${String(count)} · half ${within(0.5)} · 99 % ${within(0.99)}` };
  });
}

const withoutBound = (labels: string): string => labels.replace(/,?le="[^"]*"$/, '');

const shown = (labels: string): string =>
  labels.replaceAll(/(\w+)="((?:[^"\\]|\\.)*)"/g, '$1 $2').replaceAll(',', ', ');

const withUnit = (value: number, unit: string): string => {
  const figure = value.toLocaleString('en', { maximumFractionDigits: 3 });
  return unit === '' ? figure : `${figure} ${unit}`;
};

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
