import { useState } from 'preact/hooks';
import { refine, type Route } from './route';

/* Which stretch of time: the usual ones, or any. It is part of the address. */
export function WindowPicker({ route, windows, standard }: { route: Route; windows: string[]; standard: string }) {
    const from = route.query.get('from') ?? standard;
    const own = !windows.includes(from);
    const [open, set] = useState(own);
    return (
        <div class="window" role="group" aria-label="Window of time">
            {windows.map((w) => (
                <button key={w} type="button" aria-pressed={!open && w === from}
                    onClick={() => { set(false); refine(route, { from: w, until: '' }); }}>
                    {w}
                </button>
            ))}
            <button type="button" aria-pressed={open} aria-expanded={open} onClick={() => set(!open)}>custom</button>
            {open && <Custom route={route} />}
        </div>
    );
}

/* "2026-11-22T14:05" as the reader's own clock shows it, for datetime-local */
function local(text: string | null): string {
    const at = text ? Date.parse(text) : NaN;
    if (Number.isNaN(at))
        return '';
    return new Date(at - new Date(at).getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function Custom({ route }: { route: Route }) {
    const [from, set_from] = useState(local(route.query.get('from')));
    const [until, set_until] = useState(local(route.query.get('until')));
    const rfc = (text: string) => (text ? new Date(text).toISOString().replace(/\.\d+Z$/, 'Z') : '');
    const wrong = from !== '' && until !== '' && from >= until;
    return (
        <form class="custom" onSubmit={(e) => {
            e.preventDefault();
            if (from && !wrong)
                refine(route, { from: rfc(from), until: rfc(until) });
        }}>
            <label>from <input type="datetime-local" required value={from} onInput={(e) => set_from(e.currentTarget.value)} /></label>
            <label>until <input type="datetime-local" value={until} onInput={(e) => set_until(e.currentTarget.value)} /></label>
            <button type="submit" class="main">Show</button>
            {wrong && <span role="alert">“from” must lie before “until”.</span>}
        </form>
    );
}

/* The query of the API for the window in the address. */
export function window_query(route: Route, standard: string): string {
    const query = new URLSearchParams({ from: route.query.get('from') ?? standard });
    const until = route.query.get('until');
    if (until)
        query.set('until', until);
    return query.toString();
}
