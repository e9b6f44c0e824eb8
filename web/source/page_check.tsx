import { Fragment } from 'preact';
import type uPlot from 'uplot';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, post, type Cell, type FigureName, type Outage, type OneCheck, type Phases, type Sample } from './api';
import { useToken } from './app';
import { timeline_cells } from './fine_cells';
import { count, figure_words, ms, named, span, unit_of } from './format';
import { OutageList } from './outages';
import { useLive } from './live';
import { useLoad } from './load';
import { FigureCells, Empty, OutcomeMark, Panel, Pending, Plotted, Problem, Scroll, Shape, StateMark, Target, Time } from './parts';
import { colour, hatch, Plot, shade } from './plot';
import type { Route } from './route';
import { WindowPicker, window_query } from './windows';

export function CheckPage({ route }: { route: Route }) {
    const { data, problem } = useLoad<OneCheck>(`checks/${encodeURIComponent(route.part)}?${window_query(route, '3h')}`, 10000);
    const known = useLive((l) => l.checks.get(route.part) ?? null);
    const check = known ?? data?.check ?? null;
    const title = check ? `${check.environment} ${named(check.app, check.instance)}: ${check.check}` : 'One check';
    useEffect(() => {
        document.title = `${title} · trine`;
    }, [title]);
    return (
        <>
            <h1>{title}</h1>
            {check && (
                <div class="check-head">
                    <p class="lead">
                        <StateMark state={check.state} />
                        {check.since && <span class="soft"> since <Time at={check.since} /></span>}
                        {check.asleep && <span class="tag"><Shape of="asleep" /> the service is asleep</span>}
                        {check.reason && check.state !== 'up' && <>: {check.reason}</>}
                    </p>
                    <p class="soft">
                        {check.kind}, every {span(check.every_ms)}, given up after {span(check.timeout_ms)}
                        {check.slow_ms ? `, slow from ${ms(check.slow_ms)}` : ''}{check.detail && `. ${check.detail}`}
                    </p>
                    <ProbeNow id={route.part} />
                </div>
            )}
            <WindowPicker route={route} windows={['1h', '3h', '24h', '7d', '30d']} standard="3h" />
            {!data && <Pending problem={problem} what="the timeline" />}
            {data && problem && <Problem text={problem} />}
            {data && <Body data={data} />}
        </>
    );
}

function ProbeNow({ id }: { id: string }) {
    const [said, set] = useState<string | null>(null);
    if (!useToken())
        return null;
    const probe = async () => {
        try {
            await post(`checks/${encodeURIComponent(id)}/probe`);
            set('asked; the answer comes with the next samples');
        } catch (e) {
            set(e instanceof ApiError ? e.message : String(e));
        }
    };
    return (
        <p>
            <button type="button" class="main" onClick={() => void probe()}>Probe now</button>{' '}
            <span role="status">{said}</span>
        </p>
    );
}

function Body({ data }: { data: OneCheck }) {
    const samples = useTail(data);
    const cells = useMemo(() => timeline_cells(data.cells, samples), [data, samples]);
    const warm = samples?.filter((s) => s[3] !== 'cold') ?? null;
    const cold = samples?.filter((s) => s[3] === 'cold') ?? null;
    return (
        <>
            <div class="stack">
                <Panel title="Timeline">
                    {cells.length ? <Timeline data={data} cells={cells} /> : <Empty>No sample lies in this window.</Empty>}
                    {cells.length > 0 && <Strip cells={cells} />}
                </Panel>
                <div class="columns even">
                    <Panel title="Figures"><FigureTable data={data} /></Panel>
                    <Panel title="Outages in this window">
                        <OutageList outages={data.outages} none="None." />
                    </Panel>
                </div>
                {cold && (
                    <Panel title="Cold starts" aside={<span class="soft">in no other figure</span>}>
                        {cold.length ? <SampleTable samples={cold} label="Cold starts" /> : <Empty>None in this window.</Empty>}
                    </Panel>
                )}
                {warm
                    ? <Panel title="Samples"><SampleTable samples={warm} label="Samples" /></Panel>
                    : <p class="soft">Single samples are shown for windows of at most 3 hours.</p>}
            </div>
        </>
    );
}

/* The samples that were read, and those that came since. */
function useTail(data: OneCheck): Sample[] | null {
    const recent = useLive((l) => l.recent);
    return useMemo(() => {
        if (!data.samples)
            return null;
        const newest = data.samples[data.samples.length - 1]?.[1] ?? 0;
        const id = String(data.check.id);
        return [...data.samples, ...recent.filter((s) => String(s[0]) === id && s[1] > newest)];
    }, [data, recent]);
}

