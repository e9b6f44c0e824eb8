import { useState } from 'preact/hooks';
import { ApiError, post } from './api';
import type { Incident } from './api_traffic';
import { useToken } from './app';
import { count, span } from './format';
import { useLive } from './live';
import { useLoad, useNow } from './load';
import { OutageList } from './outages';
import { Empty, Evidence, Facts, Panel, Pending, Shape, Time } from './parts';
import { href, type Route } from './route';
import { window_query, WindowPicker } from './windows';

export function IncidentsPage({ route }: { route: Route }) {
    const news = useLive((l) => l.incidents);
    const { data, problem } = useLoad<{ incidents: Incident[] }>(`incidents?${window_query(route, '7d')}`, 15000, news);
    const open = data?.incidents.filter((i) => !i.until) ?? [];
    const over = data?.incidents.filter((i) => i.until) ?? [];
    return (
        <>
            <h1>Incidents</h1>
            <WindowPicker route={route} windows={['24h', '7d', '30d', '90d']} standard="7d" />
            {!data && <Pending problem={problem} what="the incidents" />}
            {data && (
                <>
                    <p class="lead">
                        <span class={`state state-${open.length ? 'down' : 'up'}`}>
                            <Shape of={open.length ? 'down' : 'up'} /> {open.length ? `${open.length} open` : 'none is open'}
                        </span>; {over.length} over in this window. One incident is one cause.
                    </p>
                    <div class="stack">
                        {open.length > 0 && <Panel title="Open"><List incidents={open} /></Panel>}
                        <Panel title="Over">
                            {over.length ? <List incidents={over} /> : <Empty>None in this window.</Empty>}
                        </Panel>
                    </div>
                </>
            )}
        </>
    );
}

const kind_words: Record<string, string> = {
    outage: 'checks fail', failover: 'failover', drill: 'drill over its bound', blind: 'prober blind', status: 'platform notice',
};

function about(i: Incident): string {
    return [i.environment, i.platform, i.app].filter(Boolean).join(', ');
}

function List({ incidents }: { incidents: Incident[] }) {
    const now = useNow();
    return (
        <ul class="outages incidents">
            {incidents.map((i) => (
                <li key={String(i.id)}>
                    <Shape of={i.until ? 'met' : 'down'} />
                    <div>
                        <b><a href={href('incidents', i.id)}>{i.title}</a></b>
                        <p>
                            <span class="tag first">{kind_words[i.kind] ?? i.kind}</span>
                            {about(i) && <> {about(i)};</>} {count(i.checks)} {i.checks === 1 ? 'check' : 'checks'}
                        </p>
                        <p class="soft">
                            since <Time at={i.from} />,{' '}
                            {i.until ? <>over at <Time at={i.until} /> after {span(Date.parse(i.until) - Date.parse(i.from))}</>
                                : <>open for {span(Math.max(0, Math.floor((now - Date.parse(i.from)) / 1000) * 1000))}</>}
                            {i.acknowledged_at && <>, seen at <Time at={i.acknowledged_at} /></>}
                        </p>
                        <Acknowledge incident={i} />
                    </div>
                </li>
            ))}
        </ul>
    );
}

function Acknowledge({ incident: i }: { incident: Incident }) {
    const [problem, set] = useState<string | null>(null);
    if (!useToken() || i.acknowledged_at || i.until)
        return null;
    const acknowledge = async (button: HTMLElement) => {
        try {
            await post(`incidents/${i.id}/acknowledge`);
            /* The button goes away: the keyboard's place is then the incident itself. */
            (button.closest('li')?.querySelector('a') ?? document.getElementById('main'))?.focus();
        } catch (e) {
            set(e instanceof ApiError ? e.message : String(e));
        }
    };
    return (
        <p>
            <button type="button" title="Tells the others that somebody looks after it; it stays open"
                onClick={(e) => void acknowledge(e.currentTarget)}>Mark as seen</button>
            {problem && <span role="alert"> {problem}</span>}
        </p>
    );
}

/* --- One -------------------------------------------------------------------------------------------- */

export function IncidentPage({ route }: { route: Route }) {
    const news = useLive((l) => l.incidents);
    const { data, problem } = useLoad<Incident>(`incidents/${encodeURIComponent(route.part)}`, 10000, news);
    return (
        <>
            <p class="back"><a href={href('incidents')}>All incidents</a></p>
            <h1>{data ? data.title : 'Incident'}</h1>
            {!data && <Pending problem={problem} what="the incident" />}
            {data && <One incident={data} />}
        </>
    );
}

