/* Addresses: #/page/part?key=value. Behind the '#', so that the server has one page to serve. */

import { useEffect, useState } from 'preact/hooks';

export interface Route {
    page: string;
    part: string; /* "" = none */
    query: URLSearchParams;
}

export function parse(hash: string): Route {
    const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
    const [page = '', ...rest] = path.split('/');
    return { page: page === 'overview' ? '' : page, part: decodeURIComponent(rest.join('/')), query: new URLSearchParams(query) };
}

export function href(page: string, part: string | number = '', query: Record<string, string> = {}): string {
    const text = new URLSearchParams(query).toString();
    return `#/${page}${part === '' ? '' : `/${encodeURIComponent(part)}`}${text ? `?${text}` : ''}`;
}

/* Changes the query in place, without a step in the browser's history. */
export function refine(route: Route, query: Record<string, string>): void {
    const all = { ...Object.fromEntries(route.query), ...query };
    for (const key of Object.keys(all))
        if (all[key] === '')
            delete all[key];
    location.replace(href(route.page, route.part, all));
}

export function useRoute(): Route {
    const [route, set] = useState(() => parse(location.hash));
    useEffect(() => {
        const listener = () => set(parse(location.hash));
        addEventListener('hashchange', listener);
        return () => removeEventListener('hashchange', listener);
    }, []);
    return route;
}
