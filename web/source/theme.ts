/* Light or dark: the system's wish, or the reader's own, which stays with this browser. */

import { useEffect, useState } from 'preact/hooks';

export type Choice = 'system' | 'light' | 'dark';
const key = 'trine.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const changed = new EventTarget();

export function choice(): Choice {
    const kept = localStorage.getItem(key);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
}
function effective(): 'light' | 'dark' {
    const c = choice();
    return c === 'system' ? (dark.matches ? 'dark' : 'light') : c;
}
export function apply(): void {
    document.documentElement.dataset.theme = effective();
    changed.dispatchEvent(new Event('change'));
}
export function choose(c: Choice): void {
    if (c === 'system')
        localStorage.removeItem(key);
    else
        localStorage.setItem(key, c);
    apply();
}
dark.addEventListener('change', apply);

export function useTheme(): 'light' | 'dark' {
    const [theme, set] = useState(effective);
    useEffect(() => {
        const listener = () => set(effective());
        changed.addEventListener('change', listener);
        return () => changed.removeEventListener('change', listener);
    }, []);
    return theme;
}
