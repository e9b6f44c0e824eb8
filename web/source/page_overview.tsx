import { useRef, useState } from 'preact/hooks';
import type { Check, Deployment, Environment, FigureName, OneCheck, Sample, State } from './api';
import { count, figure_words, ms, named, span, unit_of } from './format';
import { timeline_cells } from './fine_cells';
import { OutageList } from './outages';
import { useLive } from './live';
import { useLoad } from './load';
import { FigureCells, Empty, OutcomeMark, Panel, Pending, Shape, state_words, StateMark, Target, Time } from './parts';
import { Marker } from './plot';
import { href } from './route';
import { Spark } from './spark';
import { percent, TrafficMark } from './traffic_flow';

export function OverviewPage() {
    const overview = useLive((l) => l.overview);
    const problem = useLive((l) => l.problem);
    return (
        <>
            <h1>Overview</h1>
            {!overview && <Pending problem={problem} what="the overview" />}
            {overview && (
                <>
                    <Summary environments={overview.environments} outages={overview.outages.length} />
                    <Routes />
                    <div class="cards">
                        {overview.environments.map((e, i) => <Card key={e.name} environment={e} index={i} />)}
                    </div>
                    <div class="columns">
                        <Panel title="Deployments" aside={<a href={href('deployments')}>all figures</a>}>
                            <Grid environments={overview.environments.map((e) => e.name)}
                                deployments={overview.deployments} />
                        </Panel>
                        <div class="stack">
                            <Panel title="Open outages">
                                <OutageList outages={overview.outages} none="None is open." />
                            </Panel>
                            <Ticker />
                        </div>
                    </div>
                </>
            )}
        </>
    );
}

function Summary({ environments, outages }: { environments: Environment[]; outages: number }) {
    const bad = environments.filter((e) => e.state === 'down' || e.state === 'suspect');
    const live = environments.reduce((n, e) => n + e.deployments.live, 0);
    const all = environments.reduce((n, e) => n + e.deployments.live + e.deployments.failed + e.deployments.other, 0);
    return (
        <p class="lead">
            {bad.length === 0
                ? `No environment is down`
                : `${bad.map((e) => `${e.name} is ${state_words[e.state]}`).join(', ')}`}
            {outages > 0 && `; ${outages} ${outages === 1 ? 'outage is' : 'outages are'} open`}.
            {' '}{count(live)} of {count(all)} deployments are live.
        </p>
    );
}

/* Where the traffic of each route goes, in a line each. */
function Routes() {
    const traffic = useLive((l) => l.traffic);
    if (!traffic?.routes.length)
        return null;
    return (
        <ul class="routes" aria-label="Traffic">
            {traffic.routes.map((r) => (
                <li key={r.name}>
                    <a href={href('traffic')}>{traffic.routes.length > 1 ? `Traffic of ${r.name}` : 'Traffic'}</a>
                    {!traffic.steering && <span class="state state-down"><Shape of="down" /> nobody steers</span>}
                    {r.failing_open && <span class="state state-down"><Shape of="down" /> failing open</span>}
                    {r.environments.map((m) => (
                        <span key={m.name}>{m.name} <TrafficMark state={m.state} /> <b>{percent(m.share)}</b></span>
                    ))}
                </li>
            ))}
        </ul>
    );
}

/* --- An environment ---------------------------------------------------------------------------------- */

const shown: { figure: FigureName; least: boolean }[] = [
    { figure: 'avg_ms', least: false }, { figure: 'p95_ms', least: false },
    { figure: 'success_rate', least: true }, { figure: 'uptime', least: true },
    { figure: 'db_query_ms', least: false }, { figure: 'cold_start_ms', least: false },
];

