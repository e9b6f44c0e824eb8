import type uPlot from 'uplot';
import { useMemo } from 'preact/hooks';
import type { LatenessCell, Prober } from './api';
import { bytes, count, ms, rate } from './format';
import { useLive } from './live';
import { useLoad } from './load';
import { Empty, Facts, Panel, Pending, Plotted, Scroll, Shape, Time } from './parts';
import { colour, Plot } from './plot';

export function ProberPage() {
    const { data, problem } = useLoad<Prober>('prober', 60000);
    const live = useLive((l) => l.prober);
    const prober = live && data ? { ...data, ...live, lateness_cells: data.lateness_cells ?? [] } : data;
    return (
        <>
            <h1>The prober itself</h1>
            {!prober && <Pending problem={problem} what="the prober's health" />}
            {prober && <Body prober={prober} />}
        </>
    );
}

function Body({ prober: p }: { prober: Prober }) {
    const late = p.lateness_ms;
    return (
        <>
            <p class="lead">
                <span class={`state state-${p.blind ? 'inconclusive' : 'up'}`}>
                    <Shape of={p.blind ? 'inconclusive' : 'up'} /> {p.blind ? 'blind' : 'sees'}
                </span>{' '}
                {p.blind
                    ? 'Its control targets do not answer either: samples are inconclusive and no figure moves.'
                    : 'What it measures is what there is: its own uplink works.'}
            </p>
            <div class="stack">
                <Panel title="How late it sends" aside={<span class="soft">a day, 10 minutes each</span>}>
                    {p.lateness_cells?.length ? <Lateness cells={p.lateness_cells} /> : <Empty>No request was sent yet.</Empty>}
                    <p class="soft">
                        Since the start: median {ms(late.p50)}, p95 {ms(late.p95)}, p99 {ms(late.p99)}, largest {ms(late.max)}; n {count(late.n)}.
                        The lateness is part of every response time shown.
                    </p>
                </Panel>
                <div class="columns even">
                    <Panel title="Work"><Facts facts={[
                        ['measures from', p.vantage],
                        ['runs since', <Time key="t" at={p.started_at} />],
                        ['checks', count(p.checks)],
                        ['requests a second', p.per_second.toFixed(1)],
                        ['in flight', count(p.in_flight)],
                        ['slots missed', count(p.missed)],
                        ['turns of the loop over 50 ms', count(p.turns_over_50ms)],
                        ['samples dropped', count(p.dropped_samples)],
                        ['share of one processor', p.cpu_share === null ? 'not known' : rate(p.cpu_share)],
                        ['memory', bytes(p.resident_bytes)],
                    ]} /></Panel>
                    <Panel title="Store"><Facts facts={[
                        ['file', bytes(p.store.file_bytes)],
                        ['raw samples', count(p.store.raw_samples)],
                        ['oldest raw sample', <Time key="r" at={p.store.oldest_raw_at} />],
                        ['cells of 10 minutes', count(p.store.cells[0] ?? 0)],
                        ['cells of 2 hours', count(p.store.cells[1] ?? 0)],
                        ['cells of a day', count(p.store.cells[2] ?? 0)],
                        ['oldest cell', <Time key="c" at={p.store.oldest_cell_at} />],
                    ]} /></Panel>
                    <Panel title="Control targets"><Controls prober={p} /></Panel>
                    <Panel title="Self-test"><SelfTest prober={p} /></Panel>
                </div>
            </div>
        </>
    );
}

function Lateness({ cells }: { cells: LatenessCell[] }) {
    const data = useMemo<uPlot.AlignedData>(() => [
        cells.map((c) => c.at_ms / 1000), cells.map((c) => c.p50_ms), cells.map((c) => c.p99_ms), cells.map((c) => c.max_ms),
    ] as uPlot.AlignedData, [cells]);
    const points = { show: cells.length < 40, size: 5 };
    /* A line through a few cells would tell of times between them that nobody measured. */
    const paths: Pick<uPlot.Series, 'paths'> = cells.length < 6 ? { paths: () => null } : {};
    const first = (cells[0]?.at_ms ?? 0) / 1000, last = (cells[cells.length - 1]?.at_ms ?? 0) / 1000;
    const series: uPlot.Series[] = [
        { label: 'median', width: 2, stroke: () => colour('--env-0'), points, ...paths },
        { label: 'p99', width: 2, dash: [7, 3], stroke: () => colour('--env-1'), points, ...paths },
        { label: 'largest', width: 1.5, dash: [2, 3], stroke: () => colour('--env-2'), points, ...paths },
    ];
    const n = cells.reduce((sum, c) => sum + c.n, 0);
    const high = Math.max(...cells.map((c) => c.max_ms ?? 0));
    return (
        <Plotted label="Lateness of requests over the last day" says={<>{count(n)} requests, the largest lateness {ms(high)}.</>}
            table={() => (
                <table class="rows">
                    <thead><tr><th scope="col">From</th><th scope="col" class="number">median</th><th scope="col" class="number">p99</th>
                        <th scope="col" class="number">largest</th><th scope="col" class="number">n</th></tr></thead>
                    <tbody>{[...cells].reverse().map((c) => (
                        <tr key={c.at_ms}><th scope="row"><Time at={c.at_ms} /></th><td class="number">{ms(c.p50_ms)}</td>
                            <td class="number">{ms(c.p99_ms)}</td><td class="number">{ms(c.max_ms)}</td><td class="number">{count(c.n)}</td></tr>
                    ))}</tbody>
                </table>
            )}>
            <ul class="legend">
                <li><i class="swatch line env-0" /> median</li><li><i class="swatch dashed env-1" /> p99</li>
                <li><i class="swatch dotted env-2" /> largest</li>
            </ul>
            <Plot data={data} series={series} height={200} range={[first, Math.max(last, first + 3600)]} />
        </Plotted>
    );
}

function Controls({ prober: p }: { prober: Prober }) {
    if (!p.controls.length)
        return <Empty>None is set: a failing uplink of the prober's own would look like a failure of every target.</Empty>;
    return (
        <Scroll label="Control targets">
            <table class="rows">
                <thead><tr><th scope="col">Target</th><th scope="col">State</th><th scope="col" class="number">Took</th><th scope="col">Asked</th></tr></thead>
                <tbody>{p.controls.map((c) => (
                    <tr key={c.url}>
                        <th scope="row" class="reason">{c.url}</th>
                        <td><span class={`state state-${c.ok ? 'up' : 'down'}`}><Shape of={c.ok ? 'up' : 'down'} /> {c.ok ? 'answers' : 'does not answer'}</span></td>
                        <td class="number">{ms(c.total_ms)}</td><td><Time at={c.at} /></td>
                    </tr>
                ))}</tbody>
            </table>
        </Scroll>
    );
}

function SelfTest({ prober: p }: { prober: Prober }) {
    const t = p.self_test;
    if (!t)
        return <Empty>Not run yet. It compares an environment with itself and counts how often a winner is found wrongly.</Empty>;
    const good = t.rate <= t.alpha;
    return (
        <>
            <p>
                <span class={`state state-${good ? 'up' : 'down'}`}><Shape of={good ? 'met' : 'down'} /> {good ? 'within its bound' : 'over its bound'}</span>
            </p>
            <p>
                An environment compared with itself {count(t.rounds)} times: {count(t.false_winners)} false winners,
                {' '}{rate(t.rate)}; at most {rate(t.alpha)} is allowed.
            </p>
            <p class="soft">Run at <Time at={t.at} />.</p>
        </>
    );
}
