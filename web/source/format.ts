/* Numbers as people read them: always with their unit, never with digits that are not known. */

const thin = '\u202f'; /* narrow no-break space */

export function count(n: number): string {
    return n.toLocaleString('en', { maximumFractionDigits: 0 }).replace(/,/g, thin);
}

function digits(value: number): string {
    const size = Math.abs(value);
    return value.toFixed(size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2);
}

export function ms(value: number | null | undefined): string {
    if (value === null || value === undefined)
        return 'not known';
    const size = Math.abs(value);
    return size < 1000 ? `${digits(value)}${thin}ms` : span(value);
}

/* A longer stretch of time: "1.24 s", "3 min 20 s", "2 h 5 min", "4 d 2 h". */
export function span(value: number | null | undefined): string {
    if (value === null || value === undefined)
        return 'not known';
    const s = value / 1000;
    if (Math.abs(s) < 60)
        return `${digits(s).replace(/\.?0+$/, '') || '0'}${thin}s`;
    const two = (big: number, bigUnit: string, small: number, smallUnit: string) =>
        `${big}${thin}${bigUnit}${small ? ` ${small}${thin}${smallUnit}` : ''}`;
    const whole = Math.round(s);
    if (whole < 3600)
        return two(Math.floor(whole / 60), 'min', whole % 60, 's');
    if (whole < 2 * 86400)
        return two(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min');
    return two(Math.floor(whole / 86400), 'd', Math.floor((whole % 86400) / 3600), 'h');
}

/* A rate in percent; the closer to 100, the more digits matter. */
export function rate(value: number | null | undefined): string {
    if (value === null || value === undefined)
        return 'not known';
    const percent = value * 100;
    const from_end = Math.min(Math.abs(100 - percent), Math.abs(percent));
    return `${percent.toFixed(from_end === 0 ? 0 : from_end < 0.1 ? 3 : from_end < 1 ? 2 : 1)}${thin}%`;
}

export function bytes(value: number | null | undefined): string {
    if (value === null || value === undefined)
        return 'not known';
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
        value /= 1024;
        unit++;
    }
    return `${unit ? digits(value) : value}${thin}${units[unit]}`;
}

/* A bound as somebody set it: without digits that were added in writing. */
export function goal(value: number, unit: Unit): string {
    return unit === 'rate' ? `${+(value * 100).toFixed(4)}${thin}%` : tick(value);
}
/* For an axis. */
export function tick(value: number): string {
    return value < 1000 ? `${+value.toFixed(2)}${thin}ms` : span(value);
}

export type Unit = 'ms' | 'rate';
export function unit_of(figure: string): Unit {
    return figure === 'success_rate' || figure === 'uptime' ? 'rate' : 'ms';
}
export function show(value: number | null | undefined, unit: Unit): string {
    return unit === 'rate' ? rate(value) : ms(value);
}

export const figure_words: Record<string, string> = {
    avg_ms: 'average', p50_ms: 'median', p95_ms: 'p95', p99_ms: 'p99', success_rate: 'success',
    uptime: 'uptime', db_query_ms: 'database query', cold_start_ms: 'cold start',
};

/* app, or app/instance when there are several */
export function named(app: string | null, instance: string | null): string {
    return instance && instance !== app ? `${app} ${instance}` : app ?? '';
}

/* --- Moments ---------------------------------------------------------------------------------- */

const two = (n: number) => String(n).padStart(2, '0');

export function clock_time(at: number, seconds = true): string {
    const d = new Date(at);
    return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ''}`;
}
export function date_of(at: number): string {
    const d = new Date(at);
    return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}
/* The time of day when it is of today, else with its date. */
export function moment(at: number, seconds = true): string {
    const time = clock_time(at, seconds);
    return date_of(at) === date_of(Date.now()) ? time : `${date_of(at)} ${time}`;
}
export function utc(at: number): string {
    return new Date(at).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
}
