import type { Comparison, Pair, PairMetric, Part, Recommendation, Verdict, Weight } from './comparison';
import { count, figure_words, ms, rate, unit_of } from './format';
import { Empty, Scroll, Shape } from './parts';
import { Marker } from './plot';

export function VerdictMark({ of, better, worse }: { of: Verdict; better?: string; worse?: string }) {
    const [shape, state] = of === 'better' ? ['met', 'up'] : of === 'worse' ? ['down', 'down'] : ['inconclusive', 'inconclusive'];
    return (
        <span class={`state state-${state}`}>
            <Shape of={shape!} /> {of === 'better' ? better ?? 'better' : of === 'worse' ? worse ?? 'worse' : 'inconclusive'}
        </span>
    );
}

/* A difference with its sign; of rates in percentage points. */
export function signed(value: number | null, metric: string): string {
    if (value === null)
        return 'not known';
    const sign = value > 0 ? '+' : value < 0 ? '\u2212' : '';
    const size = Math.abs(value);
    return unit_of(metric) === 'rate' ? `${sign}${(size * 100).toFixed(2)}\u202fpoints` : `${sign}${ms(size)}`;
}
export function chance(p: number | null): string {
    return p === null ? '' : p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/* What is missing for a verdict, in words. */
function needed(m: { verdict?: Verdict; n_needed: number | null }): string {
    if (m.verdict && m.verdict !== 'inconclusive')
        return '';
    return m.n_needed === null ? 'more of the same would not decide it'
        : m.n_needed > 0 ? `about ${count(m.n_needed)} more samples of each` : '';
}

/* --- Pairs ------------------------------------------------------------------------------------------- */

export function Pairs({ c }: { c: Comparison }) {
    if (!c.pairs.length)
        return <Empty>Two environments that were measured at the same time are needed.</Empty>;
    return (
        <>
            <p class="soft">
                Compared stretch by stretch over the {count(c.method.endpoints_in_pairs)} endpoints that all have. p is corrected (Holm)
                for all {count(c.method.tests)} tests shown; a difference under {ms(c.method.least_ms)}, {rate(c.method.least_ratio)} of
                a time or {(c.method.least_rate * 100).toFixed(1)} points of a rate does not matter.
            </p>
            <Matrix pairs={c.pairs} />
            {c.pairs.map((p) => <PairTable key={`${p.a} ${p.b}`} pair={p} />)}
        </>
    );
}

/* All at a glance: each pair's first environment against its second. */
function Matrix({ pairs }: { pairs: Pair[] }) {
    const metrics = pairs[0]!.metrics.map((m) => m.metric);
    return (
        <Scroll label="Verdicts at a glance">
            <table class="rows matrix">
                <thead>
                    <tr><th scope="col">Figure</th>{pairs.map((p) => <th scope="col" key={`${p.a} ${p.b}`}>{p.a} is, against {p.b}</th>)}</tr>
                </thead>
                <tbody>
                    {metrics.map((metric) => (
                        <tr key={metric}>
                            <th scope="row">{figure_words[metric]}</th>
                            {pairs.map((p) => <MatrixCell key={`${p.a} ${p.b}`} m={p.metrics.find((m) => m.metric === metric) ?? null} />)}
                        </tr>
                    ))}
                </tbody>
            </table>
        </Scroll>
    );
}

function MatrixCell({ m }: { m: PairMetric | null }) {
    if (!m || m.difference === null)
        return <td class="soft">not enough data</td>;
    return (
        <td>
            <VerdictMark of={m.verdict} />
            <span class="range">
                {m.low !== null && m.high !== null ? `${signed(m.low, m.metric)} to ${signed(m.high, m.metric)}` : signed(m.difference, m.metric)}
                {m.verdict === 'inconclusive' && m.n_needed ? `; ${count(m.n_needed)} more` : ''}
            </span>
        </td>
    );
}

function PairTable({ pair }: { pair: Pair }) {
    const { a, b, shape } = pair;
    return (
        <details>
            <summary>{a} against {b}: difference, range, p, n</summary>
            <Scroll label={`${a} against ${b}`}>
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">Figure</th><th scope="col">Verdict on {a}</th><th scope="col" class="number">Difference</th>
                            <th scope="col" class="number">Range</th><th scope="col" class="number">p (Holm)</th>
                            <th scope="col" class="number">n</th><th scope="col" class="number">Blocks</th><th scope="col">In words</th>
                        </tr>
                    </thead>
                    <tbody>
                        {pair.metrics.map((m) => <PairRow key={m.metric} m={m} />)}
                        <tr>
                            <th scope="row">whole distribution</th>
                            <td>{shape.differs ? <span class="state state-suspect"><Shape of="suspect" /> differs</span>
                                : <span class="state state-inconclusive"><Shape of="inconclusive" /> inconclusive</span>}</td>
                            <td /><td /><td class="number">{chance(shape.p_adjusted)}</td><td /><td />
                            <td class="reason">{shape.differs ? 'The two are spread differently, whatever their averages.' : ''}</td>
                        </tr>
                    </tbody>
                </table>
            </Scroll>
        </details>
    );
}

function PairRow({ m }: { m: PairMetric }) {
    return (
        <tr>
            <th scope="row">{figure_words[m.metric]}</th>
            <td class="nowrap"><VerdictMark of={m.verdict} /></td>
            <td class="number"><b>{m.difference === null ? '' : signed(m.difference, m.metric)}</b></td>
            <td class="number">{m.low === null || m.high === null ? '' : `${signed(m.low, m.metric)} to ${signed(m.high, m.metric)}`}</td>
            <td class="number">{chance(m.p_adjusted)}</td>
            <td class="number">{count(m.n_a)} / {count(m.n_b)}</td>
            <td class="number">{count(m.blocks)}</td>
            <td class="reason">{m.text || needed(m)}</td>
        </tr>
    );
}

/* --- Winners ------------------------------------------------------------------------------------------- */

export function Winners({ winners }: { winners: Comparison['winners'] }) {
    return (
        <ul class="winners">
            {winners.map((w) => (
                <li key={w.category}>
                    <span class="soft">{w.title}</span>
                    <b>{w.winner ?? <span class="state state-inconclusive"><Shape of="inconclusive" /> inconclusive</span>}</b>
                    <p class="soft">{w.text || needed(w)}</p>
                </li>
            ))}
        </ul>
    );
}

/* --- The recommendation ------------------------------------------------------------------------------ */

const parts: Part[] = ['speed', 'reliability', 'cost', 'limits'];

export function Recommended({ r }: { r: Recommendation }) {
    const shape = r.state === 'clear' ? 'met' : 'inconclusive';
    return (
        <>
            <p class="lead">
                <span class={`state state-${r.state === 'clear' ? 'up' : 'inconclusive'}`}>
                    <Shape of={shape} /> {r.state === 'clear' ? r.environment : r.state === 'none' ? 'no recommendation' : 'not clear yet'}
                </span>
            </p>
            <p>{r.text}</p>
            {r.missing.length > 0 && <><p>What is missing:</p><ul>{r.missing.map((m) => <li key={m}>{m}</li>)}</ul></>}
            {r.scores.length > 0 && <Scores r={r} />}
            {r.weights.length > 0 && <Weights weights={r.weights} />}
        </>
    );
}

function Scores({ r }: { r: Recommendation }) {
    const points = (v: number | null) => (v === null ? <span class="soft">not known</span> : v.toFixed(0));
    const used = (part: Part) => r.weights.find((w) => w.part === part);
    return (
        <>
            <Scroll label="Scorecard">
                <table class="rows">
                    <caption class="unseen">Points from 0 to 100 and the share of resamples that each leads</caption>
                    <thead>
                        <tr><th scope="col">Environment</th><th scope="col" class="number">Points</th>
                            {parts.map((p) => <th scope="col" class="number" key={p}>{p}<span class="range">{weight_words(used(p))}</span></th>)}
                            <th scope="col">Leads in resamples</th></tr>
                    </thead>
                    <tbody>
                        {r.scores.map((s, i) => (
                            <tr key={s.environment}>
                                <th scope="row">
                                    <svg width="12" height="12" viewBox="-7 -7 14 14" aria-hidden="true"><Marker index={i} x={0} y={0} /></svg> {s.environment}
                                </th>
                                <td class="number"><b>{points(s.total)}</b></td>
                                {parts.map((p) => <td class="number" key={p}>{points(s[p])}</td>)}
                                <td class="lead-share">
                                    {s.lead_share === null ? <span class="soft">not known</span> : (
                                        <>
                                            {rate(s.lead_share)}
                                            <span class="score-bar"><svg aria-hidden="true"><rect class={`env-fill-${i % 6}`} width={`${s.lead_share * 100}%`} height="100%" /></svg></span>
                                        </>
                                    )}
                                </td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </Scroll>
            {r.scores.some((s) => s.excluded.length || s.unknown.length) && (
                <ul class="gates">
                    {r.scores.map((s) => s.excluded.length > 0 && (
                        <li key={s.environment}><span class="state state-down"><Shape of="down" /> {s.environment} is out</span>: {s.excluded.join('; ')}</li>
                    ))}
                    {r.scores.map((s) => s.unknown.length > 0 && (
                        <li key={s.environment}><span class="state state-unknown"><Shape of="unknown" /> {s.environment}, not known yet</span>: {s.unknown.join('; ')}</li>
                    ))}
                </ul>
            )}
            <p class="soft">{count(r.resamples)} resamples of {count(r.blocks)} stretches of time.</p>
        </>
    );
}

const whole = (v: number) => `${Math.round(v * 100)}\u202f%`;
function weight_words(w: Weight | undefined): string {
    return !w ? '' : w.used === null ? 'left out' : `weight ${whole(w.used)}`;
}

/* At which weights the answer would be another one. */
function Weights({ weights }: { weights: Weight[] }) {
    const turns = weights.flatMap((w) => [
        w.below && `With ${w.part} under ${whole(w.below.weight)} of all weights, ${w.below.environment} leads.`,
        w.above && `With ${w.part} over ${whole(w.above.weight)}, ${w.above.environment} leads.`,
    ]).filter((t): t is string => Boolean(t));
    const left_out = weights.filter((w) => w.used === null).map((w) => w.part);
    return (
        <>
            {turns.length ? <ul>{turns.map((t) => <li key={t}>{t}</li>)}</ul>
                : <p>No single weight, however set, changes who leads.</p>}
            {left_out.length > 0 && <p class="soft">Left out, as not known for all: {left_out.join(', ')}.</p>}
        </>
    );
}
