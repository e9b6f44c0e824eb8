/* The frame of every page: navigation, the connection's state, theme and token, messages. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { setToken, token } from './api';
import { clock_time } from './format';
import { reconnect, useLive } from './live';
import { CheckPage } from './page_check';
import { ChecksPage } from './page_checks';
import { ComparePage } from './page_compare';
import { DeploymentsPage } from './page_deployments';
import { DrillsPage } from './page_drills';
import { IncidentPage, IncidentsPage } from './page_incidents';
import { OverviewPage } from './page_overview';
import { ProberPage } from './page_prober';
import { TrafficPage } from './page_traffic';
import { Shape } from './parts';
import { href, useRoute, type Route } from './route';
import { choice, choose, type Choice } from './theme';

type View = (p: { route: Route }) => preact.JSX.Element;
/* one: of a single thing, when the address names it */
const pages: { page: string; title: string; view: View; one?: View }[] = [
    { page: '', title: 'Overview', view: OverviewPage },
    { page: 'traffic', title: 'Traffic', view: TrafficPage },
    { page: 'incidents', title: 'Incidents', view: IncidentsPage, one: IncidentPage },
    { page: 'drills', title: 'Drills', view: DrillsPage },
    { page: 'compare', title: 'Compare', view: ComparePage },
    { page: 'checks', title: 'Checks', view: ChecksPage, one: CheckPage },
    { page: 'deployments', title: 'Deployments', view: DeploymentsPage },
    { page: 'prober', title: 'Prober', view: ProberPage },
];

export function App() {
    const route = useRoute();
    const project = useLive((l) => l.overview?.project ?? null);
    const connection = useLive((l) => l.connection);
    const main = useRef<HTMLElement>(null);
    const place = `${route.page}/${route.part}`;
    const first = useRef(true);
    const found = pages.find((p) => p.page === route.page);
    const title = found?.title ?? 'No such page';

    useEffect(() => {
        if (first.current) {
            first.current = false;
            return;
        }
        scrollTo(0, 0);
        main.current?.focus({ preventScroll: true }); /* a screen reader goes on with the new page */
    }, [place]);
    useEffect(() => {
        if (route.page !== 'checks' || !route.part) /* one check names itself */
            document.title = `${title} · ${project ?? 'trine'}`;
    }, [title, project, route.part]);

    const View = (route.part && found?.one) || (found?.view ?? Nowhere);
    return (
        <>
            <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>
                Skip to the content
            </a>
            <Header page={route.page} project={project} />
            <Connection />
            <main id="main" ref={main} tabIndex={-1} class={connection === 'lost' ? 'stale' : undefined}>
                <View key={place} route={route} />
            </main>
            <Footer />
        </>
    );
}

function Nowhere() {
    return (
        <>
            <h1>No such page</h1>
            <p>This address leads nowhere. <a href={href('')}>Go to the overview</a>.</p>
        </>
    );
}

function Header({ page, project }: { page: string; project: string | null }) {
    return (
        <header class="top">
            <a class="brand" href={href('')}>
                <img src="/favicon.svg" width="26" height="26" alt="" />
                <span>trine</span>
                {project && <span class="soft">{project}</span>}
            </a>
            <nav aria-label="Pages">
                {pages.map((p) => (
                    <a key={p.page} href={href(p.page)} aria-current={p.page === page ? 'page' : undefined}>
                        {p.title}
                    </a>
                ))}
            </nav>
            <div class="tools">
                <Pulse />
                <ThemeSwitch />
                <TokenEntry />
            </div>
        </header>
    );
}

/* --- The connection -------------------------------------------------------------------------------- */

function Pulse() {
    const connection = useLive((l) => l.connection);
    const words = { connecting: 'connecting', live: 'live', lost: 'not connected', refused: 'refused' };
    const shape = { connecting: 'going', live: 'up', lost: 'down', refused: 'down' }[connection];
    return <span class={`pulse pulse-${connection}`}><Shape of={shape} /> {words[connection]}</span>;
}

