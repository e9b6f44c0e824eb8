/* Orders: what a person says about an environment stands above what is measured, until it ends. */

import { useRef, useState } from 'preact/hooks';
import { ApiError, post } from './api';
import type { Member, OrderKind, TrafficRoute } from './api_traffic';
import { useToken } from './app';
import { clock_time } from './format';
import { percent } from './traffic_flow';

const spans: { ms: number; words: string }[] = [
    { ms: 600e3, words: '10 minutes' }, { ms: 3600e3, words: '1 hour' }, { ms: 86400e3, words: '1 day' },
    { ms: 0, words: 'until it is taken back' },
];

/* What the shares would be with that order: those that take part now, and m by its own number. */
function shares(route: TrafficRoute, m: Member, parts: number): Map<string, number> {
    const others = route.environments.filter((e) => e.name !== m.name && !e.out);
    const weighed = others.filter((e) => !e.backup || e.in_use_as_backup);
    const took = weighed.length || parts > 0 ? weighed : others.slice(0, 1);
    const weight = (e: Member) => (e.backup ? 1 : e.weight);
    const sum = took.reduce((n, e) => n + weight(e), 0) + parts;
    return new Map([...took.map((e) => [e.name, weight(e) / sum] as const), [m.name, sum > 0 ? parts / sum : 0]]);
}

function consequence(route: TrafficRoute, m: Member, kind: OrderKind, weight: number, for_ms: number): string {
    const end = for_ms
        ? ` The order ends at ${clock_time(Date.now() + for_ms, false)}; then what is measured decides again.`
        : ' The order stays until somebody takes it back.';
    const after = shares(route, m, kind === 'weight' ? weight : kind === 'up' ? m.weight : 0);
    const to = [...after].filter(([name, share]) => name !== m.name && share > 0)
        .map(([name, share]) => `${name} (${percent(share)})`).join(' and ');
    const away = to ? `No new request goes to ${m.name}; they go to ${to}.`
        : `Nobody else takes requests now: trine will refuse this.`;
    switch (kind) {
    case 'drain': return `${away} What still runs there ends by itself.${end}`;
    case 'down': return `${away} ${m.name} counts as down, whatever its checks say.${end}`;
    case 'up': return `${m.name} counts as up and takes its share, even if its checks fail.${end}`;
    default: return weight > 0
        ? `${m.name} gets about ${percent(after.get(m.name) ?? 0)} of the new requests while it is well.${end}`
        : `${away}${end}`;
    }
}

async function order(route: TrafficRoute, m: Member, kind: OrderKind, more: object): Promise<string | null> {
    try {
        await post('traffic/orders', { route: route.name, environment: m.name, kind, weight: 0, for_ms: 0, why: '', ...more });
        return null;
    } catch (e) {
        return e instanceof ApiError ? e.message : String(e);
    }
}

export function OrderButtons({ route, member: m }: { route: TrafficRoute; member: Member }) {
    const dialog = useRef<HTMLDialogElement>(null);
    const give = useRef<HTMLButtonElement>(null);
    const [problem, set] = useState<string | null>(null);
    const take_back = async () => {
        const refused = await order(route, m, 'none', {});
        set(refused);
        if (!refused)
            give.current?.focus(); /* the other button goes away, and the keyboard's place with it */
    };
    if (!useToken())
        return null;
    return (
        <>
            <p class="buttons">
                <button ref={give} type="button" aria-haspopup="dialog" aria-label={`Drain or weigh ${m.name}`} onClick={() => dialog.current?.showModal()}>
                    Drain or weigh
                </button>
                {m.order && (
                    <button type="button" title={`${m.name} is then judged by its checks and its traffic again`}
                        onClick={() => void take_back()}>
                        Take the order back
                    </button>
                )}
                {problem && <span role="alert">{problem}</span>}
            </p>
            <OrderDialog route={route} member={m} dialog={dialog} />
        </>
    );
}

function OrderDialog({ route, member: m, dialog }: {
    route: TrafficRoute; member: Member; dialog: preact.RefObject<HTMLDialogElement | null>;
}) {
    const [kind, set_kind] = useState<OrderKind>('drain');
    const [weight, set_weight] = useState(m.weight);
    const [for_ms, set_for] = useState(3600e3);
    const [why, set_why] = useState('');
    const [problem, set_problem] = useState<string | null>(null);
    const kinds: { kind: OrderKind; words: string }[] = [
        { kind: 'drain', words: 'drain it' }, { kind: 'weight', words: 'give it a weight' },
        { kind: 'up', words: 'count it as up' }, { kind: 'down', words: 'count it as down' },
    ];
    const id = `order-${route.name}-${m.name}`;
    const give = async () => {
        const refused = await order(route, m, kind, { weight: kind === 'weight' ? weight : 0, for_ms, why });
        set_problem(refused);
        if (!refused)
            dialog.current?.close();
    };
    return (
        <dialog ref={dialog} class="order" aria-labelledby={id}>
            <form onSubmit={(e) => { e.preventDefault(); void give(); }}>
                <h2 id={id}>Order for {m.name} on route {route.name}</h2>
                <p>An order stands above what is measured until it ends.</p>
                <div class="order-row">
                    <label>What <select value={kind} onChange={(e) => set_kind(e.currentTarget.value as OrderKind)}>
                        {kinds.map((k) => <option key={k.kind} value={k.kind}>{k.words}</option>)}
                    </select></label>
                    {kind === 'weight' && <label>Weight, 0 to 100 <input type="number" min="0" max="100" value={weight} required
                        onInput={(e) => set_weight(Number(e.currentTarget.value))} /></label>}
                    <label>For <select value={for_ms} onChange={(e) => set_for(Number(e.currentTarget.value))}>
                        {spans.map((s) => <option key={s.ms} value={s.ms}>{s.words}</option>)}
                    </select></label>
                </div>
                <label>Why, for the others <input type="text" maxLength={150} value={why}
                    onInput={(e) => set_why(e.currentTarget.value)} /></label>
                <p class="consequence" role="status">{consequence(route, m, kind, weight, for_ms)}</p>
                {problem && <p class="problem" role="alert">{problem}</p>}
                <p class="buttons">
                    <button type="submit" class="main">Give the order</button>
                    <button type="button" onClick={() => dialog.current?.close()}>Cancel</button>
                </p>
            </form>
        </dialog>
    );
}