function Card({ environment: e, index }: { environment: Environment; index: number }) {
    const checks = Object.entries(e.checks).filter(([, n]) => n > 0) as [State, number][];
    return (
        <article class="card" aria-labelledby={`env-${e.name}`}>
            <header>
                <h2 id={`env-${e.name}`}>
                    <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><Marker index={index} x={0} y={0} /></svg>
                    {e.name}
                </h2>
                <StateMark state={e.state} />
            </header>
            <p class="soft">{e.branch && <>branch {e.branch}; </>}{e.platforms.join(', ')}</p>
            <EnvironmentSpark environment={e.name} index={index} />
            <table class="figures">
                <caption class="unseen">Figures of {e.name}, from {e.window.from} to {e.window.until}</caption>
                <thead>
                    <tr><th scope="col">Figure</th><th scope="col" class="number">Value, range</th>
                        <th scope="col" class="number">n</th><th scope="col">Target</th></tr>
                </thead>
                <tbody>
                    {shown.map(({ figure, least }) => (
                        <tr key={figure}>
                            <th scope="row">{figure_words[figure]}</th>
                            <FigureCells figure={e.figures[figure]} unit={unit_of(figure)} />
                            <td><Target figure={e.figures[figure] ?? null} unit={unit_of(figure)} least={least} /></td>
                        </tr>
                    ))}
                </tbody>
            </table>
            <p class="soft counts">
                {span(Date.parse(e.window.until) - Date.parse(e.window.from))} to <Time at={e.window.until} />.
                {' '}Checks: {checks.map(([state, n]) => `${n} ${state_words[state]}`).join(', ') || 'none'}.
            </p>
        </article>
    );
}

/* The check that stands for an environment in the small: of its service, asked most often. */
function speaker(checks: Map<string, Check>, environment: string): Check | null {
    let best: Check | null = null;
    for (const c of checks.values())
        if (c.environment === environment && c.kind === 'http' && (!best || c.every_ms < best.every_ms))
            best = c;
    return best;
}

function EnvironmentSpark({ environment, index }: { environment: string; index: number }) {
    const checks = useLive((l) => l.checks);
    const check = speaker(checks, environment);
    return (
        <div class="spark-place">
            {check && <CheckSpark key={String(check.id)} check={check} index={index} />}
        </div>
    );
}

function CheckSpark({ check, index }: { check: Check; index: number }) {
    const { data } = useLoad<OneCheck>(`checks/${check.id}?from=3h`, 20000);
    if (!data)
        return null;
    const words = `${named(check.app, check.instance)}: ${check.check}`;
    return (
        <a class="spark" href={href('checks', check.id)}>
            <Spark cells={timeline_cells(data.cells, data.samples)} index={index} />
            <span class="soft">{words}, median, 3 h</span>
        </a>
    );
}

/* --- The grid of deployments --------------------------------------------------------------------- */

/* What one cell says: its checks' worst state when it is live, else how its deployment stands. */
export function standing(d: Deployment): { shape: string; state: State; word: string } {
    if (d.state === 'failed')
        return { shape: 'down', state: 'down', word: 'failed' };
    if (d.state !== 'live')
        return { shape: 'going', state: 'unknown', word: d.state };
    if (!d.health || d.health === 'unknown')
        return { shape: 'met', state: 'up', word: 'live' };
    return { shape: d.health, state: d.health, word: state_words[d.health] };
}

