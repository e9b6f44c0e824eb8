import { useEffect, useState } from 'preact/hooks';
import { ApiError, get } from './api';
import { useLive } from './live';

export interface Loaded<T> {
    data: T | null; /* kept while newer is being fetched, so that nothing jumps */
    problem: string | null;
}

/* What GET /api/v1/<path> answers; again every so many ms while the page is looked at, after each lost
 * connection, and when `news` is another. */
export function useLoad<T>(path: string, every = 0, news: string | number = 0): Loaded<T> {
    const revision = useLive((l) => l.revision);
    const [loaded, set] = useState<Loaded<T> & { path: string }>({ data: null, problem: null, path });
    useEffect(() => {
        const controller = new AbortController();
        const read = async () => {
            try {
                const data = await get<T>(path, controller.signal);
                if (!controller.signal.aborted)
                    set({ data, problem: null, path });
            } catch (e) {
                if (controller.signal.aborted)
                    return;
                const problem = e instanceof ApiError ? e.message : 'the answer was not understood';
                set((before) => ({ data: before.path === path ? before.data : null, problem, path }));
            }
        };
        void read();
        const timer = every ? window.setInterval(() => !document.hidden && void read(), every) : 0;
        return () => {
            controller.abort();
            clearInterval(timer);
        };
    }, [path, revision, every, news]);
    return loaded;
}

/* The time of day, again every second: for what counts down. */
export function useNow(): number {
    const [now, set] = useState(Date.now());
    useEffect(() => {
        const timer = setInterval(() => set(Date.now()), 1000);
        return () => clearInterval(timer);
    }, []);
    return now;
}
