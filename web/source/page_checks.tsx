import type { Check } from './api';
import { ms, named, span } from './format';
import { useLive } from './live';
import { Empty, OutcomeMark, Pending, Scroll, Shape, StateMark, Time } from './parts';
import { href, refine, type Route } from './route';

const worst = ['down', 'suspect', 'inconclusive', 'unknown', 'up'];

export function ChecksPage({ route }: { route: Route }) {
    const checks = useLive((l) => l.checks);
    const known = useLive((l) => l.overview !== null && l.checks.size >= 0 && l.connection !== 'connecting');
    const problem = useLive((l) => l.problem);
    const all = [...checks.values()];
    const wanted = (name: 'environment' | 'app' | 'instance' | 'state', c: Check) => {
        const value = route.query.get(name);
        return !value || c[name] === value;
    };
    const shown = all
        .filter((c) => wanted('environment', c) && wanted('app', c) && wanted('instance', c) && wanted('state', c))
        .sort((a, b) => worst.indexOf(a.state) - worst.indexOf(b.state));
    return (
        <>
            <h1>Checks</h1>
            {!all.length && (known ? <Empty>The manifest has no checks that fit what is deployed.</Empty>
                : <Pending problem={problem} what="the checks" />)}
            {all.length > 0 && (
                <>
                    <div class="filters" role="group" aria-label="Show only">
                        <Choice route={route} name="environment" values={all.map((c) => c.environment)} />
                        <Choice route={route} name="app" values={all.map((c) => c.app)} />
                        <Choice route={route} name="state" values={all.map((c) => c.state)} />
                        {route.query.get('instance') && (
                            <button type="button" onClick={() => refine(route, { instance: '' })}>
                                all instances, not only {route.query.get('instance')}
                            </button>
                        )}
                    </div>
                    <p class="soft" role="status">{shown.length} of {all.length} checks, those in trouble first.</p>
                    <Scroll label="Checks">
                        <table class="rows">
                            <thead>
                                <tr>
                                    <th scope="col">Check</th><th scope="col">State</th><th scope="col">Newest sample</th>
                                    <th scope="col" class="number">Took</th><th scope="col" class="number">Every</th>
                                    <th scope="col">What it says</th>
                                </tr>
                            </thead>
                            <tbody>{shown.map((c) => <Row key={String(c.id)} check={c} />)}</tbody>
                        </table>
                    </Scroll>
                </>
            )}
        </>
    );
}

function Choice({ route, name, values }: { route: Route; name: string; values: string[] }) {
    return (
        <label class="select">
            {name}
            <select value={route.query.get(name) ?? ''} onChange={(e) => refine(route, { [name]: e.currentTarget.value })}>
                <option value="">all</option>
                {[...new Set(values)].map((v) => <option key={v} value={v}>{v}</option>)}
            </select>
        </label>
    );
}

function Row({ check: c }: { check: Check }) {
    return (
        <tr>
            <th scope="row">
                <a href={href('checks', c.id)}>{c.environment} {named(c.app, c.instance)}: {c.check}</a>
            </th>
            <td>
                <StateMark state={c.state} />
                {c.asleep && <span class="tag"><Shape of="asleep" /> asleep</span>}
            </td>
            <td class="nowrap">
                {c.last ? <><Time at={c.last[1]} /> <OutcomeMark outcome={c.last[2]} /></> : <span class="soft">none yet</span>}
            </td>
            <td class="number">{c.last && c.last[11] !== null ? ms(c.last[11]) : ''}</td>
            <td class="number">{span(c.every_ms)}</td>
            <td class="reason">{c.state === 'up' ? c.detail : c.reason}</td>
        </tr>
    );
}
