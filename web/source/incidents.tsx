import { useState } from 'preact/hooks';
import { ApiError, post, type Incident } from './api';
import { useToken } from './app';
import { named, span } from './format';
import { Empty, Shape, Time } from './parts';
import { href } from './route';

function what(i: Incident): string {
    return i.kind === 'blind'
        ? 'the prober itself was blind'
        : `${i.environment} ${named(i.app, i.instance)}: ${i.name}`;
}

export function IncidentList({ incidents, none }: { incidents: Incident[]; none: string }) {
    if (!incidents.length)
        return <Empty>{none}</Empty>;
    return (
        <ul class="incidents">
            {incidents.map((i) => (
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
                        {!i.acknowledged_at && !i.until && <Acknowledge incident={i} />}
                    </div>
                </li>
            ))}
        </ul>
    );
}

function Acknowledge({ incident }: { incident: Incident }) {
    const [problem, set] = useState<string | null>(null);
    if (!useToken())
        return null;
    const acknowledge = () => post(`incidents/${incident.id}/acknowledge`)
        .catch((e) => set(e instanceof ApiError ? e.message : String(e)));
    return (
        <p>
            <button type="button" onClick={() => void acknowledge()}>Mark as seen</button>
            {problem && <span role="alert"> {problem}</span>}
        </p>
    );
}