const line_words: Record<string, string> = {
    opened: 'opened', joined: 'one more', changed: 'changed', recovered: 'one is well again', failover: 'failover', notice: 'notice',
    status: 'the platform says', alerted: 'people were told', acknowledged: 'seen', resolved: 'over', reopened: 'open again',
};
const line_states: Record<string, string> = {
    opened: 'down', joined: 'suspect', reopened: 'down', recovered: 'up', resolved: 'up', failover: 'draining', status: 'asleep',
};

/* The server's sentence, after a word for its kind unless it begins with that word itself. */
function Line({ kind, text }: { kind: string; text: string }) {
    const word = (kind === 'status' && text.match(/^.{1,40}'s status page/)?.[0]) || (line_words[kind] ?? kind);
    const rest = text.replace(/^again: /, '');
    return rest.startsWith(word) ? <p><b>{word}</b><Linked text={rest.slice(word.length)} /></p> : <p><b>{word}</b>: <Linked text={rest} /></p>;
}
/* An address in it, as of a platform's status page, can be followed. */
function Linked({ text }: { text: string }) {
    return <>{text.split(/(https:\/\/[^\s"'<>()]+)/).map((part, n) => (n % 2
        ? <a key={n} href={part} target="_blank" rel="noreferrer noopener">{part}</a> : part))}</>;
}

/* Newest first: what is asked in the night is what happened last. */
const first_lines = 12;
function Timeline({ lines }: { lines: NonNullable<Incident['timeline']> }) {
    const [all, set] = useState(false);
    if (!lines.length)
        return <Empty>Nothing was written down yet.</Empty>;
    const newest = lines.map((t, n) => ({ ...t, n })).reverse();
    return (
        <>
            <ol class="changes">{(all ? newest : newest.slice(0, first_lines)).map((t) => (
                <li key={t.n} class={`edge-${line_states[t.kind] ?? 'unknown'}`}>
                    <p class="when"><Time at={t.at} /></p>
                    <div>
                        <Line kind={t.kind} text={t.text} />
                        <Evidence of={t.evidence} />
                    </div>
                </li>
            ))}</ol>
            {newest.length > first_lines && (
                <button type="button" class="link" aria-expanded={all} onClick={() => set(!all)}>
                    {all ? 'show the newest only' : `show all ${newest.length}`}
                </button>
            )}
        </>
    );
}

function One({ incident: i }: { incident: Incident }) {
    const now = useNow();
    const until = i.until ? Date.parse(i.until) : now;
    const said = i.timeline?.filter((t) => t.kind === 'status').pop();
    return (
        <>
            <p class="lead">
                <span class={`state state-${i.until ? 'up' : 'down'}`}><Shape of={i.until ? 'met' : 'down'} /> {i.until ? 'over' : 'open'}</span>
                {' '}{i.until ? 'after' : 'for'} {span(Math.floor((until - Date.parse(i.from)) / 1000) * 1000)}.
                {!i.until && <> <a href={href('traffic')}>Where traffic goes now</a></>}
            </p>
            {said && <p class="callout notice"><Shape of="asleep" /> <Linked text={said.text} /> <span class="soft">(read at <Time at={said.at} />)</span></p>}
            <Acknowledge incident={i} />
            <div class="columns">
                <Panel title="Timeline" aside={<span class="soft">newest first</span>}><Timeline lines={i.timeline ?? []} /></Panel>
                <div class="stack">
                    <Panel title="Facts"><Facts facts={[
                        ['kind', kind_words[i.kind] ?? i.kind],
                        ['environment', i.environment || 'several'],
                        ['platform', i.platform || 'several'],
                        ['app', i.app || 'several'],
                        ['checks', count(i.checks)],
                        ['began', <Time key="f" at={i.from} />],
                        ['noticed', <Time key="n" at={i.noticed_at} />],
                        ['over', i.until ? <Time key="u" at={i.until} /> : 'not yet'],
                        ['seen', i.acknowledged_at ? <Time key="a" at={i.acknowledged_at} /> : i.until ? 'by nobody' : 'not yet'],
                    ]} /></Panel>
                    <Panel title="Outages in it">
                        <div class="whole"><OutageList outages={i.outages ?? []} none="No check's outage belongs to it." /></div>
                    </Panel>
                </div>
            </div>
        </>
    );
}
