/* uPlot in the page's own dress: colours from the style sheet, again when the theme changes, as wide
 * as its place. The canvas is hidden from screen readers: Plotted gives them the table. */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'preact/hooks';
import { clock_time, date_of, tick } from './format';
import { useTheme } from './theme';

export const dashes: number[][] = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 4], [12, 4]];

export function colour(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export interface PlotProps {
    data: uPlot.AlignedData;
    series: uPlot.Series[];
    height?: number;
    /* x is seconds since 1970, or any other number with words of its own */
    x?: (value: number) => string;
    x_ticks?: number[];
    logarithmic?: boolean;
    bands?: uPlot.Band[];
    draw?: (u: uPlot) => void; /* behind the lines: shaded stretches */
    range?: [number, number];  /* of x */
}

function axes(props: PlotProps): uPlot.Axis[] {
    const font = '12px system-ui, sans-serif';
    const common = {
        stroke: colour('--soft'), font, grid: { stroke: colour('--line'), width: 1 },
        ticks: { stroke: colour('--line'), width: 1, size: 4 },
    };
    const { x, x_ticks } = props;
    return [
        {
            ...common, space: 70, grid: { show: false },
            values: x ? (_, ticks) => ticks.map(x) : time_ticks,
            ...(x_ticks ? { splits: () => x_ticks } : {}),
        },
        {
            ...common, size: 64, space: 34,
            values: (_, ticks) => ticks.map((t) => (t === null ? '' : tick(t))),
        },
    ];
}

/* Hours, and the date where a day begins or the whole is long. */
function time_ticks(_: uPlot, ticks: number[]): string[] {
    const step = (ticks[1] ?? 0) - (ticks[0] ?? 0);
    let day = '';
    return ticks.map((t) => {
        const before = day;
        day = date_of(t * 1000).slice(5);
        const time = clock_time(t * 1000, step < 60);
        return step >= 86400 ? day : before && before !== day ? `${time}\n${day}` : time;
    });
}

function options(now: { current: PlotProps }, width: number): uPlot.Options {
    const props = now.current;
    return {
        width, height: props.height ?? 240,
        padding: [8, 22, 0, 0] /* half of the last time's width */,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { setScale: false } },
        scales: {
            x: { time: !props.x, ...(props.range ? { range: () => now.current.range ?? [0, 1] } : {}) },
            y: props.logarithmic
                ? { distr: 3 }
                : { range: (_, __, high) => [0, high > 0 ? high * 1.08 : 1] },
        },
        axes: axes(props),
        series: [{}, ...props.series],
        ...(props.bands ? { bands: props.bands } : {}),
        hooks: props.draw ? { drawAxes: [(u) => now.current.draw?.(u)] } : {},
    };
}

export function Plot(props: PlotProps) {
    const now = useRef(props); /* what the options ask for later, as the data moves on */
    now.current = props;
    const place = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);
    const theme = useTheme();
    const shape = `${theme} ${props.series.length} ${props.height} ${props.logarithmic} ${props.series.map((s) => s.label).join()}`;

    useEffect(() => {
        const node = place.current!;
        plot.current = new uPlot(options(now, Math.max(node.clientWidth, 100)), props.data, node);
        const watch = new ResizeObserver(() => {
            if (node.clientWidth)
                plot.current?.setSize({ width: node.clientWidth, height: props.height ?? 240 });
        });
        watch.observe(node);
        return () => {
            watch.disconnect();
            plot.current?.destroy();
            plot.current = null;
        };
    }, [shape]);
    useEffect(() => plot.current?.setData(props.data), [props.data]);
    return <div class="plot" ref={place} aria-hidden="true" />;
}

/* --- What is drawn by hand ---------------------------------------------------------------------- */

/* A stroke pattern, so that an area can be told from its neighbour without its colour. */
export function hatch(colour_name: string, angle: 0 | 45 | 90 | 135 | null): CanvasPattern | string {
    const ink = colour(colour_name);
    const ratio = devicePixelRatio || 1;
    const size = Math.round(6 * ratio);
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = size;
    const c = canvas.getContext('2d')!;
    c.globalAlpha = 0.55;
    c.fillStyle = ink;
    c.fillRect(0, 0, size, size);
    c.globalAlpha = 1;
    c.strokeStyle = ink;
    c.lineWidth = ratio;
    const line = (...p: [number, number, number, number]) => {
        c.beginPath();
        c.moveTo(p[0] * size, p[1] * size);
        c.lineTo(p[2] * size, p[3] * size);
        c.stroke();
    };
    if (angle === 0)
        line(0, 0.5, 1, 0.5);
    else if (angle === 90)
        line(0.5, 0, 0.5, 1);
    else if (angle === 45)
        [-0.5, 0.5].forEach((d) => line(d, 1, d + 1, 0));
    else if (angle === 135)
        [-0.5, 0.5].forEach((d) => line(d, 0, d + 1, 1));
    return c.createPattern(canvas, 'repeat') ?? ink;
}

/* Shades stretches of time over the whole height. */
export function shade(u: uPlot, stretches: [number, number][], colour_name: string): void {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = hatch(colour_name, 135);
    ctx.globalAlpha = 0.25;
    for (const [from, until] of stretches) {
        const left = u.valToPos(from, 'x', true);
        ctx.fillRect(left, bbox.top, Math.max(u.valToPos(until, 'x', true) - left, 2), bbox.height);
    }
    ctx.restore();
}

/* The line's own look in a legend. */
export function LineKey({ index, label }: { index: number; label: string }) {
    return (
        <span class="key">
            <svg width="34" height="12" viewBox="0 0 34 12" aria-hidden="true">
                <line class={`env-stroke-${index % 6}`} x1="1" y1="6" x2="33" y2="6" stroke-width="2.2"
                    stroke-dasharray={(dashes[index % 6] ?? []).join(' ')} />
                <Marker index={index} x={17} y={6} />
            </svg>
            {label}
        </span>
    );
}

export function Marker({ index, x, y }: { index: number; x: number; y: number }) {
    const paths = [
        'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z', 'M0 -4.8L4.8 4H-4.8z', 'M-3.6 -3.6h7.2v7.2h-7.2z',
        'M0 -5L5 0 0 5-5 0z', 'M0 4.8L4.8 -4H-4.8z', 'M-1.5 -5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z',
    ];
    return <path class={`env-fill-${index % 6}`} d={paths[index % 6]!} transform={`translate(${x} ${y})`} />;
}
