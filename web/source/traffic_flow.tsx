/* The picture of a route: users, the router, and its environments, each flow as wide as its share of
 * the new requests now. The environments are the page's own text; only the flows are drawn. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Member, Order, TrafficRoute, TrafficState } from './api_traffic';
import { count, named, span } from './format';
import { useNow } from './load';
import { Shape, Time } from './parts';
import { Marker } from './plot';
import { OrderButtons } from './traffic_order';

export const traffic_words: Record<TrafficState, string> = {
    unknown: 'not seen', up: 'up', degraded: 'degraded', asleep: 'asleep', suspect: 'suspect', down: 'down',
    draining: 'draining',
};

export function TrafficMark({ state }: { state: TrafficState }) {
    return <span class={`state state-${state}`}><Shape of={state} /> {traffic_words[state]}</span>;
}

export function percent(share: number): string {
    const value = share * 100;
    return `${value > 0 && value < 1 ? value.toFixed(1) : value.toFixed(0)}\u202f%`;
}
export function per_second(n: number): string {
    return n >= 100 ? count(n) : n.toFixed(1);
}

/* --- The drawing ------------------------------------------------------------------------------------ */

interface Size { width: number; height: number }
function useSize(): [Size, preact.RefObject<HTMLDivElement | null>] {
    const place = useRef<HTMLDivElement>(null);
    const [size, set] = useState<Size>({ width: 0, height: 0 });
    useEffect(() => {
        const node = place.current!;
        const watch = new ResizeObserver(() => set({ width: node.clientWidth, height: node.clientHeight }));
        watch.observe(node);
        return () => watch.disconnect();
    }, []);
    return [size, place];
}

/* From a stretch of the left edge to a stretch of the right one, softly. */
function band(x: [number, number], left: number, right: number, thick: number): string {
    const bend = (x[0] + x[1]) / 2;
    const f = (n: number) => n.toFixed(1);
    return `M${f(x[0])} ${f(left)}C${f(bend)} ${f(left)} ${f(bend)} ${f(right)} ${f(x[1])} ${f(right)}` +
        `V${f(right + thick)}C${f(bend)} ${f(right + thick)} ${f(bend)} ${f(left + thick)} ${f(x[0])} ${f(left + thick)}Z`;
}

const whole = 44; /* px, of all requests together */
const gap = 12;   /* px between environments, as in the style sheet */

function Flow({ x, left, right, thick, state, moves }: {
    x: [number, number]; left: number; right: number; thick: number; state: TrafficState; moves: boolean;
}) {
    const shape = band(x, left, right, thick);
    const line = band(x, left + thick / 2, right + thick / 2, 0).split('V')[0]!;
    return (
        <g class={`flow state-${state}`}>
            {thick > 0
                ? <path class="flow-band" d={shape} style={{ d: `path("${shape}")` }} />
                : <path class="flow-none" d={line} />}
            {thick > 0 && moves && <path class="flow-pulse" d={line} style={{ d: `path("${line}")` }} />}
        </g>
    );
}

function Drawing({ route, size }: { route: TrafficRoute; size: Size }) {
    const { width, height } = size;
    const all = route.environments;
    const narrow = width < 260;
    const box = narrow ? 30 : 84;
    const users = narrow ? 0 : 62;
    const middle = height / 2;
    const row = (height + gap) / Math.max(all.length, 1);
    const start = narrow ? box : users + (width - users) * 0.3;
    const moving = all.some((m) => m.live.per_second > 0);
    let stacked = middle - whole / 2;
    const label = (text: string, x: number, y: number) =>
        <text x={x} y={y} transform={narrow ? `rotate(-90 ${x} ${y})` : undefined}>{text}</text>;
    const end_of_router = narrow ? box : start + box;
    return (
        <svg width={width} height={height} aria-hidden="true">
            {!narrow && <Flow x={[users, start]} left={middle - whole / 2} right={middle - whole / 2} thick={whole}
                state={route.failing_open ? 'down' : 'unknown'} moves={moving} />}
            {all.map((m, i) => {
                const thick = m.share > 0 ? Math.max(m.share * whole, 1.5) : 0;
                const left = stacked;
                stacked += m.share * whole;
                return <Flow key={m.name} x={[end_of_router, width]} left={left} right={row * i + (row - gap) / 2 - thick / 2}
                    thick={thick} state={m.state} moves={m.live.per_second > 0} />;
            })}
            <rect class="flow-box" x={narrow ? 0.5 : start} y={narrow ? middle - 62 : middle - whole / 2 - 9}
                width={box} height={narrow ? 124 : whole + 18} rx="8" />
            {narrow
                ? label('users, router', box / 2, middle)
                : <>{label('users', users / 2 - 4, middle)}{label('router', start + box / 2, middle)}</>}
        </svg>
    );
}

/* --- An environment's part -------------------------------------------------------------------------- */

function order_words(o: Order): string {
    const what = { weight: `weight ${o.weight}`, drain: 'drained', up: 'kept as up', down: 'kept as down', none: '' }[o.kind];
    return `${what} by order${o.who ? ` of ${o.who}` : ''}`;
}

