// Replies of docs/api.md for states that are rare or hard to bring about. Each scene is what GET /api/v1/traffic,
// traffic/changes, incidents and drills would say then.

const minute = 60e3;
export const ago = (ms) => new Date(Date.now() - ms).toISOString().replace(/\.\d+Z$/, 'Z');
const later = (ms) => ago(-ms);

const healthy = { finding: 'up', valid: 3, need: 2, text: 'up: here, fra, iad' };
export function member(name, more = {}) {
    return {
        name, platform: 'koyeb', state: 'up', since: ago(190 * minute), reason: 'it answers (up: here, fra, iad)', weight: 0, share: 0,
        backup: false, in_use_as_backup: false, out: false, order: null, back_at: null, hold_ms: 60000, flaps: 0, quorum: healthy,
        live: { state: 'none', per_second: 0, errors_per_second: 0, waiting: 0 }, sessions: 0, pace_ms: 500, pace_stops_when_idle: false,
        fit: 'yes', fit_why: '', ...more,
    };
}
const flows = (per_second, errors_per_second = 0, state = 'good') => ({ state, per_second, errors_per_second, waiting: 0 });
const vantage = (name, more = {}) => ({ name, valid: true, why: '', seen_at: ago(1000), clock_off_ms: 3, ...more });
const three = () => [vantage('here', { clock_off_ms: 0 }), vantage('fra'), vantage('iad', { clock_off_ms: -41 })];
function cost(environment, more = {}) {
    return {
        route: 'api', environment, platform: 'render', asks: 'service', pace_ms: 3154, stops_when_idle: false, requests: 833228,
        bytes: 499936588, awake_hours: 0, commands: 0, share: 0.099987, of: 'bandwidth', used: 499936588.459, amount: 5e9, unlimited: false,
        beyond: 'services are suspended', source: 'render.com plans of 2026-04-23', doubt: null, tuned_share: 1.5768, ...more,
    };
}
const triple = (uat = {}, beta = {}, preprod = {}) => [
    member('uat', { weight: 90, share: 0.9, live: flows(17.4), ...uat }),
    member('beta', { platform: 'render', weight: 10, share: 0.1, live: flows(1.9), ...beta }),
    member('preprod', { platform: 'railway', backup: true, ...preprod }),
];
export function route(environments, more = {}) {
    return {
        name: 'api', app: 'backend', listen: '127.0.0.1:8080', host: 'api.example.org', failing_open: false, open_why: '', standby: 'preprod',
        environments, dns: null, checking: environments.map((m) => cost(m.name)), ...more,
    };
}
export function traffic(routes, more = {}) {
    return { steering: true, why: '', proxy: { state: 'running', why: '', pid: 24076 }, routes, vantages: three(), ...more };
}
const dns = (more) => ({
    engine: 'rfc2136', host: 'api.example.org', phase: 'idle', answer: 'CNAME beta-api.onrender.com', environment: 'beta', wanted: 'beta',
    why: '', foreign: false, ttl_s: 60, changed_at: ago(4 * minute), tail_per_second: 0, tail_until: null, changes_left: 5, ...more,
});

const doubted = {
    state: 'suspect', since: ago(4000), reason: 'first signs of a failure (in doubt: here (HTTP 503); up: fra, iad); preprod is woken',
    quorum: { finding: 'suspect', valid: 3, need: 2, text: '1 of 3 calls it down: here (HTTP 503); up: fra, iad; 2 are needed' },
};
const asleep = {
    state: 'asleep', since: ago(47 * minute), reason: 'its platform put it to sleep', pace_stops_when_idle: true,
    quorum: { finding: 'none', valid: 3, need: 2, text: 'does not count: here (asleep), fra (asleep), iad (asleep)' }, fit: 'unknown',
};
const away = { share: 0, out: true, live: flows(0, 0, 'none') };
const blind = {
    state: 'unknown', since: ago(20000), reason: 'nobody is able to see it: traffic stays as it is (no observer is valid)',
    quorum: { finding: 'invalid', valid: 0, need: 2, text: 'no observer is valid' },
};
const uplink = 'its control targets do not answer it: its own uplink is cut';
const long_names = ['storefront-production-eu-central-frankfurt-a', 'storefront-production-us-east-virginia-b', 'staging',
    'pre-production-rehearsal-with-the-whole-catalogue', 'uat', 'disaster-recovery-on-the-other-continent'];

