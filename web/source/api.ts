/* The shapes of docs/api.md, and asking for them. Times in ms, rates 0..1, null = not known. */

export type Id = number | string;
export type State = 'up' | 'suspect' | 'down' | 'inconclusive' | 'unknown';
export type Outcome = 'ok' | 'slow' | 'failed' | 'inconclusive' | 'missed';

export interface Figure {
    value: number | null;
    low: number | null;
    high: number | null;
    confidence: number;
    n: number;
    target: number | null;
    met: boolean | null;
}
export type FigureName =
    'avg_ms' | 'p50_ms' | 'p95_ms' | 'success_rate' | 'uptime' | 'db_query_ms' | 'cold_start_ms';
export type Figures = Partial<Record<FigureName, Figure | null>>;

export interface Environment {
    name: string;
    branch: string | null;
    platforms: string[];
    state: State;
    checks: Record<State, number>;
    window: { from: string; until: string };
    figures: Figures;
    deployments: { live: number; failed: number; other: number };
}
export interface Deployment {
    environment: string;
    app: string;
    instance: string;
    platform: string;
    state: string;
    commit: string | null;
    release: number | null;
    url: string | null;
    live_at: string | null;
    live_ms: number | null;
    error: string | null;
    health: State | null;
}
export interface Outage {
    id: Id;
    kind: 'down' | 'blind';
    check: Id | null;
    environment: string | null;
    app: string | null;
    instance: string | null;
    name: string | null;
    from: string;
    until: string | null;
    noticed_at: string | null;
    acknowledged_at: string | null;
    reason: string;
}
export interface Overview {
    project: string;
    vantage: string;
    version: string;
    now: string;
    started_at: string;
    environments: Environment[];
    deployments: Deployment[];
    outages: Outage[];
}
/* id, at, outcome, class, extra, status, late, lookup, connect, tls, first byte, total */
export type Sample = [
    Id, number, Outcome, 'warm' | 'cold', boolean | number, number | null, number | null,
    number | null, number | null, number | null, number | null, number | null,
];
export interface Check {
    id: Id;
    environment: string;
    app: string;
    instance: string;
    check: string;
    kind: string;
    every_ms: number;
    timeout_ms: number;
    slow_ms: number | null;
    state: State;
    since: string | null;
    asleep: boolean | null;
    reason: string | null;
    detail: string | null;
    last: Sample | null;
}
export interface Phases {
    lookup: number | null;
    connect: number | null;
    tls: number | null;
    first_byte: number | null;
    rest: number | null;
}
export interface Cell {
    at_ms: number;
    length_ms: number;
    ok: number;
    slow: number;
    failed: number;
    inconclusive: number;
    missed: number;
    cold: number;
    p50_ms: number | null;
    p95_ms: number | null;
    max_ms: number | null;
    phases: Phases | null;
}
export interface OneCheck {
    check: Check;
    window: { from: string; until: string };
    cell_ms: number;
    cells: Cell[];
    samples: Sample[] | null;
    figures: Figures;
    outages: Outage[];
}
export interface Release {
    environment: string;
    number: number;
    commit: string | null;
    message: string | null;
    state: string;
    created_at: string | null;
    finished_at: string | null;
    committed_at: string | null;
    live_ms: number | null;
}
export interface LatenessCell {
    at_ms: number;
    p50_ms: number | null;
    p99_ms: number | null;
    max_ms: number | null;
    n: number;
}
export interface Prober {
    vantage: string;
    started_at: string;
    checks: number;
    per_second: number;
    in_flight: number;
    blind: boolean;
    controls: { url: string; ok: boolean; at: string | null; total_ms: number | null }[];
    lateness_ms: Record<'p50' | 'p95' | 'p99' | 'max', number | null> & { n: number };
    missed: number;
    turns_over_50ms: number;
    dropped_samples: number;
    cpu_share: number | null;
    resident_bytes: number | null;
    store: {
        file_bytes: number;
        raw_samples: number;
        cells: number[];
        oldest_raw_at: string | null;
        oldest_cell_at: string | null;
    };
    self_test: { at: string; rounds: number; false_winners: number; rate: number; alpha: number } | null;
    lateness_cells?: LatenessCell[];
}

/* A refusal in the server's own words; status 0 when the server was not reached. */
export class ApiError extends Error {
    constructor(readonly status: number, text: string) {
        super(text);
    }
}

/* The token lives as long as the tab: sessionStorage, never a cookie, never an address. */
const tokenKey = 'trine.token';
export function token(): string | null {
    return sessionStorage.getItem(tokenKey);
}
export function setToken(value: string | null): void {
    if (value)
        sessionStorage.setItem(tokenKey, value);
    else
        sessionStorage.removeItem(tokenKey);
}
export function authorization(): Record<string, string> {
    const t = token();
    return t ? { Authorization: `Bearer ${t}` } : {};
}

async function refusal(answer: Response): Promise<ApiError> {
    const body = await answer.json().catch(() => null);
    return new ApiError(answer.status, body?.error?.text ?? `trine serve answered ${answer.status}`);
}

async function ask(path: string, options: RequestInit): Promise<Response> {
    let answer: Response;
    try {
        answer = await fetch(path, { ...options, headers: authorization(), cache: 'no-store' });
    } catch (e) {
        if (options.signal?.aborted)
            throw e;
        throw new ApiError(0, 'trine serve does not answer');
    }
    if (!answer.ok)
        throw await refusal(answer);
    return answer;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await ask(`/api/v1/${path}`, signal ? { signal } : {})).json();
}
export async function post(path: string, body?: unknown): Promise<void> {
    await ask(`/api/v1/${path}`, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/* Calls fn with each event until the stream ends. fetch and not EventSource: that one cannot send a
 * token in a header, says nothing of why it was refused, and hides when it will try again. */
export async function follow(fn: (event: string, data: unknown) => void, opened: () => void,
    signal: AbortSignal): Promise<void> {
    const answer = await ask('/api/v1/events', { signal });
    if (!answer.body)
        throw new ApiError(0, 'this browser cannot read a stream');
    opened();
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let text = '';
    for (;;) {
        const { done, value } = await reader.read();
        if (done)
            return;
        fn('', null); /* a sign of life, also when it is only a comment line */
        text += decoder.decode(value, { stream: true }).replace(/\r\n?/g, '\n');
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks)
            dispatch(block, fn);
    }
}

function dispatch(block: string, fn: (event: string, data: unknown) => void): void {
    let event = 'message';
    const data: string[] = [];
    for (const line of block.split('\n')) {
        if (line.startsWith('event:'))
            event = line.slice(6).trim();
        else if (line.startsWith('data:'))
            data.push(line.slice(5).trimStart());
    }
    if (data.length)
        fn(event, JSON.parse(data.join('\n')));
}