function Ordered({ order, now }: { order: Order; now: number }) {
    const left = order.until ? Date.parse(order.until) - now : null;
    return (
        <p class="ordered">
            <b>{order_words(order)}</b>{order.why && <>: {order.why}</>};{' '}
            {left === null ? 'until it is taken back'
                : left > 0 ? <>ends in {span(Math.ceil(left / 1000) * 1000)}, at <Time at={order.until} /></> : 'ending now'}
        </p>
    );
}

/* When it comes back, while it is out by itself. */
function Return({ member: m, now }: { member: Member; now: number }) {
    if (m.order || m.state !== 'down' && m.state !== 'degraded')
        return null;
    if (!m.back_at)
        return <p class="soft">{m.out ? `Comes back after ${span(m.hold_ms)} without a failure; not well yet.` : 'Keeps its share.'}</p>;
    const left = Date.parse(m.back_at) - now;
    return <p><b>{left > 0 ? `Well again: back in ${span(Math.ceil(left / 1000) * 1000)}.` : 'Well again: coming back.'}</b></p>;
}

/* What still goes on where nothing new goes, and what a sleeper is for. */
function Waiting({ route, member: m }: { route: TrafficRoute; member: Member }) {
    if (m.state === 'draining')
        return <p class="soft">{m.sessions > 0 ? `${count(m.sessions)} still under way there; each ends by itself.` : 'Nothing is under way there any more.'}</p>;
    if (m.state !== 'asleep')
        return null;
    if (route.standby !== m.name)
        return <p class="soft">Its first request wakes it, and waits for that.</p>;
    const doubt = route.environments.some((e) => e.name !== m.name && ['suspect', 'degraded', 'down', 'draining'].includes(e.state));
    return <p>{doubt ? <b>Being woken: it is next in line.</b> : <span class="soft">Woken at the first doubt about another.</span>}</p>;
}

function Tags({ route, member: m }: { route: TrafficRoute; member: Member }) {
    const tags: string[] = [];
    if (m.backup)
        tags.push(m.in_use_as_backup ? 'backup, in use' : 'backup');
    if (route.standby === m.name)
        tags.push('next in line');
    if (m.out)
        tags.push('out');
    return <>{tags.map((t) => <span class="tag" key={t}>{t}</span>)}</>;
}

function MemberCard({ route, member: m, index, now, orders }: {
    route: TrafficRoute; member: Member; index: number; now: number; orders: boolean;
}) {
    const errors = m.live.errors_per_second;
    return (
        <li class={`member edge-${m.state}`} aria-label={m.name}>
            <header>
                <h3>
                    <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><Marker index={index} x={0} y={0} /></svg>
                    <span>{m.name}</span>
                </h3>
                <span><TrafficMark state={m.state} /><Tags route={route} member={m} /></span>
            </header>
            <p class="rates">
                <b class="share">{percent(m.share)}</b>
                <span><b>{per_second(m.live.per_second)}</b> requests/s</span>
                <span class={errors > 0 ? 'state-down' : ''}><b>{per_second(errors)}</b> errors/s</span>
                <span title="requests and connections that are being served there now"><b>{count(m.sessions)}</b> under way</span>
            </p>
            <p class="because">
                {m.since && <><span class="soft">since <Time at={m.since} />:</span> </>}{m.reason || 'nobody has seen it yet'}
            </p>
            {m.order && <Ordered order={m.order} now={now} />}
            <Return member={m} now={now} />
            <Waiting route={route} member={m} />
            {orders && <OrderButtons route={route} member={m} />}
        </li>
    );
}

function says(route: TrafficRoute): string {
    const parts = route.environments.map((m) => `${m.name} is ${traffic_words[m.state]} and gets ${percent(m.share)}`);
    return `Of the new requests of ${route.name}: ${parts.join('; ')}.`;
}

export function RouteFlow({ route, orders }: { route: TrafficRoute; orders: boolean }) {
    const [size, place] = useSize();
    const now = useNow();
    return (
        <div class="flow-picture">
            <div class="flow-lines" ref={place} role="img" aria-label={says(route)}>
                {/* Drawn anew at another size: flows glide to another share, they do not lag behind their boxes. */}
                {size.width > 0 && <Drawing key={`${size.width} ${size.height}`} route={route} size={size} />}
            </div>
            <ol class={`members${orders ? '' : ' quiet'}${route.environments.length > 4 ? ' many' : ''}`}>
                {route.environments.map((m, i) => <MemberCard key={m.name} route={route} member={m} index={i} now={now} orders={orders} />)}
            </ol>
        </div>
    );
}

/* "api: backend at 127.0.0.1:8080" */
export function route_place(route: TrafficRoute): string {
    const where = [route.listen && `the router listens on ${route.listen}`, route.host && `public name ${route.host}`]
        .filter(Boolean).join('; ');
    return `${named(route.app, null)}; ${where || 'trine is not in the path'}`;
}