export const traffic_scenes = {
    asleep: () => traffic([route(triple({}, {}, asleep))]),
    warming: () => traffic([route(triple(doubted, {}, asleep))]),
    draining: () => traffic([route(triple(
        { state: 'draining', since: ago(70e3), reason: 'taken out by order', ...away, sessions: 37,
            order: { id: 4, kind: 'drain', weight: 0, until: null, who: 'operator anna', why: 'new database index' } },
        { share: 1, live: flows(19.3) }))]),
    'order-ends': () => traffic([route(triple({ share: 0.5, live: flows(9.9),
        order: { id: 5, kind: 'weight', weight: 10, until: later(93e3), who: 'operator anna', why: 'half and half while we look at its latency' } },
    { share: 0.5, live: flows(9.2) }))]),
    'not-voting': () => traffic([route(triple({ quorum: { finding: 'up', valid: 2, need: 2, text: 'up: here, iad; does not count: fra' } }))], {
        vantages: [vantage('here'), vantage('fra', { valid: false, why: uplink, seen_at: ago(2000) }), vantage('iad')],
    }),
    'failing-open': () => traffic([route(triple(blind, blind, { ...blind, share: 0 }), {
        failing_open: true, standby: null,
        open_why: 'no observer is valid, and nothing is known yet: traffic goes by the configured weights',
    })], { vantages: three().map((v) => ({ ...v, valid: false, why: uplink })) }),
    'all-down': () => traffic([route(triple(...['uat', 'beta', 'preprod'].map((_, i) => ({
        state: 'down', since: ago(30e3), reason: 'it is down (3 of 3 call it down: here (HTTP 503), fra (HTTP 503), iad (no answer))',
        live: i < 2 ? flows(i ? 1.9 : 17.4, i ? 1.9 : 17.4, 'bad') : flows(0, 0, 'none'), flaps: 2,
        quorum: { finding: 'down', valid: 3, need: 2, text: '3 of 3 call it down: here (HTTP 503), fra (HTTP 503), iad (no answer)' },
    }))), { failing_open: true, standby: null, open_why: 'every environment is down: traffic goes by the configured weights' })]),
    'no-quorum': () => traffic([route(triple({
        ...doubted, since: ago(95e3), reason: 'the doubt lasts, and is not enough to call it down (1 of 3 calls it down: here (HTTP 503); up: fra, iad; 2 are needed)',
    }))]),
    down: () => traffic([route(triple(
        { state: 'down', since: ago(12e3), reason: 'users\u2019 requests fail there (3 of 3 call it down: here (HTTP 503), fra (HTTP 503), iad (HTTP 503); live traffic: bad)', ...away, flaps: 1,
            quorum: { finding: 'down', valid: 3, need: 2, text: '3 of 3 call it down: here (HTTP 503), fra (HTTP 503), iad (HTTP 503)' } },
        { share: 1, live: flows(19.4) }))]),
    'dns-tail': () => traffic([route(triple({ state: 'down', since: ago(4 * minute), reason: 'it is down', ...away }, { share: 1, live: flows(19.4) }), {
        dns: dns({ tail_per_second: 1.42, tail_until: ago(3000) }),
    })]),
    'dns-refused': () => traffic([route(triple({ state: 'down', since: ago(4 * minute), reason: 'it is down', ...away }, { share: 1, live: flows(19.4) }), {
        dns: dns({ phase: 'held', foreign: true, answer: 'A 192.0.2.77', environment: '', wanted: 'beta', changed_at: ago(26 * 60 * minute),
            why: 'api.example.org was changed by others: it has A 192.0.2.77, which is none of the route\u2019s answers, and last written was ' +
                'uat-api.koyeb.app; nothing was changed. Set it back, add it to `answers`, or accept it with: trine traffic accept-dns',
            tail_per_second: null, changes_left: 0 }),
    })]),
    'dns-only': () => traffic([route(triple(...[{}, {}, {}].map(() => ({ live: flows(0, 0, 'none') }))), {
        listen: '', dns: dns({ phase: 'settling', answer: 'A 192.0.2.1', environment: 'uat', changed_at: null, tail_per_second: null }),
    })], { proxy: { state: 'off', why: 'no route of the manifest has a listen address', pid: null } }),
    'proxy-lost': () => traffic([route(triple({ live: flows(0, 0, 'none') }, { live: flows(0, 0, 'none') }))], {
        proxy: { state: 'lost', why: 'HAProxy did not answer within 5 s; see its state with: haproxy -c -f state/traffic/haproxy.cfg', pid: null },
    }),
    'proxy-foreign': () => traffic([route(triple({ live: flows(0, 0, 'none') }, { live: flows(0, 0, 'none') }))], {
        proxy: { state: 'refused', why: 'state/traffic/admin.sock belongs to another program: end it, or choose another folder', pid: null },
    }),
    'not-steering': () => traffic([route(triple())], { steering: false, why: 'another process steers: trine serve on host-b, since 02:10 UTC' }),
    long: () => traffic([route(long_names.map((name, i) => member(name, {
        weight: [40, 30, 20, 10][i] ?? 0, share: [0.44, 0.33, 0.22, 0.0045][i] ?? 0, backup: i > 3, live: flows([12345.6, 9259, 6172, 4.5][i] ?? 0),
        sessions: [1234, 321, 7, 1][i] ?? 0, state: i === 5 ? 'asleep' : 'up',
    })), { name: 'storefront-and-everything-behind-it', app: 'storefront-application-with-a-long-name', standby: 'uat' })]),
    many: () => traffic([route(triple()), route(triple().map((m) => ({ ...m, platform: 'netlify' })), { name: 'admin', app: 'admin', listen: '127.0.0.1:8081', host: '' })]),
    nothing: () => traffic([route(['uat', 'beta', 'preprod'].map((n, i) => member(n, {
        weight: [90, 10, 0][i], state: 'unknown', since: null, reason: '', backup: i === 2, pace_ms: null, fit: 'unknown',
        quorum: { finding: 'none', valid: 0, need: 1, text: '' },
    })), { standby: null, checking: [] })], { vantages: [], proxy: { state: 'starting', why: '', pid: null } }),
    'no-route': () => traffic([], { proxy: { state: 'off', why: 'no route of the manifest has a listen address', pid: null } }),
};

