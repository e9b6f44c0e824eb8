import type { Cell } from './api';
import { ms } from './format';

/* The course of a median in one stroke; stretches with failures are marked below it. */
export function Spark({ cells, index }: { cells: Cell[]; index: number }) {
    const width = 240;
    const height = 36;
    const known = cells.filter((c) => c.p50_ms !== null);
    if (known.length < 2)
        return <svg class="spark-line" viewBox={`0 0 ${width} ${height + 6}`} role="img" aria-label="too little data for a line" />;
    const from = cells[0]!.at_ms;
    const until = cells[cells.length - 1]!.at_ms;
    const high = Math.max(...known.map((c) => c.p50_ms!)) || 1;
    const x = (at: number) => ((at - from) / Math.max(until - from, 1)) * (width - 4) + 2;
    const y = (value: number) => height - 2 - (value / high) * (height - 6);
    let path = '';
    let pen = false;
    for (const c of cells) {
        if (c.p50_ms === null) {
            pen = false;
            continue;
        }
        path += `${pen ? 'L' : 'M'}${x(c.at_ms).toFixed(1)} ${y(c.p50_ms).toFixed(1)}`;
        pen = true;
    }
    const low = Math.min(...known.map((c) => c.p50_ms!));
    return (
        <svg class="spark-line" viewBox={`0 0 ${width} ${height + 6}`} preserveAspectRatio="none" role="img"
            aria-label={`median between ${ms(low)} and ${ms(high)}`}>
            <path class={`env-stroke-${index % 6}`} d={path} fill="none" stroke-width="1.8" vector-effect="non-scaling-stroke" />
            {cells.filter((c) => c.failed > 0).map((c) => (
                <rect key={c.at_ms} class="spark-bad" x={x(c.at_ms) - 1.5} y={height} width="3" height="6" />
            ))}
        </svg>
    );
}
