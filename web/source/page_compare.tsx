import type { Route } from './route';
export function ComparePage({ route }: { route: Route }) { return <h1>Compare {route.part}</h1>; }