const words = [['up', 'down', 'down', 'take-out,check-fast,wake-standby'], ['down', 'up', 'down', 'check-calmly'], ['down', 'held', 'up', 'bring-back,lessen,check-calmly'],
    ['up', 'doubt', 'suspect', 'check-fast,wake-standby'], ['suspect', 'up', 'up', 'check-calmly']];
export function changes(n) {
    return { changes: Array.from({ length: n }, (_, i) => {
        const [from, event, to, action] = words[i % words.length];
        return {
            id: n - i, route: 'api', environment: ['uat', 'beta', 'preprod'][i % 3], from, event, to, action,
            reason: event === 'down' ? 'it is down (3 of 3 call it down: here (HTTP 503), fra (HTTP 503), iad (no answer)); preprod is woken' : 'it answers (up: here, fra, iad)',
            evidence: { quorum: 'up: here, fra, iad', valid: 3, need: 2, live: 'bad', waiting: 0, per_second: 17.4, proxy_check: 'L7STS 503' },
            seen_at: ago(i * 7 * minute), seen_ms: Date.now() - i * 7 * minute, decided_ms: 0.02, applied_ms: i % 2 ? 1.81 : null,
        };
    }) };
}

// --- Incidents ---------------------------------------------------------------------------------------------

export function incident(n) {
    const kinds = [['opened', 'uat: 3 checks fail (HTTP 503)'], ['failover', 'traffic leaves uat: beta takes 100 %'], ['alerted', 'slack, mail to on-call'],
        ['status', 'Koyeb\'s status page: Elevated error rates in Frankfurt (investigating), https://status.koyeb.com/incidents/4dk3jd9s8f7'],
        ['joined', 'uat backend health'], ['recovered', 'uat admin'], ['reopened', 'again: uat backend fails (no answer within 900 ms)'],
        ['acknowledged', 'by operator anna'], ['failover', 'traffic returns to uat with a small share at first']];
    return {
        id: 12, kind: 'outage', platform: 'koyeb', environment: 'uat', app: '', title: 'uat on koyeb: 14 checks fail with HTTP 503', from: ago(73 * minute),
        until: null, noticed_at: ago(72.9 * minute), acknowledged_at: ago(60 * minute), checks: 14,
        timeline: Array.from({ length: n }, (_, i) => ({ at: ago((73 - i * 70 / n) * minute), kind: kinds[i % kinds.length][0], text: kinds[i % kinds.length][1],
            evidence: i % 9 === 3 ? { source: 'status page', indicator: 'major', url: 'https://status.koyeb.com/incidents/4dk3jd9s8f7' } : null })),
        outages: Array.from({ length: 14 }, (_, i) => ({ id: i + 1, kind: 'down', check: i + 1, environment: 'uat', app: ['backend', 'admin', 'chat-commerce-web'][i % 3],
            instance: i % 3 === 2 ? 'modern-minimal' : null, name: 'health', from: ago(73 * minute), until: i % 4 ? null : ago(20 * minute), reason: 'HTTP 503', acknowledged_at: null })),
    };
}

