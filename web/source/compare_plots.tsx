import type uPlot from 'uplot';
import { useMemo, useState } from 'preact/hooks';
import type { FigureName } from './api';
import type { Comparison, HeatCell } from './comparison';
import { count, figure_words, goal, ms, show, unit_of } from './format';
import { Empty, Plotted, range, Scroll, Target } from './parts';
import { colour, dashes, LineKey, Marker, Plot } from './plot';

const metrics: FigureName[] = ['avg_ms', 'p50_ms', 'p95_ms', 'success_rate', 'uptime', 'db_query_ms', 'cold_start_ms'];
const least = (m: FigureName) => unit_of(m) === 'rate';

/* --- Dot and whisker ---------------------------------------------------------------------------- */

export function Whiskers({ c }: { c: Comparison }) {
    return (
        <Plotted label="Figures of all environments with their ranges" table={() => <FigureTable c={c} />}
            says="The mark is the figure, the line its range; dashed: the target.">
            <div class="whiskers">{metrics.map((m) => <Whisker key={m} c={c} metric={m} />)}</div>
        </Plotted>
    );
}

function Whisker({ c, metric }: { c: Comparison; metric: FigureName }) {
    const unit = unit_of(metric);
    const rows = c.environments.map((e, index) => ({ name: e.name, index, f: e.figures[metric] ?? null }));
    const known = rows.flatMap(({ f }) => (f && f.value !== null ? [f.value, f.low ?? f.value, f.high ?? f.value] : []));
    const target = rows.find(({ f }) => f && f.target !== null)?.f?.target ?? null;
    /* The target takes part in the scale unless it would press everything else into a corner. */
    const spread = Math.max(...known) || 1;
    const with_target = target !== null && (unit === 'rate' || target < spread * 3) ? [target] : [];
    const all = [...known, ...with_target];
    const low = unit === 'rate' ? Math.min(...all) : 0;
    const high = unit === 'rate' ? Math.max(...all, low + 1e-4) : Math.max(...all, 1e-9);
    const x = (v: number) => `${(3 + 94 * ((v - low) / (high - low || 1))).toFixed(2)}%`;
    return (
        <section class="whisker" aria-label={figure_words[metric]}>
            <h3>
                {figure_words[metric]}
                <span class="soft">{target === null ? '' : `target ${least(metric) ? 'over' : 'under'} ${goal(target, unit)}`}</span>
            </h3>
            {rows.map(({ name, index, f }) => (
                <div class="whisker-row" key={name}>
                    <span>{name}</span>
                    {f && f.value !== null ? (
                        <svg aria-hidden="true" height="20">
                            <line class="axis" x1="3%" x2="97%" y1="10" y2="10" />
                            {with_target.length > 0 && <line class="goal" x1={x(target!)} x2={x(target!)} y1="0" y2="20" />}
                            {f.low !== null && f.high !== null && (
                                <g class={`env-stroke-${index % 6}`} stroke-width="2">
                                    <line x1={x(f.low)} x2={x(f.high)} y1="10" y2="10" />
                                    <line x1={x(f.low)} x2={x(f.low)} y1="5" y2="15" />
                                    <line x1={x(f.high)} x2={x(f.high)} y1="5" y2="15" />
                                </g>
                            )}
                            <svg x={x(f.value)} y="10" overflow="visible"><Marker index={index} x={0} y={0} /></svg>
                        </svg>
                    ) : <span class="soft">not enough data, n {count(f?.n ?? 0)}</span>}
                    {f && f.value !== null && (
                        <span class="words"><b>{show(f.value, unit)}</b>, {range(f, unit)}, n {count(f.n)}</span>
                    )}
                </div>
            ))}
        </section>
    );
}

function FigureTable({ c }: { c: Comparison }) {
    return (
        <table class="rows">
            <thead>
                <tr><th scope="col">Figure</th><th scope="col">Environment</th><th scope="col" class="number">Value</th>
                    <th scope="col" class="number">Range</th><th scope="col" class="number">n</th><th scope="col">Target</th></tr>
            </thead>
            <tbody>
                {metrics.flatMap((m) => c.environments.map((e) => {
                    const f = e.figures[m] ?? null;
                    const known = f !== null && f.value !== null;
                    return (
                        <tr key={`${m} ${e.name}`}>
                            <th scope="row">{figure_words[m]}</th><td>{e.name}</td>
                            <td class="number">{known ? show(f.value, unit_of(m)) : 'not known'}</td>
                            <td class="number">{known ? range(f, unit_of(m)) : ''}</td>
                            <td class="number">{count(f?.n ?? 0)}</td>
                            <td><Target figure={f} unit={unit_of(m)} least={least(m)} /></td>
                        </tr>
                    );
                }))}
            </tbody>
        </table>
    );
}

/* --- The distribution ------------------------------------------------------------------------------ */

