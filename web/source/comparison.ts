/* environment_comparison.json, version 2; see docs/environment_comparison.schema.json. */

import type { Figure, Figures, FigureName } from './api';

export interface Interval {
    value: number | null;
    low: number | null;
    high: number | null;
    confidence: number;
}
export interface Samples { ok: number; slow: number; failed: number; inconclusive: number; missed: number }
export type Verdict = 'better' | 'worse' | 'inconclusive';

export interface PairMetric {
    metric: FigureName;
    a: number | null;
    b: number | null;
    difference: number | null;
    low: number | null;
    high: number | null;
    p: number | null;
    p_adjusted: number | null;
    verdict: Verdict;
    n_a: number;
    n_b: number;
    blocks: number;
    n_needed: number | null;
    text: string;
}
export interface Pair {
    a: string;
    b: string;
    metrics: PairMetric[];
    shape: { p: number | null; p_adjusted: number | null; differs: boolean | null };
}
export interface Change {
    metric: FigureName;
    before: number | null;
    after: number | null;
    difference: number | null;
    low: number | null;
    high: number | null;
    p_adjusted: number | null;
    verdict: Verdict;
}
export type Part = 'speed' | 'reliability' | 'cost' | 'limits';
export interface Score extends Record<Part, number | null> {
    environment: string;
    total: number | null;
    lead_share: number | null;
    excluded: string[];
    unknown: string[];
}
export interface Turn { weight: number; environment: string }
export interface Weight { part: Part; set: number; used: number | null; below: Turn | null; above: Turn | null }
export interface Recommendation {
    state: 'clear' | 'inconclusive' | 'none';
    environment: string | null;
    leader: string | null;
    text: string;
    missing: string[];
    scores: Score[];
    weights: Weight[];
    resamples: number;
    blocks: number;
}
export interface EndpointCell {
    environment: string;
    p50_ms: Interval | null;
    p95_ms: Interval | null;
    success_rate: Interval | null;
    uptime: Interval | null;
    n: number;
    samples: Samples;
    cold: number;
    cold_failed: number;
}
export interface Endpoint {
    app: string;
    instance: string;
    check: string;
    kind: 'request' | 'database' | 'other';
    every_ms: number | null;
    in_pairs: boolean;
    environments: EndpointCell[];
}
export interface HeatCell { hour: number; p50_ms: number | null; p95_ms: number | null; n: number }
export interface ColdStart {
    environment: string;
    app: string;
    instance: string;
    check: string;
    n: number;
    failed: number;
    median_ms: Interval | null;
    max_ms: number | null;
}
export interface Comparison {
    version: 2;
    project: string;
    generated_at: string;
    window: { from: string; until: string; first_sample: string | null; last_sample: string | null };
    method: {
        confidence: number; tests: number; least_ratio: number; least_ms: number; least_rate: number;
        endpoints: number; endpoints_in_pairs: number;
    };
    environments: {
        name: string;
        figures: Figures;
        samples: Samples;
        cost: { monthly: number | null; text: string };
    }[];
    recommendation: Recommendation;
    winners: { category: string; title: string; winner: string | null; n_needed: number | null; text: string }[];
    pairs: Pair[];
    weeks: { from: string; until: string; environments: { environment: string; changes: Change[] }[] } | null;
    cold_starts: ColdStart[];
    endpoints: Endpoint[];
    distribution: { environment: string; points: [number, number][] }[];
    heat: { hours: number; environments: { environment: string; cells: HeatCell[] }[] } | null;
}
export type { Figure };