function Connection() {
    const connection = useLive((l) => l.connection);
    const problem = useLive((l) => l.problem);
    const retry_at = useLive((l) => l.retry_at);
    const heard_at = useLive((l) => l.heard_at);
    const [now, tick] = useState(Date.now());
    useEffect(() => {
        if (retry_at === null)
            return;
        tick(Date.now());
        const timer = setInterval(() => tick(Date.now()), 500);
        return () => clearInterval(timer);
    }, [retry_at]);
    const left = retry_at === null ? 0 : Math.max(0, Math.ceil((retry_at - now) / 1000));
    return (
        <section class="connection" aria-label="Connection">
            {/* Told once to a screen reader, not at each second. */}
            <div role="status" class="unseen">
                {connection === 'lost' ? 'The connection was lost; what is shown is not live.' : ''}
            </div>
            {connection === 'lost' && (
                <p class="banner">
                    <Shape of="down" />
                    <span>
                        The connection was lost ({problem}). What is shown is not live, but as of {heard_at ? clock_time(heard_at) : 'before'};
                        trying again {left ? `in ${left} s` : 'now'}.
                    </span>
                    <button type="button" onClick={reconnect}>Try now</button>
                </p>
            )}
            {connection === 'refused' && (
                <p class="banner" role="alert">
                    <Shape of="down" />
                    <span>{problem} Enter a token above: <code>trine token create NAME --scope read</code> makes one.</span>
                </p>
            )}
        </section>
    );
}

/* --- Theme and token ------------------------------------------------------------------------------- */

function ThemeSwitch() {
    const [now, set] = useState<Choice>(choice);
    return (
        <label class="select">
            <span class="unseen">Colours</span>
            <select value={now} onChange={(e) => {
                const c = e.currentTarget.value as Choice;
                choose(c);
                set(c);
            }}>
                <option value="system">System</option>
                <option value="light">Light</option>
                <option value="dark">Dark</option>
            </select>
        </label>
    );
}

function TokenEntry() {
    const dialog = useRef<HTMLDialogElement>(null);
    const input = useRef<HTMLInputElement>(null);
    const [has, set] = useState(token() !== null);
    const keep = (value: string | null) => {
        setToken(value);
        set(value !== null);
        dispatchEvent(new Event('trine-token'));
        if (input.current)
            input.current.value = '';
        reconnect();
    };
    return (
        <>
            <button type="button" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
                {has ? 'Token set' : 'Token'}
            </button>
            <dialog ref={dialog} aria-labelledby="token-title">
                <form method="dialog" onSubmit={() => input.current?.value && keep(input.current.value.trim())}>
                    <h2 id="token-title">Token</h2>
                    <p>
                        With scope <i>operate</i> these pages can probe at once, mark what was seen, and give orders to traffic.
                        It is kept in this tab only and forgotten when the tab is closed.
                    </p>
                    <label>
                        Token
                        <input ref={input} type="password" autoComplete="off" spellcheck={false} />
                    </label>
                    <p class="buttons">
                        <button type="submit" class="main">Use it</button>
                        {has && <button type="button" onClick={() => { keep(null); dialog.current?.close(); }}>Forget it</button>}
                        <button type="button" onClick={() => dialog.current?.close()}>Cancel</button>
                    </p>
                </form>
            </dialog>
        </>
    );
}

/* True while a token is set; whether its scope suffices, the server says. */
export function useToken(): boolean {
    const [has, set] = useState(token() !== null);
    useEffect(() => {
        const listener = () => set(token() !== null);
        addEventListener('trine-token', listener);
        return () => removeEventListener('trine-token', listener);
    }, []);
    return has;
}

function Footer() {
    const overview = useLive((l) => l.overview);
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return (
        <footer class="bottom">
            {overview && <>trine {overview.version}, measuring from {overview.vantage}. </>}
            Times are in {zone}; point at one for UTC. Ranges hold the true figure with the stated
            confidence; n counts the samples behind it.
        </footer>
    );
}
