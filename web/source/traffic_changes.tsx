import type { Change } from './api_traffic';
import { ms } from './format';
import { Empty, Evidence, Time } from './parts';
import { TrafficMark } from './traffic_flow';

const event_words: Record<string, string> = {
    up: 'it answers', doubt: 'first signs', errors: 'errors among live requests', 'live-down': 'live requests fail', down: 'called down',
    blind: 'nobody sees it', slept: 'fell asleep', held: 'hold time over', drain: 'drained by order', restore: 'order ended',
};
const action_words: Record<string, string> = {
    'check-fast': 'checked fast', 'wake-standby': 'the standby was woken', 'take-out': 'taken out',
    'bring-back': 'brought back', lessen: 'with a small share at first', warn: 'people were warned', 'check-calmly': 'checked calmly',
};
/* "more of its answers are errors" needs no full stop of its own twice */
const actions = (c: Change) => (c.action ?? '').split(',').map((a) => action_words[a.trim()] ?? a).filter(Boolean).join(', ');

export function Changes({ changes, many }: { changes: Change[]; many: boolean }) {
    if (!changes.length)
        return <Empty>Nothing changed in the last 24 hours.</Empty>;
    return (
        <ol class="changes">
            {changes.map((c) => (
                <li key={String(c.id)} class={`edge-${c.to}`}>
                    <p class="when"><Time at={c.seen_at} /></p>
                    <div>
                        <p>
                            <b>{many ? `${c.route}: ` : ''}{c.environment}</b>{' '}
                            {c.from !== c.to ? <><TrafficMark state={c.from} /> <span class="soft">to</span> </> : <span class="soft">stays </span>}<TrafficMark state={c.to} />
                            <span class="tag">{event_words[c.event] ?? c.event}</span>
                        </p>
                        <p>{c.reason}{actions(c) && <span class="soft"> ({actions(c)})</span>}</p>
                        <p class="soft">
                            decided after {ms(c.decided_ms)}
                            {c.applied_ms === null ? '; the router goes on as it was' : `, at the router after ${ms(c.applied_ms)}`}
                        </p>
                        <Evidence of={c.evidence} />
                    </div>
                </li>
            ))}
        </ol>
    );
}
