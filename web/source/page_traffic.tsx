import { useState } from 'preact/hooks';
import type { Change, Traffic, TrafficRoute } from './api_traffic';
import { useToken } from './app';
import { useLive } from './live';
import { useLoad } from './load';
import { Empty, Panel, Pending, Shape } from './parts';
import { Changes } from './traffic_changes';
import { RouteFlow, route_place } from './traffic_flow';
import { Costs, Deciding, DnsFacts, of_allowance, Vantages } from './traffic_tables';

export function TrafficPage() {
    const traffic = useLive((l) => l.traffic);
    const problem = useLive((l) => l.problem);
    return (
        <>
            <h1>Traffic</h1>
            {!traffic && <Pending problem={problem} what="the traffic" />}
            {traffic && <Body traffic={traffic} />}
        </>
    );
}

/* Another whenever something was decided, so that the log is read anew at once. */
function moved(t: Traffic): string {
    return t.routes.map((r) => r.environments.map((m) => `${m.state} ${m.since} ${m.out} ${m.reason}`).join()).join();
}

function Body({ traffic: t }: { traffic: Traffic }) {
    const { data } = useLoad<{ changes: Change[] }>('traffic/changes?from=24h', 5000, moved(t));
    const may = useToken();
    if (!t.routes.length)
        return <Empty>The manifest has no route: <code>traffic:</code> says where requests go and who takes over.</Empty>;
    return (
        <>
            <Standing traffic={t} />
            <div class="stack">
                {t.routes.map((r) => <RoutePanels key={r.name} route={r} />)}
                {!may && <p class="soft">To drain, weigh or bring back an environment, enter a token with scope <i>operate</i> above.</p>}
                <div class="columns even">
                    <Panel title="Changes" aside={<span class="soft">24 hours, newest first</span>}>
                        {data ? <ChangeList changes={data.changes} many={t.routes.length > 1} /> : <Empty>Reading the log …</Empty>}
                    </Panel>
                    <div class="stack">
                        <Panel title="Vantage points"><Vantages traffic={t} /></Panel>
                        {t.routes.map((r) => r.dns && (
                            <Panel key={r.name} title={`Name in the DNS: ${r.name}`}><DnsFacts dns={r.dns} /></Panel>
                        ))}
                    </div>
                </div>
            </div>
        </>
    );
}

const first_ones = 6;
function ChangeList({ changes, many }: { changes: Change[]; many: boolean }) {
    const [all, set] = useState(false);
    return (
        <>
            <Changes changes={all ? changes : changes.slice(0, first_ones)} many={many} />
            {changes.length > first_ones && (
                <button type="button" class="link" aria-expanded={all} onClick={() => set(!all)}>
                    {all ? 'show the newest only' : `show all ${changes.length}`}
                </button>
            )}
        </>
    );
}

const proxy_words = {
    off: 'no router runs', starting: 'the router starts', running: 'the router runs', lost: 'the router does not answer',
    refused: 'the router could not be started',
};

/* Who steers, and is the router there? */
function Standing({ traffic: t }: { traffic: Traffic }) {
    const routed = t.proxy.state !== 'off';
    const good = t.steering && (t.proxy.state === 'running' || !routed);
    const shape = good ? 'up' : t.proxy.state === 'starting' ? 'going' : 'down';
    return (
        <p class="lead">
            <span class={`state state-${good ? 'up' : 'down'}`}><Shape of={shape} /> {t.steering ? 'trine steers' : 'trine does not steer'}</span>
            {'; '}{proxy_words[t.proxy.state]}{t.proxy.pid ? ` (process ${t.proxy.pid})` : ''}
            {!t.steering && t.why ? `: ${t.why}` : routed && t.proxy.state !== 'running' && t.proxy.why ? `: ${t.proxy.why}` : ''}.
        </p>
    );
}

function RoutePanels({ route: r }: { route: TrafficRoute }) {
    const busy = r.environments.reduce((n, m) => n + m.live.per_second, 0);
    const shares = r.checking.flatMap((c) => (c.share === null ? [] : [c.share]));
    return (
        <>
            <Panel title={`Route ${r.name}`} aside={<span class="soft">{route_place(r)}</span>}>
                {r.failing_open && (
                    <p class="problem" role="alert"><Shape of="down" /> Failing open: requests go by the configured weights, for nobody is known to answer. {r.open_why}</p>
                )}
                <RouteFlow route={r} orders />
                {busy === 0 && r.listen && <p class="soft">No request came in the last seconds.</p>}
            </Panel>
            <Panel title={`What decides about ${r.name}`}><Deciding route={r} /></Panel>
            <Panel title={`What checking ${r.name} costs`}
                aside={<span class="soft">a month{shares.length > 0 && <>; at most {of_allowance(Math.max(...shares))} of a free allowance</>}</span>}>
                <Costs rows={r.checking} />
            </Panel>
        </>
    );
}
