import type { ComponentChildren } from 'preact';
import { knobMeanings, knobNames } from '../../shared/domain/fleet.ts';
import { useFeed } from '../api/feed.ts';
import { Prose } from '../parts/prose.tsx';
import { figures, Table } from '../parts/table.tsx';
import { Ago, Moment } from '../parts/time.tsx';
import { View } from '../parts/view.tsx';
import { Word } from '../parts/word.tsx';
import { linkTo } from '../route.ts';
import {
  alarmsSource,
  mostLetters,
  type AlarmsNow,
  type DeadLetter,
  type FleetRow,
} from './alarms-source.ts';
import { decisionsIn, openAlarmsIn, permitsText } from './open-alarms.ts';

/** Decisions that are shown. */
const mostDecisions = 100;

export function AlarmsView() {
  const { reading } = useFeed('alarms', () => alarmsSource);
  return (
    <View title="Alarms" reading={reading}>
      {(known) => (
        <>
          <Alarms of={known} />
          <Letters letters={known.letters} />
          <Decisions of={known} />
          <Knobs fleet={known.fleet} />
        </>
      )}
    </View>
  );
}

function Panel({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const id = title.toLowerCase().replaceAll(' ', '-');
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

function Alarms({ of }: { readonly of: AlarmsNow }) {
  const alarms = openAlarmsIn(of);
  return (
    <Panel title="Open alarms">
      {alarms.length === 0 ? (
        <p class="faint">None: all hosts are well, and nothing waits too long for permits.</p>
      ) : (
        <Table label="Table of open alarms" columns={['About', 'What', 'Since', 'What follows']}>
          {alarms.map(({ about, host, what, since, follows }) => (
            <tr key={`${about} ${what}`}>
              <th scope="row">{host === undefined ? about : <a href={linkTo.host(host)}>{about}</a>}</th>
              <td>{what}</td>
              <td>
                <Ago at={since} />
              </td>
              <td class="wide">{follows}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Letters({ letters }: { readonly letters: readonly DeadLetter[] }) {
  return (
    <Panel title="Dead letters">
      {letters.length === 0 ? (
        <p class="faint">None that anybody knows the reason of.</p>
      ) : (
        <Table label="Table of dead letters" columns={['Letter', 'Queue', 'Failed', figures('Tries'), 'Why']}>
          {letters.map(({ letter, queue, failedAt, attempts, failure }) => (
            <tr key={letter}>
              <th scope="row">
                <code>{letter.slice(0, 8)}</code>
              </th>
              <td>{queue}</td>
              <td>
                <Ago at={failedAt} />
              </td>
              <td class="figure">{attempts}</td>
              <td class="wide">
                {failure === undefined ? null : (
                  <>
                    <Prose text={failure.sentence} /> <code>{failure.code}</code>;{' '}
                    <Prose text={failure.cure} />
                  </>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {letters.length < mostLetters ? null : <p class="faint">There are more; {mostLetters} were read.</p>}
      <p class="faint">
        <code>dray dead-letters list</code> also has those whose function ended without a word, and the bodies
        of all; <code>redrive</code> and <code>discard</code> act on them.
      </p>
    </Panel>
  );
}

function Decisions({ of: { targets } }: { readonly of: AlarmsNow }) {
  const decisions = decisionsIn(targets).slice(0, mostDecisions);
  return (
    <Panel title="Scaling decisions">
      {decisions.length === 0 ? (
        <p class="faint">None: there are as many permits as people allow.</p>
      ) : (
        <Table
          label="Table of scaling decisions"
          columns={['When', 'Whose permits', 'From', 'To', 'Because']}
        >
          {decisions.map(({ target, at, from, to, reason }) => (
            <tr key={`${target} ${String(at)}`}>
              <td>
                <Moment at={at} />
              </td>
              <th scope="row">{target}</th>
              <td>{permitsText(from)}</td>
              <td>{permitsText(to)}</td>
              <td class="wide">{reason}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Knobs({ fleet: { knobs, turned } }: { readonly fleet: FleetRow }) {
  return (
    <Panel title="Knobs">
      <Table label="Table of knobs" columns={['Knob', figures('Value'), 'What it is', 'Turned']}>
        {knobNames.map((name) => {
          const word = turned[name];
          return (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td class="figure">{knobs[name] ?? 'none'}</td>
              <td>{knobMeanings[name]}</td>
              <td class="wide">{word === undefined ? 'never' : <Word of={word} />}</td>
            </tr>
          );
        })}
      </Table>
    </Panel>
  );
}
