// What the walks share: TAP, and Chromium's tabs that note whatever a page should not have done.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const patience = 30000; // a wait ends; it is never measured

let tests = 0;
let bad = 0;
function report(ok, name, why = '') {
    tests++;
    bad += ok ? 0 : 1;
    console.log(`${ok ? 'ok' : 'not ok'} ${tests} - ${name}`);
    if (!ok && why)
        console.log(String(why).split('\n').slice(0, 12).map((line) => `# ${line.slice(0, 300)}`).join('\n'));
}

// A test that throws has failed, and the next one goes on.
export async function test(name, run) {
    try {
        await run();
        report(true, name);
    } catch (e) {
        report(false, name, e.message);
    }
}
export function same(got, wanted, what) {
    if (JSON.stringify(got) !== JSON.stringify(wanted))
        throw new Error(`${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}
// The program's last line and its end.
export function done() {
    console.log(`1..${tests}`);
    process.exit(bad > 0 ? 1 : 0);
}

export class Browser {
    static async start(address) {
        const b = new Browser();
        b.chromium = await chromium.launch({
            executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
            args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
        });

        // A tab of its own context, with the lists of what it should not have done.
        b.open = async (width, scheme, more = {}) => {
            const context = await b.chromium.newContext({
                viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme: scheme, ...more,
            });
            const page = await context.newPage();
            page.setDefaultTimeout(patience);
            const errors = [];
            const strangers = [];
            page.on('console', (m) => ['error', 'warning'].includes(m.type()) && errors.push(m.text()));
            page.on('pageerror', (e) => errors.push(e.message));
            page.on('request', (r) => {
                if (!r.url().startsWith(`${address}/`) && !r.url().startsWith('data:'))
                    strangers.push(r.url());
            });
            return { context, page, errors, strangers };
        };
        b.visit = async (page, hash) => {
            await page.goto(`${address}/${hash}`);
            await page.waitForSelector('.pulse-live');
            await b.settled(page);
        };
        return b;
    }

    settled = (page) => page.waitForFunction(() =>
        document.querySelector('h1') && !document.querySelector('.waiting'));

    accessible = async (page, what) => {
        await page.evaluate(axe);
        const { violations } = await page.evaluate((values) =>
            window.axe.run(document, { runOnly: { type: 'tag', values } }), rules);
        if (violations.length)
            throw new Error(violations.map((v) => `${what}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) =>
                `${n.target.join(' ')} ${n.failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`).join('\n'));
    };

    overhang = (page) => page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth);

    close = () => this.chromium.close();
}
