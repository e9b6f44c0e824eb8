/* The shapes of docs/api.md about traffic, incidents and drills. */

import type { Id, Outage } from './api';

export type TrafficState = 'unknown' | 'up' | 'degraded' | 'asleep' | 'suspect' | 'down' | 'draining';
export type OrderKind = 'weight' | 'drain' | 'up' | 'down' | 'none';

export interface Order {
    kind: OrderKind;
    weight: number;
    until: string | null;
    who: string | null;
    why: string | null;
}
export interface Member {
    name: string;
    platform: string | null;
    state: TrafficState;
    since: string | null;
    reason: string | null;
    weight: number;
    share: number;
    backup: boolean;
    in_use_as_backup: boolean;
    out: boolean;
    order: Order | null;
    back_at: string | null;
    hold_ms: number;
    flaps: number;
    quorum: { finding: string; valid: number; need: number; text: string };
    live: { state: string; per_second: number; errors_per_second: number; waiting: number };
    sessions: number;
    pace_ms: number | null;
    pace_stops_when_idle: boolean;
    fit: 'yes' | 'no' | 'unknown';
    fit_why: string | null;
}
export interface Checking {
    route: string | null;
    environment: string;
    platform: string;
    asks: string;
    pace_ms: number | null;
    stops_when_idle: boolean;
    requests: number;
    bytes: number;
    awake_hours: number;
    commands: number;
    share: number | null;
    of: string | null;
    used: number | null;
    amount: number | null;
    unlimited: boolean;
    beyond: string | null;
    source: string | null;
    doubt: string | null;
    tuned_share: number | null;
}
export interface Dns {
    engine: string;
    host: string;
    phase: string;
    answer: string | null;
    environment: string | null;
    wanted: string | null;
    why: string | null;
    foreign: boolean;
    ttl_s: number | null;
    changed_at: string | null;
    tail_per_second: number | null;
    tail_until: string | null;
    changes_left: number;
}
export interface TrafficRoute {
    name: string;
    app: string | null;
    listen: string | null;
    host: string | null;
    failing_open: boolean;
    open_why: string | null;
    standby: string | null;
    environments: Member[];
    checking: Checking[];
    dns: Dns | null;
}
export interface Traffic {
    steering: boolean;
    why: string | null;
    proxy: { state: 'off' | 'starting' | 'running' | 'lost' | 'refused'; why: string | null; pid: number | null };
    routes: TrafficRoute[];
    vantages: { name: string; valid: boolean; why: string | null; seen_at: string | null; clock_off_ms: number | null }[];
}
export interface Change {
    id: Id;
    route: string;
    environment: string;
    from: TrafficState;
    event: string;
    to: TrafficState;
    action: string | null;
    reason: string;
    evidence: unknown;
    seen_at: string;
    seen_ms: number;
    decided_ms: number | null;
    applied_ms: number | null;
}

export interface Incident {
    id: Id;
    kind: string;
    platform: string | null;
    environment: string | null;
    app: string | null;
    title: string;
    from: string;
    until: string | null;
    noticed_at: string | null;
    acknowledged_at: string | null;
    checks: number;
    timeline?: { at: string; kind: string; text: string; evidence: unknown }[];
    outages?: Outage[];
}

export type Fault = 'stop' | 'hang' | 'errors' | 'slow' | 'grey' | 'drain';
export interface Drill {
    id: Id;
    route: string;
    environment: string;
    fault: Fault;
    outcome: 'running' | 'passed' | 'failed' | 'interrupted';
    from: string;
    until: string | null;
    fault_ms: number | null;
    sent: number | null;
    lost: number | null;
    slow: number | null;
    detect_ms: number | null;
    decide_ms: number | null;
    apply_ms: number | null;
    recover_ms: number | null;
    return_ms: number | null;
    bound_ms: number | null;
    standby_woken: boolean | null;
    text: string | null;
}
export interface Recovery {
    fault: Fault;
    n: number;
    p50_ms: number | null;
    p95_ms: number | null;
    max_ms: number | null;
    lost: number | null;
}
export interface Drilling {
    running: Drill | null;
    progress: string | null;
}
export interface Drills extends Drilling {
    drills: Drill[];
    recovery: Recovery[];
}
