import type uPlot from 'uplot';
import { useMemo, useState } from 'preact/hooks';
import { ApiError, post } from './api';
import type { Drill, Drilling, Drills, Fault, Recovery, Traffic } from './api_traffic';
import { useToken } from './app';
import { count, ms, span } from './format';
import { useLive } from './live';
import { useLoad, useNow } from './load';
import { Empty, Facts, Panel, Pending, Plotted, Scroll, Shape, Time } from './parts';
import { colour, Plot } from './plot';
import type { Route } from './route';
import { RouteFlow } from './traffic_flow';
import { window_query, WindowPicker } from './windows';

const fault_words: Record<Fault, string> = { stop: 'stopped', hang: 'hanging', errors: 'errors', slow: 'slow answers', grey: 'grey', drain: 'drained' };
const faults: Fault[] = ['stop', 'hang', 'errors', 'slow', 'grey', 'drain'];

export function DrillsPage({ route }: { route: Route }) {
    const traffic = useLive((l) => l.traffic);
    const drilling = useLive((l) => l.drilling);
    /* Another when one begins or ends: then the list is read anew. */
    const news = `${drilling?.running?.id ?? 'none'} ${drilling?.running?.outcome ?? ''}`;
    const { data, problem } = useLoad<Drills>(`drills?${window_query(route, '90d')}`, 15000, news);
    const now: Drilling | null = drilling ?? data;
    const running = now?.running ?? null;
    const last = data?.drills.find((d) => d.outcome !== 'running');
    const at = traffic?.routes.find((r) => r.name === (running ?? last)?.route) ?? traffic?.routes[0];
    return (
        <>
            <h1>Drills</h1>
            <p class="lead">A failure on purpose, with a canary client that counts what users would have lost.</p>
            {!data && <Pending problem={problem} what="the drills" />}
            {data && traffic && (
                <div class="stack">
                    <div class="columns even drill-now">
                        <Panel title="Start a drill"><Start traffic={traffic} running={running} /></Panel>
                        <Panel title={running ? 'Running now' : 'The last one'}>
                            {running ? <Running drill={running} progress={now?.progress ?? null} />
                                : last ? <Result drill={last} /> : <Empty>None has run in this window. One tells how long users would notice a failure, before a real one does.</Empty>}
                        </Panel>
                    </div>
                    {at && <Panel title={`Route ${at.name}, live`}><RouteFlow route={at} orders={false} /></Panel>}
                    <WindowPicker route={route} windows={['24h', '7d', '30d', '90d']} standard="90d" />
                    <div class="columns even">
                        <Panel title="Recovery times"><RecoveryPlot drills={data.drills} /></Panel>
                        <Panel title="Recovery by fault" aside={<span class="soft">of drills that ended by themselves</span>}>
                            <RecoveryTable rows={data.recovery} />
                        </Panel>
                    </div>
                    <Panel title="All of them"><List drills={data.drills} /></Panel>
                </div>
            )}
        </>
    );
}

/* --- Starting one --------------------------------------------------------------------------------- */

const spans = [{ ms: 10e3, words: '10 seconds' }, { ms: 30e3, words: '30 seconds' }, { ms: 60e3, words: '1 minute' }, { ms: 300e3, words: '5 minutes' }];

function consequence(environment: string, fault: Fault, for_ms: number): string {
    const what = {
        stop: `Every connection to ${environment} is cut, as if it were stopped.`,
        hang: `${environment} takes requests and never answers.`,
        errors: `${environment} answers every request with 503.`,
        slow: `${environment} answers too late.`,
        grey: `${environment} answers health checks as before, and every other request with 503.`,
        drain: `${environment} gets no new request, by an order; nothing fails.`,
    }[fault];
    const where = fault === 'drain' ? ' It can be done on any platform.' : ' This can be done to the simulator only; on real platforms trine refuses it.';
    return `${what} After ${span(for_ms)} that is undone, and the drill ends when ${environment} has its share again.${where}`;
}

