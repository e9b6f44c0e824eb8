import { useState } from 'preact/hooks';
import type { Change, Traffic, TrafficRoute } from './api_traffic';
import { useToken } from './app';
import { useLive } from './live';
import { useLoad } from './load';
import { Empty, Panel, Pending, Shape } from './parts';
import { Changes } from './traffic_changes';
import { RouteFlow, route_place } from './traffic_flow';
import { Costs, Deciding, DnsFacts, of_allowance, Vantages } from './traffic_tables';
import { RouteVerdict } from './traffic_verdict';

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
                {t.routes.map((r) => <RoutePanel key={r.name} route={r} traffic={t} />)}
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
                {t.routes.map((r) => <Behind key={r.name} route={r} />)}
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
    off: 'No router runs', starting: 'The router starts', running: 'The router runs', lost: 'The router does not answer',
    refused: 'The router could not be started',
};

/* Who steers, and is the router there? What is wrong comes first. */
function Standing({ traffic: t }: { traffic: Traffic }) {
    const routed = t.proxy.state !== 'off';
    const [state, shape, head, why] = t.proxy.state === 'lost' || t.proxy.state === 'refused'
        ? ['down', 'down', proxy_words[t.proxy.state], t.proxy.why]
        : !t.steering ? ['suspect', 'suspect', 'This trine does not steer', t.why]
            : t.proxy.state === 'starting' ? ['suspect', 'going', proxy_words.starting, t.proxy.why] : ['up', 'up', 'trine steers', null];
    return (
        <p class="lead">
            <span class={`state state-${state}`}><Shape of={shape!} /> {head}</span>
            {why ? `: ${why}.` : state === 'up' && routed ? `; the router runs${t.proxy.pid ? ` (process ${t.proxy.pid})` : ''}.`
                : state === 'up' ? '; no route has a listen address, so no router runs.' : '.'}
        </p>
    );
}

function RoutePanel({ route: r, traffic }: { route: TrafficRoute; traffic: Traffic }) {
    const busy = r.environments.reduce((n, m) => n + m.live.per_second, 0);
    return (
        <Panel title={`Route ${r.name}`} aside={<span class="soft">{route_place(r)}</span>}>
            <RouteVerdict route={r} traffic={traffic} />
            <RouteFlow route={r} orders />
            {r.listen && <p class="soft idle">{busy === 0 ? 'No request came in the last seconds.' : '\u00a0'}</p>}
        </Panel>
    );
}

/* What one reads when there is time. */
function Behind({ route: r }: { route: TrafficRoute }) {
    const shares = r.checking.flatMap((c) => (c.share === null ? [] : [c.share]));
    return (
        <>
            <Panel title={`What decides about ${r.name}`}><Deciding route={r} /></Panel>
            <Panel title={`What checking ${r.name} costs`}
                aside={<span class="soft">a month{shares.length > 0 && <>; at most {of_allowance(Math.max(...shares))} of a free allowance</>}</span>}>
                <Costs rows={r.checking} />
            </Panel>
        </>
    );
}