// --- Drills ----------------------------------------------------------------------------------------------

const drill = (more) => ({
    id: 3, route: 'api', environment: 'uat', fault: 'errors', outcome: 'passed', from: ago(9 * minute), until: ago(8 * minute), fault_ms: 30000, sent: 1204, lost: 3, slow: 1,
    detect_ms: 412, decide_ms: 0.03, apply_ms: 1.9, recover_ms: 489, return_ms: 9300, bound_ms: 10000, standby_woken: null, text: '', ...more,
});
const past = (n) => Array.from({ length: n }, (_, i) => drill({ id: n - i, from: ago((i + 1) * 31 * 60 * minute), fault: ['errors', 'stop', 'slow', 'drain'][i % 4], recover_ms: 300 + 97 * (i % 7), lost: i % 5 }));
const recovery = [{ fault: 'errors', n: 12, p50_ms: 489, p95_ms: 880, max_ms: 1201, lost: 14 }, { fault: 'stop', n: 9, p50_ms: 12, p95_ms: 40, max_ms: 61, lost: 1 }];
const failed = drill({ id: 40, environment: 'beta', outcome: 'failed', from: ago(3 * minute), until: ago(minute), lost: 214, slow: 37, recover_ms: 14210, return_ms: null, standby_woken: false,
    text: 'recovered after 14.2 s, over its bound of 10 s: the standby was asleep and met users asleep' });
export const drill_scenes = {
    none: () => ({ running: null, progress: '', drills: [], recovery: [] }),
    failed: () => ({ running: null, progress: '', drills: [failed, ...past(30)], recovery }),
    running: () => {
        const running = drill({ id: 41, outcome: 'running', from: ago(12e3), until: null, sent: null, lost: null, slow: null, detect_ms: null, decide_ms: null, apply_ms: null, recover_ms: null, return_ms: null });
        return { running, progress: '12 s: the fault lasts; 236 requests sent, 3 lost, 1 slow', drills: [running, failed, ...past(30)], recovery };
    },
};
