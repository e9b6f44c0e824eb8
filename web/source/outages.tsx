import { useState } from 'preact/hooks';
import { ApiError, post, type Outage } from './api';
import { useToken } from './app';
import { named, span } from './format';
import { Empty, Shape, Time } from './parts';
import { href } from './route';

function what(i: Outage): string {
    return i.kind === 'blind'
        ? 'the prober itself was blind'
        : `${i.environment} ${named(i.app, i.instance)}: ${i.name}`;
}

export function OutageList({ outages, none }: { outages: Outage[]; none: string }) {
    if (!outages.length)
        return <Empty>{none}</Empty>;
    return (
        <ul class="outages">
            {outages.map((i) => (
                <li key={String(i.id)}>
                    <Shape of={i.kind === 'blind' ? 'inconclusive' : i.until ? 'unknown' : 'down'} />
                    <div>
                        <b>{i.check !== null ? <a href={href('checks', i.check)}>{what(i)}</a> : what(i)}</b>
                        <p>{i.reason}</p>
                        <p class="soft">
                            since <Time at={i.from} />
                            {i.until && <>, over at <Time at={i.until} /> after {span(Date.parse(i.until) - Date.parse(i.from))}</>}
                            {i.acknowledged_at && <>, seen at <Time at={i.acknowledged_at} /></>}
                        </p>
                        {!i.acknowledged_at && !i.until && <Acknowledge outage={i} />}
                    </div>
                </li>
            ))}
        </ul>
    );
}

function Acknowledge({ outage }: { outage: Outage }) {
    const [problem, set] = useState<string | null>(null);
    if (!useToken())
        return null;
    const acknowledge = () => post(`outages/${outage.id}/acknowledge`)
        .catch((e) => set(e instanceof ApiError ? e.message : String(e)));
    return (
        <p>
            <button type="button" onClick={() => void acknowledge()}>Mark as seen</button>
            {problem && <span role="alert"> {problem}</span>}
        </p>
    );
}
