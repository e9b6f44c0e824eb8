/* What stands behind a route: what decides, what its checking costs, who votes, its name in the DNS. */

import type { Checking, Dns, Traffic, TrafficRoute } from './api_traffic';
import { bytes, count, span } from './format';
import { Empty, Facts, Scroll, Shape, Time } from './parts';
import { per_second, TrafficMark } from './traffic_flow';

const fits = { yes: 'yes', no: 'no', unknown: 'not known' };

export function Deciding({ route }: { route: TrafficRoute }) {
    return (
        <Scroll label={`What decides about ${route.name}`}>
            <table class="rows">
                <thead><tr><th scope="col">Environment</th><th scope="col">What the vantage points say</th><th scope="col">Live requests</th>
                    <th scope="col">Own checks</th><th scope="col" class="number">Hold</th><th scope="col" class="number">Falls lately</th>
                    <th scope="col">May take over</th></tr></thead>
                <tbody>{route.environments.map((m) => (
                    <tr key={m.name}>
                        <th scope="row">{m.name}<br /><TrafficMark state={m.state} /></th>
                        <td class="reason">{m.quorum.text || 'nobody has seen it yet'}</td>
                        <td class="nowrap">{m.live.state === 'none' ? <span class="soft">none</span> : m.live.state}
                            {m.live.waiting > 0 && `, ${count(m.live.waiting)} waiting`}</td>
                        <td class="nowrap">{m.pace_ms ? `every ${span(m.pace_ms)}` : <span class="soft">none</span>}
                            {m.pace_ms && m.pace_stops_when_idle ? <span class="range">none while it sleeps</span> : null}</td>
                        <td class="number">{span(m.hold_ms)}</td>
                        <td class="number">{count(m.flaps)}</td>
                        <td>{m.fit === 'unknown' ? <span class="soft">{fits[m.fit]}</span> : fits[m.fit]}
                            {m.fit_why && <span class="range">{m.fit_why}</span>}</td>
                    </tr>
                ))}</tbody>
            </table>
        </Scroll>
    );
}

/* --- What checking costs --------------------------------------------------------------------------- */

/* A small share has to stay readable beside one that is many times the allowance. */
export function of_allowance(share: number | null): string {
    if (share === null)
        return 'not known';
    const value = share * 100;
    return `${value >= 10 ? count(value) : value >= 1 ? value.toFixed(1) : value.toFixed(2)}\u202f%`;
}

/* "0.5 of 5 GB bandwidth"; platforms count a GB as 10^9 bytes */
function amount_of(r: Checking): string {
    const unit = r.of === 'bandwidth' ? 1e9 : 1;
    const figure = (n: number | null) => (n === null ? 'not known' : count_or_digits(n / unit));
    return `${figure(r.used)} of ${figure(r.amount)} ${unit > 1 ? `GB ${r.of}` : r.of}`;
}
const count_or_digits = (n: number) => (n >= 1000 ? count(n) : `${+n.toPrecision(2)}`);

function Share({ row: r }: { row: Checking }) {
    if (r.unlimited || r.share === null)
        return <span class="soft">{r.unlimited ? 'unlimited' : 'no limit known'}</span>;
    return (
        <>
            <b>{of_allowance(r.share)}</b>
            <span class="cost-bar"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect class={r.share > 1 ? 'cost-over' : 'cost'} width={Math.min(r.share, 1) * 100} height="6" />
            </svg></span>
        </>
    );
}

