import { showDuration } from '../../cli/quantity.ts';
import { labelOf, type Move } from '../../shared/domain/move.ts';
import { moveEndpointShape, stepIndex } from '../../shared/domain/workflow-shape.ts';

const { steps } = moveEndpointShape;

/** What each step does, in a few words. */
const meanings: Readonly<Record<(typeof steps)[number]['name'], string>> = {
  preflight: 'checks both hosts, and names what is in the way',
  reserve: 'sets space and permits aside',
  provision: 'makes the database on the target, closed',
  copy: 'copies its data while it is written to',
  'catch-up': 'applies what was written meanwhile',
  verify: 'compares both sides',
  freeze: 'pauses the writers',
  settle: 'applies the last changes, for good',
  confirm: 'compares once more',
  cutover: 'the target is the one that serves from here on',
  activate: 'opens the target to the writers',
  retire: 'removes the old copy, when its time is over',
};

type Course = 'done' | 'now' | 'next' | 'back' | 'undone' | 'never';
const words: Readonly<Record<Course, string>> = {
  done: 'done',
  now: 'now',
  next: '',
  back: 'being undone',
  undone: 'undone',
  never: 'not reached',
};
const marks: Readonly<Record<Course, string>> = {
  done: '✓',
  now: '▶',
  next: '·',
  back: '↶',
  undone: '↶',
  never: '·',
};

/** The twelve steps: which are done, which is next, and what each has taken. */
export function MoveSteps({ move, at }: { readonly move: Move; readonly at: number }) {
  const { timings } = move.execution;
  const taken = steps.map(({ name }) => timings[name] ?? spent(move, name, at) ?? 0);
  const longest = Math.max(1, ...taken.slice(0, -1));
  return (
    <section class="panel" aria-labelledby="twelve">
      <h2 id="twelve">Twelve steps</h2>
      <ol class="twelve">
        {steps.map(({ name }, index) => {
          const course = courseOf(move, index);
          const ms = timings[name] ?? spent(move, name, at);
          return (
            <li
              key={name}
              class={`course-${course}`}
              aria-current={course === 'now' || course === 'back' ? 'step' : undefined}
            >
              <span class="course-mark" aria-hidden="true">
                {marks[course]}
              </span>
              <span class="step-name">
                {name} <span class="faint">{meanings[name]}</span>
                {words[course] === '' ? null : <span class="hidden"> ({words[course]})</span>}
              </span>
              <span class="figure">{ms === undefined ? '' : showDuration(ms)}</span>
              <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                <rect
                  class={`step step-${String(index + 1)}`}
                  width={Math.min(100, (100 * (ms ?? 0)) / longest)}
                  height="4"
                />
              </svg>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function courseOf({ execution }: Move, index: number): Course {
  const { status } = execution;
  switch (status.state) {
    case 'waiting':
      return 'next';
    case 'completed':
      return 'done';
    case 'rolled-back':
      return (steps[index]?.name ?? '') in execution.timings ? 'undone' : 'never';
    case 'running': {
      const current = stepIndex(moveEndpointShape, status.step);
      return index < current ? 'done' : index === current ? 'now' : 'next';
    }
    case 'rolling-back': {
      const current = stepIndex(moveEndpointShape, status.step);
      return index < current ? 'done' : index === current ? 'back' : 'never';
    }
    case 'stuck': {
      const current = stepIndex(moveEndpointShape, status.step);
      return index < current
        ? 'done'
        : index === current
          ? status.direction === 'back'
            ? 'back'
            : 'now'
          : 'next';
    }
    default:
      return status satisfies never;
  }
}

/** What the step that it is in has taken so far. */
function spent({ execution }: Move, step: string, at: number): number | undefined {
  const { status, last } = execution;
  if (status.state !== 'running' || status.step !== step || labelOf(execution) === 'moved') return undefined;
  return status.spentMs + (status.lease === undefined ? 0 : Math.max(0, at - last.at));
}