/* --- The timeline ---------------------------------------------------------------------------------- */

const phases: { name: keyof Phases; word: string; ink: string; angle: 0 | 45 | 90 | 135 | null }[] = [
    { name: 'lookup', word: 'name look-up', ink: '--phase-0', angle: 0 },
    { name: 'connect', word: 'connect', ink: '--phase-1', angle: 45 },
    { name: 'tls', word: 'TLS', ink: '--phase-2', angle: 90 },
    { name: 'first_byte', word: 'first byte', ink: '--phase-3', angle: null },
    { name: 'rest', word: 'rest', ink: '--phase-4', angle: 135 },
];

/* Phases as running sums, the uppermost first, because uPlot paints in order. */
function stacked(cells: Cell[]): (number | null)[][] {
    return phases.map((_, top) => cells.map((c) => {
        if (!c.phases)
            return null;
        let sum = 0;
        for (const p of phases.slice(0, top + 1))
            sum += c.phases[p.name] ?? 0;
        return sum;
    })).reverse();
}

function stretches(outages: Outage[], until: number, kind: string): [number, number][] {
    return outages.filter((i) => i.kind === kind)
        .map((i) => [Date.parse(i.from) / 1000, (i.until ? Date.parse(i.until) : until) / 1000]);
}

function Timeline({ data, cells }: { data: OneCheck; cells: Cell[] }) {
    const { outages, window } = data;
    const plot = useMemo<uPlot.AlignedData>(() => [
        cells.map((c) => (c.at_ms + c.length_ms / 2) / 1000), ...stacked(cells),
        cells.map((c) => c.p50_ms), cells.map((c) => c.p95_ms),
    ] as uPlot.AlignedData, [cells]);
    const series: uPlot.Series[] = [
        ...[...phases].reverse().map((p) => ({
            label: p.word, width: 1, points: { show: false },
            stroke: () => colour(p.ink), fill: () => hatch(p.ink, p.angle) as CanvasPattern,
        })),
        { label: 'median', width: 2, stroke: () => colour('--ink'), points: { show: cells.length < 60, size: 5 } },
        { label: 'p95', width: 1.5, dash: [6, 4], stroke: () => colour('--ink'), points: { show: false } },
    ];
    const until = Date.parse(window.until);
    const draw = (u: uPlot) => {
        shade(u, stretches(outages, until, 'down'), '--down');
        shade(u, stretches(outages, until, 'blind'), '--inconclusive');
    };
    const n = cells.reduce((sum, c) => sum + c.ok + c.slow, 0);
    const first = cells[0]!;
    const last = cells[cells.length - 1]!;
    const around: [number, number] = [first.at_ms / 1000, (last.at_ms + last.length_ms) / 1000];
    return (
        <Plotted label="Response time by phase" table={() => <CellTable cells={cells} />}
            says={<>Medians of {span(cells.length > 1 ? cells[0]!.length_ms : data.cell_ms)} each, the phases stacked; {count(n)} answered warm requests.
                Hatched stretches: outages.</>}>
            <ul class="legend">
                {phases.map((p, i) => <li key={p.name}><i class={`swatch phase-${i}`} /> {p.word}</li>)}
                <li><i class="swatch line" /> median</li>
                <li><i class="swatch dashed" /> p95</li>
            </ul>
            <Plot data={plot} series={series} draw={draw} height={280} range={around} />
        </Plotted>
    );
}