export function Costs({ rows }: { rows: Checking[] }) {
    if (!rows.length)
        return <Empty>No check of this route costs anything.</Empty>;
    const none = <span class="soft">none</span>;
    return (
        <Scroll label="What checking costs in a month">
            <table class="rows">
                <thead><tr><th scope="col">Environment</th><th scope="col">Asks its</th><th scope="col">Every</th>
                    <th scope="col" class="number">Requests</th><th scope="col" class="number">Bytes</th><th scope="col" class="number">Awake</th>
                    <th scope="col" class="number">Commands</th>
                    <th scope="col">Of the free allowance</th><th scope="col" class="number">With checks every 200 ms</th></tr></thead>
                <tbody>{rows.map((r) => (
                    <tr key={`${r.environment} ${r.asks}`}>
                        <th scope="row">{r.environment} <span class="soft">{r.platform}</span></th>
                        <td>{r.asks}</td>
                        <td class="nowrap">{r.pace_ms ? span(r.pace_ms) : <span class="soft">no pace fits the budget</span>}
                            {r.stops_when_idle && <span class="range">none while it sleeps</span>}</td>
                        <td class="number">{count(r.requests)}</td>
                        <td class="number">{bytes(r.bytes)}</td>
                        <td class="number">{r.awake_hours > 0 ? `${r.awake_hours.toFixed(1)}\u202fh` : none}</td>
                        <td class="number">{r.commands > 0 ? count(r.commands) : none}</td>
                        <td class="allowance">
                            <Share row={r} />
                            {r.share !== null && <span class="range">{amount_of(r)}</span>}
                            {(r.beyond || r.doubt || r.source) && (
                                <details><summary>more</summary>
                                    {r.beyond && <p>Beyond it: {r.beyond}.</p>}
                                    {r.doubt && <p>In doubt: {r.doubt}</p>}
                                    {r.source && <p class="soft">{r.source}</p>}
                                </details>
                            )}
                        </td>
                        <td class={`number${r.tuned_share !== null && r.tuned_share > 1 ? ' state-down' : r.tuned_share === null ? ' soft' : ''}`}>
                            {r.tuned_share === null ? r.unlimited ? 'unlimited' : 'not known' : of_allowance(r.tuned_share)}
                            {r.tuned_share !== null && r.tuned_share > 1 && <span class="range">more than there is</span>}
                        </td>
                    </tr>
                ))}</tbody>
            </table>
        </Scroll>
    );
}

/* --- Vantage points, DNS --------------------------------------------------------------------------- */

export function Vantages({ traffic }: { traffic: Traffic }) {
    return (
        <Scroll label="Vantage points">
            <table class="rows">
                <thead><tr><th scope="col">Vantage point</th><th scope="col">Votes</th><th scope="col">Heard</th>
                    <th scope="col" class="number">Clock off by</th></tr></thead>
                <tbody>{traffic.vantages.map((v) => (
                    <tr key={v.name}>
                        <th scope="row">{v.name}</th>
                        <td><span class={`state state-${v.valid ? 'up' : 'inconclusive'}`}>
                            <Shape of={v.valid ? 'met' : 'inconclusive'} /> {v.valid ? 'votes' : 'does not vote'}</span>
                            {!v.valid && v.why && <span class="range">{v.why}</span>}</td>
                        <td><Time at={v.seen_at} /></td>
                        <td class="number">{v.clock_off_ms === null ? 'not known' : `${count(Math.round(v.clock_off_ms)).replace('-', '\u2212')}\u202fms`}</td>
                    </tr>
                ))}</tbody>
            </table>
        </Scroll>
    );
}

const phase_words: Record<string, string> = {
    idle: 'nothing to change', settling: 'waiting whether the change of traffic lasts', reading: 'reading the record', writing: 'changing the record',
    confirming: 'reading the change back', held: 'held: nothing is changed', failed: 'failed; it is tried again',
};

/* Who still comes by what the name said before. */
function Tail({ dns: d }: { dns: Dns }) {
    if (d.tail_per_second === null)
        return <>not seen from here</>;
    return <>{per_second(d.tail_per_second)} requests/s{d.tail_until && <span class="range">the last at <Time at={d.tail_until} /></span>}</>;
}

export function DnsFacts({ dns: d }: { dns: Dns }) {
    const held = d.phase === 'held' || d.phase === 'failed';
    return (
        <>
            {held && <p class="callout" role="alert"><Shape of="down" /> <b>{d.foreign ? 'Not moved: others changed it.' : d.phase === 'held' ? 'Not moved.' : 'The last attempt failed.'}</b> {d.why}</p>}
            <Facts facts={[
                ['name', d.host],
                ['by', d.engine],
                ['now', phase_words[d.phase] ?? d.phase],
                ['answer', d.answer || 'not read yet'],
                ['leads to', d.environment || 'none of these environments'],
                ['should lead to', d.wanted ? <>{d.wanted}{d.wanted !== d.environment && <span class="state-suspect range"><Shape of="suspect" /> not yet so</span>}</> : 'nothing yet'],
                ['clients keep it for', d.ttl_s === null ? 'not known' : span(d.ttl_s * 1000)],
                ['last changed by trine', d.changed_at ? <Time key="c" at={d.changed_at} /> : 'never'],
                ['clients still on the old answer', <Tail key="t" dns={d} />],
                ['changes left this hour', count(d.changes_left)],
            ]} />
        </>
    );
}
