/* Small pieces that every page is made of. A state is always a word and a shape, and then a colour. */

import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import type { Figure, Outcome, State } from './api';
import { count, goal, moment, show, utc, type Unit } from './format';

const shapes: Record<string, string> = {
    up: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z',
    suspect: 'M8 1.5l7 12.5H1z',
    down: 'M3.4 1L8 5.6 12.6 1 15 3.4 10.4 8 15 12.6 12.6 15 8 10.4 3.4 15 1 12.6 5.6 8 1 3.4z',
    inconclusive: 'M8 1l7 7-7 7-7-7zM8 4.5L4.5 8 8 11.5 11.5 8z',
    unknown: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6z',
    asleep: 'M10.5 1.5A6.8 6.8 0 1 0 14.5 11 5.6 5.6 0 0 1 10.5 1.5z',
    degraded: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2v8a4 4 0 0 1 0-8z',
    draining: 'M6.4 1h3.2v7h4L8 15 2.4 8h4z',
    met: 'M6.3 13.5L1 8.2l2-2 3.3 3.3L13 2.5l2 2z',
    going: 'M2 6.5h3v3H2zM6.5 6.5h3v3h-3zM11 6.5h3v3h-3z',
};

export function Shape({ of }: { of: string }) {
    return (
        <svg class={`shape is-${of}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
            <path fill-rule="evenodd" d={shapes[of] ?? shapes.unknown} />
        </svg>
    );
}

export const state_words: Record<State, string> = {
    up: 'up', suspect: 'suspect', down: 'down', inconclusive: 'inconclusive', unknown: 'not measured',
};

export function StateMark({ state, quiet }: { state: State; quiet?: boolean }) {
    return (
        <span class={`state state-${state}${quiet ? ' quiet' : ''}`}>
            <Shape of={state} /> {state_words[state]}
        </span>
    );
}

export const outcome_state: Record<Outcome, State> = {
    ok: 'up', slow: 'suspect', failed: 'down', inconclusive: 'inconclusive', missed: 'unknown',
};
export function OutcomeMark({ outcome }: { outcome: Outcome }) {
    const state = outcome_state[outcome];
    return <span class={`state state-${state}`}><Shape of={state} /> {outcome}</span>;
}

/* Evidence as it was written down, folded; objects as names and values, so that nobody has to read JSON. */
export function Evidence({ of }: { of: unknown }) {
    if (of === null || of === undefined || (typeof of === 'object' && !Object.keys(of).length))
        return null;
    return <details class="evidence"><summary>evidence</summary><Known of={of} /></details>;
}
function Known({ of }: { of: unknown }) {
    if (of === null || of === '')
        return <span class="soft">none</span>;
    if (typeof of !== 'object')
        return <>{String(of)}</>;
    if (Array.isArray(of))
        return of.length ? <ul>{of.map((one, i) => <li key={i}><Known of={one} /></li>)}</ul> : <span class="soft">none</span>;
    return (
        <dl>{Object.entries(of).map(([name, value]) => (
            <div key={name}><dt>{name.replace(/_/g, ' ')}</dt><dd><Known of={value} /></dd></div>
        ))}</dl>
    );
}

/* A moment in the reader's own zone; UTC when pointed at. */
export function Time({ at, seconds }: { at: string | number | null | undefined; seconds?: boolean }) {
    if (at === null || at === undefined || at === '')
        return <span class="soft">not known</span>;
    const value = typeof at === 'number' ? at : Date.parse(at);
    return (
        <time dateTime={new Date(value).toISOString()} title={utc(value)}>
            {moment(value, seconds ?? true)}
        </time>
    );
}

export function Commit({ of }: { of: string | null }) {
    return of ? <code title={of}>{of.slice(0, 8)}</code> : <span class="soft">none</span>;
}

/* --- Figures ------------------------------------------------------------------------------------- */

export function range(f: Pick<Figure, 'low' | 'high'>, unit: Unit): string {
    return f.low === null || f.high === null ? 'range not known' : `${show(f.low, unit)} to ${show(f.high, unit)}`;
}

export function Target({ figure, unit, least }: { figure: Figure | null; unit: Unit; least: boolean }) {
    if (!figure || figure.target === null)
        return <span class="soft">no target</span>;
    const bound = `${least ? 'over' : 'under'} ${goal(figure.target, unit)}`;
    const [shape, state, word] = figure.met === null ? ['unknown', 'unknown', 'open']
        : figure.met ? ['met', 'up', 'met'] : ['down', 'down', 'missed'];
    return (
        <span class={`target state-${state}`}>
            <span class="nowrap"><Shape of={shape!} /> {word}</span> <span class="soft nowrap">{bound}</span>
        </span>
    );
}

/* value, range and n of one figure as three cells of a table row */
export function FigureCells({ figure, unit }: { figure: Figure | null | undefined; unit: Unit }) {
    if (!figure || figure.value === null)
        return (
            <>
                <td class="number soft">not enough data</td>
                <td class="number soft">{count(figure?.n ?? 0)}</td>
            </>
        );
    return (
        <>
            <td class="number">
                <b>{show(figure.value, unit)}</b>
                <span class="range">{range(figure, unit)}</span>
            </td>
            <td class="number">{count(figure.n)}</td>
        </>
    );
}

/* --- Frames ---------------------------------------------------------------------------------------- */

export function Panel({ title, aside, children, wide }: {
    title: string; aside?: ComponentChildren; children: ComponentChildren; wide?: boolean;
}) {
    const id = useId();
    return (
        <section class={`panel${wide ? ' wide' : ''}`} aria-labelledby={id}>
            <header><h2 id={id}>{title}</h2>{aside && <div class="aside">{aside}</div>}</header>
            {children}
        </section>
    );
}

/* Names and values, a line each. */
export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
    return <dl class="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/* A wide table that scrolls in itself, so that the page never does; reachable by keyboard. */
export function Scroll({ label, tall, children }: { label: string; tall?: boolean; children: ComponentChildren }) {
    return (
        <div class={`scroll${tall ? ' tall' : ''}`} role="group" aria-label={label} tabIndex={0}>
            {children}
        </div>
    );
}

/* A plot, what it says in one sentence, and the same as a table. */
export function Plotted({ label, says, table, children }: {
    label: string; says: ComponentChildren; table: () => ComponentChildren; children: ComponentChildren;
}) {
    const [open, set] = useState(false);
    const id = useId();
    return (
        <figure class="plotted" aria-label={label}>
            <div class="plot-body" hidden={open}>{children}</div>
            {open && <div id={id}><Scroll label={`${label}: table`} tall>{table()}</Scroll></div>}
            <figcaption>
                <span>{says}</span>
                <button type="button" class="link" aria-expanded={open} aria-controls={open ? id : undefined}
                    onClick={() => set(!open)}>
                    {open ? 'show as plot' : 'show as table'}
                </button>
            </figcaption>
        </figure>
    );
}

export function Loading({ what }: { what: string }) {
    return <p class="waiting" role="status">Reading {what} …</p>;
}
export function Problem({ text }: { text: string }) {
    return <p class="problem" role="alert"><Shape of="down" /> {text}</p>;
}
export function Empty({ children }: { children: ComponentChildren }) {
    return <p class="empty">{children}</p>;
}
/* What stands in a page's place until its data has come. */
export function Pending({ problem, what }: { problem: string | null; what: string }) {
    return problem ? <Problem text={problem} /> : <Loading what={what} />;
}
