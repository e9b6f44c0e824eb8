/* A young timeline has few cells of ten minutes: finer ones are made of the samples themselves. */

import type { Cell, Phases, Sample } from './api';

const enough = 24; /* cells from which the server's own are taken */
const lengths = [2, 5, 10, 30, 60, 120, 300].map((s) => s * 1000);

function at(sorted: number[], share: number): number {
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
function median(values: number[]): number {
    return at(values.sort((a, b) => a - b), 0.5);
}

/* A sample's phases are counted from its start; here each is its own length. */
function phases_of(s: Sample): Phases {
    const [late, lookup, connect, tls, first, total] = s.slice(6).map((v) => (typeof v === 'number' && v > 0 ? v : 0)) as number[];
    const reached = [lookup!, connect!, tls!, first!];
    let before = 0;
    const own = reached.map((end) => {
        const length = Math.max(end - before, 0);
        before = Math.max(before, end);
        return length;
    });
    return {
        lookup: own[0]!, connect: own[1]!, tls: own[2]!, first_byte: own[3]!,
        rest: Math.max(total! - late! - before, 0),
    };
}

function cell_of(samples: Sample[], from: number, length: number): Cell {
    const warm = samples.filter((s) => s[3] !== 'cold' && !s[4]);
    const n = (outcome: string) => warm.filter((s) => s[2] === outcome).length;
    const answered = warm.filter((s) => (s[2] === 'ok' || s[2] === 'slow') && s[11] !== null);
    const totals = answered.map((s) => s[11]!).sort((a, b) => a - b);
    const phases = answered.map(phases_of);
    const mid = (name: keyof Phases) => median(phases.map((p) => p[name] ?? 0));
    return {
        at_ms: from, length_ms: length,
        ok: n('ok'), slow: n('slow'), failed: n('failed'), inconclusive: n('inconclusive'), missed: n('missed'),
        cold: samples.length - warm.length,
        p50_ms: totals.length ? at(totals, 0.5) : null,
        p95_ms: totals.length >= 59 ? at(totals, 0.95) : null, /* fewer say nothing of it */
        max_ms: totals.length ? totals[totals.length - 1]! : null,
        phases: totals.length
            ? { lookup: mid('lookup'), connect: mid('connect'), tls: mid('tls'), first_byte: mid('first_byte'), rest: mid('rest') }
            : null,
    };
}

/* The server's cells when they are many, else some from the samples, at most about 120. */
export function timeline_cells(cells: Cell[], samples: Sample[] | null): Cell[] {
    if (cells.length >= enough || !samples || samples.length < 2)
        return cells;
    const first = samples[0]![1];
    const last = samples[samples.length - 1]![1];
    const length = lengths.find((l) => (last - first) / l <= 120);
    if (!length)
        return cells;
    const fine = new Map<number, Sample[]>();
    for (const s of samples) {
        const start = Math.floor(s[1] / length) * length;
        const held = fine.get(start);
        if (held)
            held.push(s);
        else
            fine.set(start, [s]);
    }
    return [...fine].sort((a, b) => a[0] - b[0]).map(([start, held]) => cell_of(held, start, length));
}
