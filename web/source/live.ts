/* What is known of the present: read once, then kept up to date by the event stream. One store for
 * all pages; a page takes what it needs with useLive. */

import { useEffect, useReducer, useRef } from 'preact/hooks';
import {
    ApiError, follow, get,
    type Check, type Deployment, type Outage, type Overview, type Prober, type Sample,
} from './api';
import type { Drilling, Traffic } from './api_traffic';

export interface Live {
    connection: 'connecting' | 'live' | 'lost' | 'refused';
    retry_at: number | null; /* when lost: the next attempt */
    problem: string | null;
    heard_at: number | null; /* when lost: the last sign of life */
    overview: Overview | null;
    checks: Map<string, Check>;
    recent: Sample[]; /* newest last */
    prober: Prober | null;
    traffic: Traffic | null;
    incidents: number; /* counts what was told of them: then they are read anew */
    drilling: Drilling | null;
    revision: number; /* counts connections: after each, pages read their own data anew */
}

const kept = 600;      /* samples for tickers and the tail of a timeline */
const silence = 40000; /* the server says something every 15 s */
const pauses = [1, 2, 3, 5, 8, 10];

let live: Live = {
    connection: 'connecting', retry_at: null, problem: null, heard_at: null, overview: null, checks: new Map(),
    recent: [], prober: null, traffic: null, incidents: 0, drilling: null, revision: 0,
};
const listeners = new Set<() => void>();

function change(part: Partial<Live>): void {
    live = { ...live, ...part };
    for (const listener of [...listeners])
        listener();
}

/* Renders again only when what was picked is another object. */
export function useLive<T>(pick: (l: Live) => T): T {
    const [, again] = useReducer((n: number) => n + 1, 0);
    const picked = useRef<T | null>(null);
    picked.current = pick(live);
    useEffect(() => {
        const listener = () => {
            if (pick(live) !== picked.current)
                again(0);
        };
        listeners.add(listener);
        listener();
        return () => listeners.delete(listener);
    }, []);
    return picked.current as T;
}

/* --- Events ------------------------------------------------------------------------------------ */

const same = (a: Deployment, b: Deployment) =>
    a.environment === b.environment && a.app === b.app && a.instance === b.instance;

function on_samples(samples: Sample[]): void {
    const recent = [...live.recent, ...samples].slice(-kept);
    const checks = new Map(live.checks);
    for (const s of samples) {
        const check = checks.get(String(s[0]));
        if (check)
            checks.set(String(s[0]), { ...check, last: s });
    }
    change({ recent, checks });
}

function on_checks(changed: Partial<Check>[]): void {
    const checks = new Map(live.checks);
    for (const c of changed) {
        const check = checks.get(String(c.id));
        if (check)
            checks.set(String(c.id), { ...check, ...c });
    }
    change({ checks });
    void read_overview(); /* the environments' states follow from it */
}

function on_outages(changed: Outage[]): void {
    if (!live.overview)
        return;
    const ids = new Set(changed.map((i) => String(i.id)));
    const rest = live.overview.outages.filter((i) => !ids.has(String(i.id)));
    const outages = [...changed.filter((i) => !i.until), ...rest];
    change({ overview: { ...live.overview, outages } });
}

function on_deployments(changed: Deployment[]): void {
    if (!live.overview)
        return;
    const deployments = live.overview.deployments.map((d) => changed.find((c) => same(c, d)) ?? d);
    for (const c of changed)
        if (!deployments.includes(c))
            deployments.push(c);
    change({ overview: { ...live.overview, deployments } });
}

function on_event(event: string, data: unknown): void {
    switch (event) {
    case 'samples': return on_samples(data as Sample[]);
    case 'checks': return on_checks(data as Partial<Check>[]);
    case 'outages': return on_outages(data as Outage[]);
    case 'deployments': return on_deployments(data as Deployment[]);
    case 'traffic': return change({ traffic: data as Traffic });
    case 'incidents': return change({ incidents: live.incidents + 1 });
    case 'drills': return change({ drilling: data as Drilling });
    case 'prober': return change({ prober: { ...live.prober, ...(data as Prober) } });
    }
}

/* --- Reading and staying connected ---------------------------------------------------------------- */

let reading = false;
async function read_overview(): Promise<void> {
    if (reading)
        return;
    reading = true;
    try {
        change({ overview: await get<Overview>('overview') });
    } catch (e) {
        if (!(e instanceof ApiError))
            throw e; /* the event stream notices a lost connection by itself */
    } finally {
        reading = false;
    }
}

async function read_state(): Promise<void> {
    const checks = get<{ checks: Check[] }>('checks');
    const overview = get<Overview>('overview');
    const traffic = get<Traffic>('traffic');
    change({ overview: await overview }); /* painted before the longer list has come */
    change({ traffic: await traffic });
    change({ checks: new Map((await checks).checks.map((c) => [String(c.id), c])) });
}

let stream: AbortController | null = null;
let wake: (() => void) | null = null;
let heard: number | null = null;
const unheard = new Error('nothing was heard from trine serve for 40 s');

/* One connection, from its opening to its end. */
async function connect(opened: () => void): Promise<void> {
    const controller = new AbortController();
    stream = controller;
    let timer = 0;
    const patience = () => {
        clearTimeout(timer);
        timer = window.setTimeout(() => controller.abort(unheard), silence);
    };
    const alive = () => {
        heard = Date.now();
        patience();
    };
    patience();
    try {
        /* The stream first: what changes while the state is read is not lost. */
        const following = follow((event, data) => {
            alive();
            on_event(event, data);
        }, opened, controller.signal);
        await Promise.race([following, read_state().then(() => following)]);
    } finally {
        clearTimeout(timer);
        controller.abort();
    }
}

export async function run(): Promise<never> {
    window.setInterval(() => {
        if (!document.hidden && live.connection === 'live')
            void read_overview();
    }, 15000);
    for (let failures = 0; ; failures++) {
        let problem = 'trine serve closed the connection';
        let refused = false;
        try {
            await connect(() => {
                failures = 0;
                change({ connection: 'live', retry_at: null, problem: null, revision: live.revision + 1 });
            });
        } catch (e) {
            if (e instanceof ApiError || e === unheard)
                problem = (e as Error).message;
            refused = e instanceof ApiError && (e.status === 401 || e.status === 403);
        }
        const pause = 1000 * (pauses[Math.min(failures, pauses.length - 1)] ?? 10);
        change({
            connection: refused ? 'refused' : 'lost', problem, heard_at: heard,
            retry_at: refused ? null : Date.now() + pause,
        });
        await new Promise<void>((go) => {
            wake = go;
            if (!refused)
                setTimeout(go, pause);
        });
    }
}

/* Connects anew at once: another token was entered, or the reader would not wait. */
export function reconnect(): void {
    stream?.abort();
    wake?.();
}
