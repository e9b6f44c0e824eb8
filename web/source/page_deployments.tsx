import type { Deployment, Release } from './api';
import { named, span } from './format';
import { useLive } from './live';
import { useLoad } from './load';
import { Commit, Empty, Panel, Pending, Plotted, Scroll, Shape, Time } from './parts';
import { standing } from './page_overview';
import { Marker } from './plot';
import { href } from './route';

export function DeploymentsPage() {
    const overview = useLive((l) => l.overview);
    const { data, problem } = useLoad<{ releases: Release[] }>('releases', 15000);
    const environments = overview?.environments.map((e) => e.name) ?? [];
    return (
        <>
            <h1>Deployments and releases</h1>
            <div class="stack">
                <Panel title="From commit to live">
                    {!data ? <Pending problem={problem} what="the releases" />
                        : <CommitToLive releases={data.releases} environments={environments} />}
                </Panel>
                <Panel title="Releases">
                    {!data ? <Pending problem={problem} what="the releases" /> : <ReleaseTable releases={data.releases} />}
                </Panel>
                <Panel title="What stands where">
                    {overview ? <DeploymentTable deployments={overview.deployments} /> : <Pending problem={problem} what="the deployments" />}
                </Panel>
            </div>
        </>
    );
}

/* --- Commit to live ------------------------------------------------------------------------------- */

function median(values: number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    const half = Math.floor(sorted.length / 2);
    return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/* One mark a release on a common scale, the median as a bar. */
function CommitToLive({ releases, environments }: { releases: Release[]; environments: string[] }) {
    const rows = environments.map((name, index) => ({
        name, index, times: releases.filter((r) => r.environment === name && r.live_ms !== null).map((r) => r.live_ms!),
    })).filter((r) => r.times.length);
    if (!rows.length)
        return <Empty>No release with a known commit time is live yet.</Empty>;
    const high = Math.max(...rows.flatMap((r) => r.times)) * 1.05;
    const x = (t: number) => `${(1 + (t / high) * 98).toFixed(2)}%`;
    const words = (t: number[]) => `median ${span(median(t))}, ${span(Math.min(...t))} to ${span(Math.max(...t))}, n ${t.length}`;
    return (
        <Plotted label="Time from commit to live" says="Each mark is one release: the time from its commit to the moment when the running apps answered with it."
            table={() => (
                <table class="rows">
                    <thead><tr><th scope="col">Environment</th><th scope="col" class="number">median</th>
                        <th scope="col" class="number">least</th><th scope="col" class="number">most</th><th scope="col" class="number">n</th></tr></thead>
                    <tbody>{rows.map((r) => (
                        <tr key={r.name}><th scope="row">{r.name}</th><td class="number">{span(median(r.times))}</td>
                            <td class="number">{span(Math.min(...r.times))}</td><td class="number">{span(Math.max(...r.times))}</td>
                            <td class="number">{r.times.length}</td></tr>
                    ))}</tbody>
                </table>
            )}>
            <dl class="dots">
                {rows.map((r) => (
                    <div key={r.name}>
                        <dt>{r.name}</dt>
                        <dd>
                            <svg class="dot-axis" aria-hidden="true">
                                <line class="axis" x1="0" y1="12" x2="100%" y2="12" />
                                <line class={`env-stroke-${r.index % 6}`} stroke-width="3" x1={x(median(r.times))} x2={x(median(r.times))} y1="1" y2="23" />
                                {r.times.map((t, i) => <svg key={i} x={x(t)} y="12" overflow="visible"><Marker index={r.index} x={0} y={0} /></svg>)}
                            </svg>
                            <span class="soft">{words(r.times)}</span>
                        </dd>
                    </div>
                ))}
            </dl>
        </Plotted>
    );
}

/* --- Tables ---------------------------------------------------------------------------------------- */

function ReleaseTable({ releases }: { releases: Release[] }) {
    if (!releases.length)
        return <Empty>No release yet: <code>trine deploy</code> makes the first.</Empty>;
    return (
        <Scroll label="Releases" tall>
            <table class="rows">
                <thead>
                    <tr><th scope="col">Release</th><th scope="col">State</th><th scope="col">Commit</th><th scope="col">Message</th>
                        <th scope="col">Begun</th><th scope="col">Ended</th><th scope="col" class="number">Commit to live</th></tr>
                </thead>
                <tbody>
                    {releases.map((r) => (
                        <tr key={`${r.environment} ${r.number}`}>
                            <th scope="row">{r.environment} {r.number}</th>
                            <td>{r.state}</td>
                            <td><Commit of={r.commit} /></td>
                            <td class="reason">{r.message}</td>
                            <td class="nowrap"><Time at={r.created_at} /></td>
                            <td class="nowrap">{r.finished_at ? <Time at={r.finished_at} /> : <span class="soft">not yet</span>}</td>
                            <td class="number">{r.live_ms === null ? <span class="soft">not known</span> : span(r.live_ms)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </Scroll>
    );
}

function DeploymentTable({ deployments }: { deployments: Deployment[] }) {
    if (!deployments.length)
        return <Empty>Nothing was deployed yet.</Empty>;
    return (
        <Scroll label="Deployments">
            <table class="rows">
                <thead>
                    <tr><th scope="col">Deployment</th><th scope="col">Platform</th><th scope="col">State</th><th scope="col">Commit</th>
                        <th scope="col" class="number">Release</th><th scope="col">Live since</th>
                        <th scope="col" class="number">Commit to live</th><th scope="col">Address or error</th></tr>
                </thead>
                <tbody>
                    {deployments.map((d) => {
                        const s = standing(d);
                        return (
                            <tr key={`${d.environment} ${d.app} ${d.instance}`}>
                                <th scope="row"><a href={href('checks', '', { environment: d.environment, app: d.app, instance: d.instance })}>
                                    {d.environment} {named(d.app, d.instance)}</a></th>
                                <td class="nowrap">{d.platform}</td>
                                <td><span class={`state state-${s.state}`}><Shape of={s.shape} /> {s.word}</span></td>
                                <td><Commit of={d.commit} /></td>
                                <td class="number">{d.release ?? ''}</td>
                                <td class="nowrap">{d.live_at ? <Time at={d.live_at} /> : <span class="soft">not live</span>}</td>
                                <td class="number">{d.live_ms === null ? '' : span(d.live_ms)}</td>
                                <td class="reason">{d.error ?? <Address url={d.url} />}</td>
                            </tr>
                        );
                    })}
                </tbody>
            </table>
        </Scroll>
    );
}

/* Only what is an http address becomes a link: it came from a platform's answer. */
function Address({ url }: { url: string | null }) {
    if (!url)
        return null;
    return /^https?:\/\//.test(url) ? <a href={url} rel="noreferrer noopener">{url.replace(/^https?:\/\//, '')}</a> : <>{url}</>;
}