function CellTable({ cells }: { cells: Cell[] }) {
    return (
        <table class="rows">
            <thead>
                <tr>
                    <th scope="col">From</th><th scope="col" class="number">median</th><th scope="col" class="number">p95</th>
                    <th scope="col" class="number">largest</th>
                    {phases.map((p) => <th scope="col" class="number" key={p.name}>{p.word}</th>)}
                    <th scope="col" class="number">ok</th><th scope="col" class="number">slow</th>
                    <th scope="col" class="number">failed</th><th scope="col" class="number">inconclusive</th>
                    <th scope="col" class="number">missed</th><th scope="col" class="number">cold</th>
                </tr>
            </thead>
            <tbody>
                {[...cells].reverse().map((c) => (
                    <tr key={c.at_ms}>
                        <th scope="row"><Time at={c.at_ms} /></th>
                        {[c.p50_ms, c.p95_ms, c.max_ms, ...phases.map((p) => c.phases?.[p.name] ?? null)].map((v, i) => (
                            <td class="number" key={i}>{v === null ? '' : ms(v)}</td>
                        ))}
                        {[c.ok, c.slow, c.failed, c.inconclusive, c.missed, c.cold].map((v, i) => (
                            <td class="number" key={i}>{count(v)}</td>
                        ))}
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

/* One bar a cell: its height says how much went wrong, its pattern what. */
function Strip({ cells }: { cells: Cell[] }) {
    const width = 1000;
    const step = width / cells.length;
    const kinds = ['ok', 'slow', 'failed', 'inconclusive', 'missed'] as const;
    const sums = kinds.map((k) => cells.reduce((n, c) => n + c[k], 0));
    const words = kinds.map((k, i) => `${count(sums[i]!)} ${k}`).join(', ');
    return (
        <div class="strip">
            <svg viewBox={`0 0 ${width} 24`} preserveAspectRatio="none" role="img" aria-label={`Outcomes over time: ${words}`}>
                {cells.map((c, i) => {
                    const all = kinds.reduce((n, k) => n + c[k], 0);
                    let top = 0;
                    return all === 0 ? null : kinds.map((k) => {
                        const height = (c[k] / all) * 24;
                        top += height;
                        return height === 0 ? null
                            : <rect key={`${i} ${k}`} class={`outcome-${k}`} x={i * step} y={24 - top} width={Math.max(step - 0.6, 0.6)} height={height} />;
                    });
                })}
            </svg>
            <p class="soft">Outcomes: {kinds.map((k, i) => (
                <Fragment key={k}>
                    <span class="nowrap"><OutcomeMark outcome={k} /> {count(sums[i]!)}{i < kinds.length - 1 ? ',' : ''}</span>{' '}
                </Fragment>
            ))}</p>
        </div>
    );
}

/* --- Tables ------------------------------------------------------------------------------------------- */

const figures: { name: FigureName; least: boolean }[] = [
    { name: 'avg_ms', least: false }, { name: 'p50_ms', least: false }, { name: 'p95_ms', least: false },
    { name: 'success_rate', least: true }, { name: 'uptime', least: true }, { name: 'cold_start_ms', least: false },
];

function FigureTable({ data }: { data: OneCheck }) {
    return (
        <table class="figures">
            <thead>
                <tr><th scope="col">Figure</th><th scope="col" class="number">Value, range</th>
                    <th scope="col" class="number">n</th><th scope="col">Target</th></tr>
            </thead>
            <tbody>
                {figures.map(({ name, least }) => (
                    <tr key={name}>
                        <th scope="row">{figure_words[name]}</th>
                        <FigureCells figure={data.figures[name]} unit={unit_of(name)} />
                        <td><Target figure={data.figures[name] ?? null} unit={unit_of(name)} least={least} /></td>
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

function SampleTable({ samples, label }: { samples: Sample[]; label: string }) {
    const [all, set] = useState(false);
    const newest = [...samples].reverse();
    const shown = all ? newest : newest.slice(0, 25);
    return (
        <>
            <Scroll label={label} tall>
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">At</th><th scope="col">Outcome</th><th scope="col" class="number">Status</th>
                            <th scope="col" class="number">Whole</th><th scope="col" class="number">Sent late</th>
                            <th scope="col" class="number">Name known</th><th scope="col" class="number">Connected</th>
                            <th scope="col" class="number">TLS done</th><th scope="col" class="number">First byte</th>
                        </tr>
                    </thead>
                    <tbody>
                        {shown.map((s, i) => (
                            <tr key={`${s[1]} ${i}`}>
                                <th scope="row"><Time at={s[1]} /></th>
                                <td><OutcomeMark outcome={s[2]} />{s[4] ? <span class="tag" title="asked off the clock; in no figure">extra</span> : null}</td>
                                <td class="number">{s[5] || ''}</td>
                                {[s[11], s[6], s[7], s[8], s[9], s[10]].map((v, k) => (
                                    <td class="number" key={k}>{v === null || v < 0 ? '' : ms(v)}</td>
                                ))}
                            </tr>
                        ))}
                    </tbody>
                </table>
            </Scroll>
            {newest.length > 25 && (
                <p><button type="button" class="link" onClick={() => set(!all)}>
                    {all ? 'show only the newest 25' : `show all ${count(newest.length)}`}
                </button></p>
            )}
        </>
    );
}
