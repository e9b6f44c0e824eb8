import { useState } from 'preact/hooks';
import type { ColdStart, Comparison, Endpoint, EndpointCell, Interval } from './comparison';
import { chance, signed, VerdictMark } from './compare_verdicts';
import { count, figure_words, ms, named, rate, show, span, unit_of, type Unit } from './format';
import { Empty, Scroll, Time } from './parts';

function Ranged({ of, unit }: { of: Interval | null; unit: Unit }) {
    if (!of || of.value === null)
        return <td class="number soft">not known</td>;
    return (
        <td class="number">
            {show(of.value, unit)}
            {of.low !== null && of.high !== null && <span class="range">{show(of.low, unit)} to {show(of.high, unit)}</span>}
        </td>
    );
}

export function ColdStarts({ cold }: { cold: ColdStart[] }) {
    if (!cold.length)
        return <Empty>Nothing started cold in this window.</Empty>;
    return (
        <Scroll label="Cold starts">
            <table class="rows">
                <thead>
                    <tr><th scope="col">Endpoint</th><th scope="col" class="number">Median, range</th>
                        <th scope="col" class="number">Longest</th><th scope="col" class="number">n</th><th scope="col" class="number">Failed</th></tr>
                </thead>
                <tbody>
                    {cold.map((c) => (
                        <tr key={`${c.environment} ${c.app} ${c.instance} ${c.check}`}>
                            <th scope="row">{c.environment} {named(c.app, c.instance)}: {c.check}</th>
                            <Ranged of={c.median_ms} unit="ms" />
                            <td class="number">{ms(c.max_ms)}</td><td class="number">{count(c.n)}</td><td class="number">{count(c.failed)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </Scroll>
    );
}

export function Weeks({ weeks }: { weeks: Comparison['weeks'] }) {
    if (!weeks)
        return <Empty>Nothing was measured in the window of the same length before this one.</Empty>;
    return (
        <>
            <p class="soft">
                Against <Time at={weeks.from} /> to <Time at={weeks.until} />. Not paired: these are other hours, and nothing cancels out.
            </p>
            <Scroll label="Changes">
                <table class="rows">
                    <thead>
                        <tr><th scope="col">Environment</th><th scope="col">Figure</th><th scope="col" class="number">Before</th><th scope="col" class="number">Now</th>
                            <th scope="col" class="number">Change, range</th><th scope="col" class="number">p (Holm)</th><th scope="col">Verdict</th></tr>
                    </thead>
                    <tbody>
                        {weeks.environments.flatMap((e) => e.changes.map((c) => (
                            <tr key={`${e.environment} ${c.metric}`}>
                                <th scope="row">{e.environment}</th><td>{figure_words[c.metric]}</td>
                                <td class="number">{show(c.before, unit_of(c.metric))}</td><td class="number">{show(c.after, unit_of(c.metric))}</td>
                                <td class="number">
                                    {c.difference === null ? '' : signed(c.difference, c.metric)}
                                    {c.low !== null && c.high !== null && <span class="range">{signed(c.low, c.metric)} to {signed(c.high, c.metric)}</span>}
                                </td>
                                <td class="number">{chance(c.p_adjusted)}</td>
                                <td><VerdictMark of={c.verdict} /></td>
                            </tr>
                        )))}
                    </tbody>
                </table>
            </Scroll>
        </>
    );
}

/* --- Endpoints ------------------------------------------------------------------------------------ */

const columns = { p50_ms: 'median', p95_ms: 'p95', success_rate: 'success', uptime: 'uptime' } as const;
type Column = keyof typeof columns;

export function Endpoints({ endpoints, names }: { endpoints: Endpoint[]; names: string[] }) {
    const [column, set] = useState<Column>('p95_ms');
    if (!endpoints.length)
        return <Empty>No endpoint was measured in this window.</Empty>;
    const cell = (e: Endpoint, name: string) => e.environments.find((c) => c.environment === name) ?? null;
    return (
        <>
            <div class="window" role="group" aria-label="Which figure">
                {(Object.keys(columns) as Column[]).map((c) => (
                    <button key={c} type="button" aria-pressed={c === column} onClick={() => set(c)}>{columns[c]}</button>
                ))}
            </div>
            <Scroll label="Endpoints">
                <table class="rows">
                    <thead>
                        <tr><th scope="col">Endpoint</th><th scope="col" class="number">Every</th>
                            {names.map((n) => <th scope="col" class="number" key={n}>{n}, {columns[column]}</th>)}</tr>
                    </thead>
                    <tbody>
                        {endpoints.map((e) => (
                            <tr key={`${e.app} ${e.instance} ${e.check}`}>
                                <th scope="row">
                                    {named(e.app, e.instance)}: {e.check}
                                    {e.kind !== 'request' && <span class="tag">{e.kind}</span>}
                                    {!e.in_pairs && e.kind !== 'other' && <span class="tag">not in verdicts</span>}
                                </th>
                                <td class="number">{e.every_ms === null ? '' : span(e.every_ms)}</td>
                                {names.map((n) => <EndpointFigure key={n} cell={cell(e, n)} column={column} />)}
                            </tr>
                        ))}
                    </tbody>
                </table>
            </Scroll>
        </>
    );
}

function EndpointFigure({ cell, column }: { cell: EndpointCell | null; column: Column }) {
    if (!cell || (cell.n === 0 && cell.cold === 0))
        return <td class="number soft">not measured</td>;
    const figure = cell[column];
    if (!figure || figure.value === null)
        return <td class="number soft">not known, n {count(cell.n)}</td>;
    const words = (v: number) => (unit_of(column) === 'rate' ? rate(v) : ms(v));
    return (
        <td class="number">
            {words(figure.value)}
            <span class="range">
                {figure.low !== null && figure.high !== null && `${words(figure.low)} to ${words(figure.high)}, `}n {count(cell.n)}
            </span>
        </td>
    );
}