function Start({ traffic, running }: { traffic: Traffic; running: Drill | null }) {
    const routes = traffic.routes.filter((r) => r.listen);
    const [route_name, set_route] = useState(routes[0]?.name ?? '');
    const route = routes.find((r) => r.name === route_name) ?? routes[0];
    const [chosen, set_environment] = useState('');
    const [fault, set_fault] = useState<Fault>('errors');
    const [for_ms, set_for] = useState(30e3);
    const [problem, set_problem] = useState<string | null>(null);
    const [asked, set_asked] = useState(false);
    const may = useToken();
    if (!route)
        return <Empty>No route has a <code>listen</code> address: a drill needs a router to send its requests through.</Empty>;
    const environment = route.environments.some((e) => e.name === chosen) ? chosen : route.environments[0]?.name ?? '';
    const start = async () => {
        if (asked || running) /* the button stays, for the keyboard's sake */
            return;
        set_asked(true);
        try {
            await post('drills', { route: route.name, environment, fault, for_ms });
            set_problem(null);
        } catch (e) {
            set_problem(e instanceof ApiError ? e.message : String(e));
        }
        set_asked(false);
    };
    return (
        <form class="order" onSubmit={(e) => { e.preventDefault(); void start(); }}>
            <div class="order-row">
                {routes.length > 1 && <label>Route <select value={route.name} onChange={(e) => set_route(e.currentTarget.value)}>
                    {routes.map((r) => <option key={r.name}>{r.name}</option>)}
                </select></label>}
                <label>Environment <select value={environment} onChange={(e) => set_environment(e.currentTarget.value)}>
                    {route.environments.map((e) => <option key={e.name}>{e.name}</option>)}
                </select></label>
                <label>Fault <select value={fault} onChange={(e) => set_fault(e.currentTarget.value as Fault)}>
                    {faults.map((f) => <option key={f} value={f}>{fault_words[f]}</option>)}
                </select></label>
                <label>For <select value={for_ms} onChange={(e) => set_for(Number(e.currentTarget.value))}>
                    {spans.map((s) => <option key={s.ms} value={s.ms}>{s.words}</option>)}
                </select></label>
            </div>
            <p class="consequence">{consequence(environment, fault, for_ms)}</p>
            {may
                ? <p class="buttons"><button type="submit" class="main" aria-disabled={asked || running !== null}>
                    {fault === 'drain' ? 'Drain' : 'Fail'} {environment}
                </button>{running && <span class="soft">one drill at a time</span>}</p>
                : <p class="soft">To start one, enter a token with scope <i>operate</i> above.</p>}
            {problem && <p class="problem" role="alert">{problem}</p>}
        </form>
    );
}

/* --- One drill ------------------------------------------------------------------------------------- */

function title(d: Drill): string {
    return `${d.environment} ${d.fault === 'errors' ? 'with errors' : d.fault === 'slow' ? 'slow' : fault_words[d.fault]}, route ${d.route}`;
}

function Running({ drill: d, progress }: { drill: Drill; progress: string | null }) {
    const now = useNow();
    const [problem, set] = useState<string | null>(null);
    const may = useToken();
    const gone = Math.max(0, now - Date.parse(d.from));
    const stop = () => post('drills/stop').catch((e) => set(e instanceof ApiError ? e.message : String(e)));
    return (
        <>
            <p><span class="state state-suspect"><Shape of="going" /> running</span> {title(d)}</p>
            <p>For {span(Math.floor(gone / 1000) * 1000)}{d.fault_ms ? `; the fault lasts ${span(d.fault_ms)}` : ''}.</p>
            <p class="progress" role="status">{progress || 'beginning'}</p>
            {may && <p class="buttons"><button type="button" onClick={() => void stop()}>Stop it and undo its fault</button></p>}
            {problem && <p class="problem" role="alert">{problem}</p>}
        </>
    );
}

const outcomes = {
    running: { state: 'suspect', shape: 'going', word: 'running' }, passed: { state: 'up', shape: 'met', word: 'passed' },
    failed: { state: 'down', shape: 'down', word: 'failed' }, interrupted: { state: 'unknown', shape: 'unknown', word: 'interrupted' },
};
function Outcome({ of }: { of: Drill['outcome'] }) {
    const o = outcomes[of];
    return <span class={`state state-${o.state}`}><Shape of={o.shape} /> {o.word}</span>;
}

const happened = (value: number | null) => (value === null ? 'did not happen' : ms(value));
const woken = (value: boolean | null) => (value === null ? 'no need' : value ? 'yes' : 'no: it met users asleep');

/* Whether it kept what was promised. */
function Bound({ drill: d }: { drill: Drill }) {
    const kept = d.recover_ms !== null && d.recover_ms <= (d.bound_ms ?? 0);
    return <span class={`range state-${kept ? 'up' : 'down'}`}><Shape of={kept ? 'met' : 'down'} /> {kept ? 'within' : 'over'} its bound of {span(d.bound_ms)}</span>;
}

function Result({ drill: d }: { drill: Drill }) {
    return (
        <>
            <p><Outcome of={d.outcome} /> {title(d)}, at <Time at={d.from} />{d.text ? `: ${d.text}` : ''}</p>
            <Facts facts={[
                ['requests of the canary', count(d.sent ?? 0)],
                ['lost', count(d.lost ?? 0)],
                ['slow', count(d.slow ?? 0)],
                ['found after', happened(d.detect_ms)],
                ['decided after', happened(d.decide_ms)],
                ['applied after', happened(d.apply_ms)],
                ['all well again after', <>{d.recover_ms === 0 ? 'at once: none was lost or slow' : happened(d.recover_ms)}{d.bound_ms !== null && <Bound drill={d} />}</>],
                ['traffic back, once mended', happened(d.return_ms)],
                ['the standby was woken', woken(d.standby_woken)],
            ]} />
        </>
    );
}

