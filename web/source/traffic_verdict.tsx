/* A route in two lines, for who looks at three in the morning: who carries its traffic, why, and what to do. */

import type { Member, Traffic, TrafficRoute } from './api_traffic';
import { span } from './format';
import { useLive } from './live';
import { Shape, Time } from './parts';
import { percent } from './traffic_flow';

interface Verdict {
    state: 'up' | 'suspect' | 'down' | 'draining' | 'unknown';
    head: preact.ComponentChildren; /* why it is as it is */
    then: preact.ComponentChildren; /* what happens next, what to do */
}

const list = (names: string[]) => (names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`);
const named = (members: Member[]) => list(members.map((m) => m.name));
const verb = (members: Member[], one: string, more: string) => (members.length === 1 ? one : more);

/* "uat carries 90 % and beta 10 % of the new requests" */
export function carriers(r: TrafficRoute): string {
    if (!r.listen)
        return !r.dns ? 'trine only watches this route'
            : r.dns.environment ? `The name leads to ${r.dns.environment}` : 'The name leads to none of these environments';
    const some = r.environments.filter((m) => m.share > 0).sort((a, b) => b.share - a.share);
    if (!some.length)
        return 'Nobody carries new requests';
    if (some.length === 1)
        return `${some[0]!.name} carries all new requests`;
    return `${list(some.map((m, i) => `${m.name}${i ? '' : ' carries'} ${percent(m.share)}`))} of the new requests`;
}

function open(r: TrafficRoute, t: Traffic): Verdict {
    const blind = t.vantages.length > 0 && !t.vantages.some((v) => v.valid);
    return {
        state: 'down', head: `Failing open: ${r.open_why || 'nobody is known to answer, so traffic goes by the configured weights'}.`,
        then: blind ? 'No vantage point can see anything: first look at their own connection, below; the environments may be well.'
            : `Look at ${named(r.environments)} and the status pages of their platforms; each gets its share back when it answers.`,
    };
}

function out(fallen: Member[]): Verdict {
    const m = fallen[0]!;
    const well = fallen.every((f) => f.back_at);
    return {
        state: 'down',
        head: <>{fallen.length === 1 ? <>{m.name} is out since <Time at={m.since} />: {m.reason}.</> : <>{named(fallen)} are out.</>}</>,
        then: well ? `${verb(fallen, 'It is', 'They are')} well again and ${verb(fallen, 'comes', 'come')} back by ${verb(fallen, 'itself', 'themselves')}: nothing to do.`
            : `Look at ${named(fallen)}. Once well for ${span(m.hold_ms)}, ${verb(fallen, 'it comes', 'they come')} back by ${verb(fallen, 'itself', 'themselves')}.`,
    };
}

function doubt(r: TrafficRoute, doubted: Member[]): Verdict {
    const next = r.environments.find((m) => m.name === r.standby);
    const taking = !next ? 'Nobody is known who could take over.'
        : next.state === 'asleep' ? `${next.name} is next in line and is being woken.` : `${next.name} is next in line.`;
    return {
        state: 'suspect', head: <>{named(doubted)} {verb(doubted, 'is', 'are')} in doubt since <Time at={doubted[0]!.since} /> and {verb(doubted, 'keeps its', 'keep their')} share: too few call it down.</>,
        then: `Nothing to do yet; it is decided by itself. ${taking}`,
    };
}

function ordered(some: Member[]): Verdict {
    return {
        state: 'draining', head: `By order for ${named(some)}; what is measured does not decide about ${verb(some, 'it', 'them')}.`,
        then: some.some((m) => !m.order?.until) ? 'It stays so until somebody takes the order back.' : 'The order ends by itself.',
    };
}

/* A name that cannot be moved makes nothing better than that. */
function verdict(r: TrafficRoute, t: Traffic): Verdict {
    const v = standing(r, t);
    const held = r.dns?.phase === 'held' || r.dns?.phase === 'failed';
    return !held ? v : { state: 'down', head: v.state === 'up' ? '' : v.head,
        then: <>{v.state === 'up' ? '' : v.then} {r.dns?.host} is not moved in the DNS: why, and what to do, is said below.</> };
}

function standing(r: TrafficRoute, t: Traffic): Verdict {
    const all = r.environments;
    if (r.listen && ['lost', 'refused', 'off'].includes(t.proxy.state))
        return { state: 'down', head: 'The router is not in trine\u2019s hands: the picture shows what should be, not what is.',
            then: 'What is said above about the router is to be mended first; trine tries again by itself.' };
    if (r.failing_open)
        return open(r, t);
    const fallen = all.filter((m) => !m.order && (m.state === 'down' || m.state === 'degraded' || m.out && m.state !== 'asleep'));
    if (fallen.length)
        return out(fallen);
    const commanded = all.filter((m) => m.order);
    if (commanded.length)
        return ordered(commanded);
    const doubted = all.filter((m) => m.state === 'suspect');
    if (doubted.length)
        return doubt(r, doubted);
    const unseen = all.filter((m) => m.state === 'unknown');
    if (unseen.length)
        return { state: 'unknown', head: `${named(unseen)} ${verb(unseen, 'was', 'were')} not seen yet, or nobody can see ${verb(unseen, 'it', 'them')} now.`,
            then: 'Traffic stays as it is until somebody can.' };
    const sleepers = all.filter((m) => m.state === 'asleep');
    return { state: 'up', head: 'All is as it should be.', then: sleepers.length
        ? `${named(sleepers)} ${verb(sleepers, 'sleeps and is', 'sleep and are')} woken at the first doubt about another.` : 'Nothing to do.' };
}

/* Always as high as its longest usual text, so that what is below stays where it is. */
export function RouteVerdict({ route, traffic }: { route: TrafficRoute; traffic: Traffic }) {
    const { state: judged, head, then } = verdict(route, traffic);
    const lost = useLive((l) => l.connection) === 'lost';
    const state = lost ? 'unknown' : judged; /* nobody shall go to bed on an old word */
    return (
        <div class={`verdict-now edge-${state}`} role="status" aria-label={`Route ${route.name} now`}>
            <p class="who">{lost && <b>When last heard of: </b>}<span class={`state-${state}`}><Shape of={state} /></span> <b>{carriers(route)}.</b></p>
            <p>{head} <span class="then">{then}</span></p>
        </div>
    );
}