function Grid({ environments, deployments }: { environments: string[]; deployments: Deployment[] }) {
    const table = useRef<HTMLTableElement>(null);
    const [focus, set_focus] = useState('0 0');
    const rows = [...new Map(deployments.map((d) => [`${d.app}\n${d.instance}`, d])).values()];
    const find = (row: Deployment, environment: string) => deployments.find((d) =>
        d.environment === environment && d.app === row.app && d.instance === row.instance);
    if (!rows.length)
        return <Empty>Nothing was deployed yet: <code>trine deploy</code>.</Empty>;

    /* Arrow keys go from cell to cell; the whole grid is one step of the Tab key. */
    const move = (e: KeyboardEvent, row: number, column: number) => {
        const step: Record<string, [number, number]> = {
            ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
            Home: [0, -column], End: [0, environments.length - 1 - column],
        };
        const by = step[e.key];
        if (!by)
            return;
        e.preventDefault();
        for (let r = row + by[0], c = column + by[1]; ; r += by[0], c += by[1]) {
            if (r < 0 || c < 0 || r >= rows.length || c >= environments.length)
                return;
            const link = table.current?.querySelector<HTMLElement>(`[data-cell="${r} ${c}"]`);
            if (link) {
                set_focus(`${r} ${c}`);
                link.focus();
                return;
            }
        }
    };
    return (
        <table class="grid" ref={table} role="grid" aria-label="Deployments by app and environment; arrow keys move">
            <thead>
                <tr><th scope="col">App</th>{environments.map((e) => <th scope="col" key={e}>{e}</th>)}</tr>
            </thead>
            <tbody>
                {rows.map((row, r) => (
                    <tr key={`${row.app} ${row.instance}`}>
                        <th scope="row">
                            <span class={`app${rows[r - 1]?.app === row.app ? ' again' : ''}`}>{row.app}</span>
                            {row.instance && row.instance !== row.app && <> <span class="soft">{row.instance}</span></>}
                        </th>
                        {environments.map((e, c) => {
                            const d = find(row, e);
                            return (
                                <td key={e}>
                                    {d ? <GridCell d={d} at={`${r} ${c}`} focused={focus === `${r} ${c}`}
                                        onKey={(k) => move(k, r, c)} /> : <span class="soft">none</span>}
                                </td>
                            );
                        })}
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

function GridCell({ d, at, focused, onKey }: {
    d: Deployment; at: string; focused: boolean; onKey: (e: KeyboardEvent) => void;
}) {
    const s = standing(d);
    const release = d.release === null ? '' : `, release ${d.release}`;
    return (
        <a class={`cell state-${s.state}`} data-cell={at} tabIndex={focused ? 0 : -1} onKeyDown={onKey}
            href={href('checks', '', { environment: d.environment, app: d.app, instance: d.instance })}
            title={`${d.platform}${release}${d.error ? `: ${d.error}` : ''}`}>
            <Shape of={s.shape} /> {s.word}
        </a>
    );
}

/* --- The ticker --------------------------------------------------------------------------------------- */

const lines = 10;
function Ticker() {
    const recent = useLive((l) => l.recent);
    const checks = useLive((l) => l.checks);
    const [paused, set] = useState<Sample[] | null>(null);
    const rows = (paused ?? recent).slice(-lines).reverse();
    return (
        <Panel title="As it happens" aside={
            <button type="button" aria-pressed={paused !== null} onClick={() => set(paused ? null : recent)}>
                {paused ? 'Go on' : 'Pause'}
            </button>}>
            <table class="ticker">
                <caption class="unseen">The newest samples</caption>
                <colgroup><col class="at" /><col /><col class="outcome" /><col class="took" /></colgroup>
                <thead class="unseen">
                    <tr><th scope="col">Time</th><th scope="col">Check</th><th scope="col">Outcome</th><th scope="col">Time taken</th></tr>
                </thead>
                <tbody>
                    {rows.map((s) => <TickerRow key={`${s[0]} ${s[1]}`} sample={s} check={checks.get(String(s[0])) ?? null} />)}
                    {Array.from({ length: lines - rows.length }, (_, i) => (
                        <tr key={`empty ${i}`}><td class="soft">{i === 0 && rows.length === 0 ? 'waiting for the next sample' : '\u00a0'}</td><td /><td /><td /></tr>
                    ))}
                </tbody>
            </table>
        </Panel>
    );
}

function TickerRow({ sample, check }: { sample: Sample; check: Check | null }) {
    return (
        <tr>
            <td><Time at={sample[1]} /></td>
            <td class="what">
                {check
                    ? <a href={href('checks', check.id)}>{check.environment} {named(check.app, check.instance)}: {check.check}</a>
                    : `check ${sample[0]}`}
            </td>
            <td><OutcomeMark outcome={sample[2]} />{sample[3] === 'cold' && <span class="tag">cold</span>}</td>
            <td class="number">{sample[11] === null ? '' : ms(sample[11])}</td>
        </tr>
    );
}