function List({ drills }: { drills: Drill[] }) {
    if (!drills.length)
        return <Empty>None in this window.</Empty>;
    const heads = ['Lost', 'Slow', 'Found', 'Decided', 'Applied', 'Recovered', 'Returned'];
    return (
        <Scroll label="Drills" tall>
            <table class="rows">
                <thead><tr><th scope="col">Begun</th><th scope="col">Drill</th><th scope="col">Outcome</th><th scope="col" class="number">Requests</th>
                    {heads.map((h) => <th key={h} scope="col" class="number">{h}</th>)}<th scope="col">Said</th></tr></thead>
                <tbody>{drills.map((d) => (
                    <tr key={String(d.id)}>
                        <th scope="row"><Time at={d.from} /></th>
                        <td class="nowrap">{title(d)}</td>
                        <td><Outcome of={d.outcome} /></td>
                        <td class="number">{d.outcome === 'running' ? '' : count(d.sent ?? 0)}</td>
                        <td class={`number${d.lost ? ' state-down' : ''}`}>{d.outcome === 'running' ? '' : count(d.lost ?? 0)}</td>
                        <td class="number">{d.outcome === 'running' ? '' : count(d.slow ?? 0)}</td>
                        {[d.detect_ms, d.decide_ms, d.apply_ms, d.recover_ms, d.return_ms].map((v, i) => (
                            <td key={i} class={`number${v === null ? ' soft' : ''}`}>{v !== null ? ms(v) : d.outcome === 'running' ? '' : 'no'}</td>
                        ))}
                        <td class="reason">{d.text}</td>
                    </tr>
                ))}</tbody>
            </table>
        </Scroll>
    );
}

/* --- Over the drills ---------------------------------------------------------------------------------- */

function RecoveryTable({ rows }: { rows: Recovery[] }) {
    if (!rows.length)
        return <Empty>No drill has ended by itself in this window.</Empty>;
    return (
        <Scroll label="Recovery by fault">
            <table class="rows">
                <thead><tr><th scope="col">Fault</th><th scope="col" class="number">n</th><th scope="col" class="number">p50</th>
                    <th scope="col" class="number">p95</th><th scope="col" class="number">longest</th><th scope="col" class="number">Lost</th></tr></thead>
                <tbody>{rows.map((r) => (
                    <tr key={r.fault}>
                        <th scope="row">{fault_words[r.fault] ?? r.fault}</th><td class="number">{count(r.n)}</td>
                        <td class="number">{ms(r.p50_ms)}</td><td class="number">{ms(r.p95_ms)}</td><td class="number">{ms(r.max_ms)}</td>
                        <td class={`number${r.lost ? ' state-down' : ''}`}>{count(r.lost ?? 0)}</td>
                    </tr>
                ))}</tbody>
            </table>
        </Scroll>
    );
}

function RecoveryPlot({ drills }: { drills: Drill[] }) {
    const done = useMemo(() => drills.filter((d) => d.recover_ms !== null).reverse(), [drills]);
    const used = faults.filter((f) => done.some((d) => d.fault === f));
    const data = useMemo<uPlot.AlignedData>(() => [
        done.map((d) => Date.parse(d.from) / 1000),
        ...used.map((f) => done.map((d) => (d.fault === f ? d.recover_ms : null))),
    ] as uPlot.AlignedData, [done, used.join()]);
    if (!done.length)
        return <Empty>No drill has recovered in this window yet.</Empty>;
    const longest = Math.max(...done.map((d) => d.recover_ms ?? 0));
    const first = Date.parse(done[0]!.from) / 1000, last = Date.parse(done[done.length - 1]!.from) / 1000;
    const edge = Math.max((last - first) * 0.03, 300);
    const series = used.map((f): uPlot.Series => {
        const i = faults.indexOf(f);
        return {
            label: fault_words[f], stroke: () => colour(`--env-${i}`), paths: () => null,
            points: { show: true, size: 9, fill: () => colour(`--env-${i}`) },
        };
    });
    return (
        <Plotted label="Recovery times of drills" says={<>{count(done.length)} {done.length === 1 ? 'drill' : 'drills'}, the longest recovery {ms(longest)}.</>}
            table={() => (
                <table class="rows">
                    <thead><tr><th scope="col">Begun</th><th scope="col">Fault</th><th scope="col" class="number">Recovered after</th></tr></thead>
                    <tbody>{[...done].reverse().map((d) => (
                        <tr key={String(d.id)}><th scope="row"><Time at={d.from} /></th><td>{fault_words[d.fault]}</td><td class="number">{ms(d.recover_ms)}</td></tr>
                    ))}</tbody>
                </table>
            )}>
            <ul class="legend">{used.map((f) => <li key={f}><Dot index={faults.indexOf(f)} /> {fault_words[f]}</li>)}</ul>
            <Plot data={data} series={series} height={190} range={[first - edge, last + edge]} />
        </Plotted>
    );
}

function Dot({ index }: { index: number }) {
    return <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true"><circle class={`env-fill-${index}`} cx="5" cy="5" r="4.5" /></svg>;
}
