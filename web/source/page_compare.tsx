import type { Comparison } from './comparison';
import { ColdStarts, Endpoints, Weeks } from './compare_tables';
import { Distribution, Heat, Whiskers } from './compare_plots';
import { Pairs, Recommended, Winners } from './compare_verdicts';
import { count, rate } from './format';
import { useLoad } from './load';
import { Empty, Panel, Pending, Problem, Time } from './parts';
import type { Route } from './route';
import { WindowPicker, window_query } from './windows';

export function ComparePage({ route }: { route: Route }) {
    const { data, problem } = useLoad<Comparison>(`compare?${window_query(route, '24h')}`, 60000);
    return (
        <>
            <h1>Compare</h1>
            <WindowPicker route={route} windows={['1h', '24h', '7d', '30d']} standard="24h" />
            {!data && <Pending problem={problem} what="the comparison" />}
            {data && problem && <Problem text={problem} />}
            {data && (data.window.first_sample
                ? <Body c={data} />
                : <Empty>No sample lies in this window. Choose a longer one, or let <code>trine serve</code> measure for a while.</Empty>)}
        </>
    );
}

function Body({ c }: { c: Comparison }) {
    const names = c.environments.map((e) => e.name);
    const n = c.environments.reduce((sum, e) => sum + (e.figures.success_rate?.n ?? 0), 0);
    return (
        <>
            <p class="soft">
                <Time at={c.window.from} /> to <Time at={c.window.until} />, samples from <Time at={c.window.first_sample} /> to
                {' '}<Time at={c.window.last_sample} />; {count(n)} warm requests of {count(c.method.endpoints)} endpoints.
                Ranges are of {rate(c.method.confidence)} confidence.
            </p>
            <div class="stack">
                <div class="columns">
                    <Panel title="Which should become production?"><Recommended r={c.recommendation} /></Panel>
                    <Panel title="Best of each category"><Winners winners={c.winners} /></Panel>
                </div>
                <Panel title="Figures and their ranges"><Whiskers c={c} /></Panel>
                <Panel title="Verdicts"><Pairs c={c} /></Panel>
                <Panel title="How response times are spread"><Distribution c={c} /></Panel>
                <Panel title="By time of the day" aside={<span class="soft">UTC; median of warm requests</span>}>
                    <Heat heat={c.heat} />
                </Panel>
                <Panel title="Cold starts" aside={<span class="soft">in no other figure</span>}><ColdStarts cold={c.cold_starts} /></Panel>
                <Panel title="Against the window before"><Weeks weeks={c.weeks} /></Panel>
                <Panel title="Endpoints"><Endpoints endpoints={c.endpoints} names={names} /></Panel>
            </div>
        </>
    );
}