const shares = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/* The quantile at a share, straight between the points that are known. */
function at_share(points: [number, number][], share: number): number | null {
    const after = points.findIndex(([s]) => s >= share);
    if (after < 0)
        return points.length ? points[points.length - 1]![1] : null;
    const [s1, v1] = points[after]!;
    const [s0, v0] = points[Math.max(after - 1, 0)]!;
    return s1 === s0 ? v1 : v0 + ((v1 - v0) * (share - s0)) / (s1 - s0);
}

/* The tail gets the room: the axis goes by the nines, log10 of 1 / (1 - share). */
const nines = (share: number) => -Math.log10(Math.max(1 - share, 1e-6));

export function Distribution({ c }: { c: Comparison }) {
    const known = c.distribution.filter((d) => d.points.length > 1);
    const index_of = (name: string) => c.environments.findIndex((e) => e.name === name);
    const [log, set_log] = useState(true);
    const data = useMemo<uPlot.AlignedData>(() => {
        const last = Math.max(...known.map((d) => Math.min(d.points[d.points.length - 1]![0], 0.9995)), 0.9);
        const steps = 160;
        const x = Array.from({ length: steps + 1 }, (_, i) => (i / steps) * nines(last));
        return [x, ...known.map((d) => x.map((v) => at_share(d.points, 1 - 10 ** -v)))] as uPlot.AlignedData;
    }, [c]);
    if (!known.length)
        return <Empty>No answered warm request lies in this window.</Empty>;
    const series: uPlot.Series[] = known.map((d) => {
        const i = index_of(d.environment) % 6;
        return { label: d.environment, width: 2.2, dash: dashes[i]!, stroke: () => colour(`--env-${i}`), points: { show: false } };
    });
    const words = known.map((d) => `${d.environment} ${ms(at_share(d.points, 0.5))}`).join(', ');
    const percent = (v: number) => `${+(100 * (1 - 10 ** -v)).toFixed(3)} %`;
    return (
        <Plotted label="Quantiles of response times"
            says={<>Medians: {words}. Read: this share of requests (below) took at most that long; the tail is drawn wide.</>}
            table={() => (
                <table class="rows">
                    <thead><tr><th scope="col">Share of requests</th>{known.map((d) => <th scope="col" class="number" key={d.environment}>{d.environment}</th>)}</tr></thead>
                    <tbody>{shares.map((s) => (
                        <tr key={s}><th scope="row">{+(s * 100).toFixed(1)} %</th>
                            {known.map((d) => <td class="number" key={d.environment}>{ms(at_share(d.points, s))}</td>)}</tr>
                    ))}</tbody>
                </table>
            )}>
            <div class="plot-tools">
                <ul class="legend">{known.map((d) => <li key={d.environment}><LineKey index={index_of(d.environment)} label={d.environment} /></li>)}</ul>
                <label><input type="checkbox" checked={log} onChange={(e) => set_log(e.currentTarget.checked)} /> logarithmic</label>
            </div>
            <Plot data={data} series={series} logarithmic={log} x={percent} x_ticks={[0.5, 0.75, 0.9, 0.95, 0.99, 0.999].map(nines)} height={280} />
        </Plotted>
    );
}

/* --- The heat map: a table whose cells are shaded, so that it is its own table ------------------------ */

export function Heat({ heat }: { heat: Comparison['heat'] }) {
    if (!heat)
        return <Empty>In so long a window only whole days are read: choose a shorter one.</Empty>;
    const cells = heat.environments.flatMap((e) => e.cells).filter((c) => c.p50_ms !== null);
    if (!cells.length)
        return <Empty>No answered warm request lies in this window.</Empty>;
    const logs = cells.map((c) => Math.log(Math.max(c.p50_ms!, 0.01)));
    const low = Math.min(...logs);
    const high = Math.max(...logs);
    const level = (c: HeatCell) => Math.min(4, Math.floor(((Math.log(Math.max(c.p50_ms!, 0.01)) - low) / (high - low || 1)) * 5));
    return (
        <Scroll label="Median by hour of the day">
            <table class="heat">
                <thead>
                    <tr><th scope="col"><span class="unseen">Environment</span></th>
                        {heat.environments[0]!.cells.map((c) => <th scope="col" key={c.hour}>{c.hour}<span class="unseen"> h</span></th>)}</tr>
                </thead>
                <tbody>
                    {heat.environments.map((e) => (
                        <tr key={e.environment}>
                            <th scope="row">{e.environment}</th>
                            {e.cells.map((c) => c.p50_ms === null ? <td key={c.hour} class="soft" title="no sample">·</td> : (
                                <td key={c.hour} class={`heat-${level(c)}`} title={`median ${ms(c.p50_ms)}, p95 ${ms(c.p95_ms)}, n ${count(c.n)}`}>
                                    {c.p50_ms >= 1000 ? `${(c.p50_ms / 1000).toFixed(1)}s` : Math.round(c.p50_ms)}
                                </td>
                            ))}
                        </tr>
                    ))}
                </tbody>
            </table>
            <p class="soft">Milliseconds; darker is slower. n and p95 when pointed at.</p>
        </Scroll>
    );
}
