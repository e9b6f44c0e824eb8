// Walks the dashboard of a running `trine serve` in Chromium, as a TAP program.
// usage: node walk.mjs ADDRESS FOLDER TOKEN     ADDRESS: http://127.0.0.1:PORT; screenshots go to FOLDER;
//                                               TOKEN has the scope operate

import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Browser, done, same, test } from './browser.mjs';

const [server, folder, token] = process.argv.slice(2);

// --- The wire between browser and server, which can be cut -------------------------------------------------

const wires = new Set();
let cut = false;
const relay = createServer((near) => {
    if (cut) {
        near.destroy();
        return;
    }
    const far = connect(Number(new URL(server).port), '127.0.0.1');
    for (const [end, other] of [[near, far], [far, near]]) {
        wires.add(end);
        end.pipe(other);
        end.on('error', () => other.destroy());
        end.on('close', () => {
            wires.delete(end);
            other.destroy();
        });
    }
});
await new Promise((done) => relay.listen(0, '127.0.0.1', done));
const address = `http://127.0.0.1:${relay.address().port}`;

const browser = await Browser.start(address);
const { accessible, open, overhang, visit } = browser;

// --- The pages ----------------------------------------------------------------------------------------

const checks = (await (await fetch(`${address}/api/v1/checks`)).json()).checks;
const one = checks.find((c) => c.app === 'backend' && c.kind === 'http') ?? checks[0];
const pages = [
    { name: 'overview', hash: '#/' },
    { name: 'traffic', hash: '#/traffic' },
    { name: 'incidents', hash: '#/incidents' },
    { name: 'drills', hash: '#/drills' },
    { name: 'compare', hash: '#/compare?from=1h' },
    { name: 'checks', hash: '#/checks' },
    { name: 'check', hash: `#/checks/${one.id}?from=1h` },
    { name: 'deployments', hash: '#/deployments' },
    { name: 'prober', hash: '#/prober' },
];

for (const width of [1440, 390])
    for (const scheme of ['light', 'dark']) {
        const tab = await open(width, scheme);
        const titles = new Set();
        for (const { name, hash } of pages)
            await test(`${name}, ${width} px, ${scheme}: no one is shut out, nothing hangs over`, async () => {
                await visit(tab.page, hash);
                titles.add(await tab.page.title());
                await tab.page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true });
                same(await overhang(tab.page), 0, 'pixels wider than the window');
                await accessible(tab.page, name);
                // Behind each plot there is its table, and that one is as accessible.
                for (const button of await tab.page.$$('button:text("show as table")'))
                    await button.click();
                await accessible(tab.page, `${name} with tables`);
                same(await overhang(tab.page), 0, 'pixels wider than the window, with tables');
            });
        await test(`${width} px, ${scheme}: each page has a title of its own`, () =>
            same(titles.size, pages.length, 'titles'));
        await test(`${width} px, ${scheme}: no error in the console`, () => same(tab.errors, [], 'errors'));
        await test(`${width} px, ${scheme}: no request leaves this origin`, () => same(tab.strangers, [], 'requests'));
        await tab.context.close();
    }

// --- Live ------------------------------------------------------------------------------------------------

const desk = await open(1440, 'light', { reducedMotion: 'reduce' });
const { page } = desk;
await test('samples arrive by themselves, and nothing on the page moves', async () => {
    await visit(page, '#/');
    await page.waitForSelector('.ticker time');
    await page.waitForTimeout(500); // fonts and first figures settle; not measured
    const place = () => page.evaluate(() => [...document.querySelectorAll('.panel, .card')].map((e) => {
        const { x, y, width, height } = e.getBoundingClientRect();
        return [x, y, width, height].map(Math.round);
    }));
    const text = () => page.textContent('.ticker tbody');
    const [before, first] = [await text(), await place()];
    await page.waitForFunction((was) => document.querySelector('.ticker tbody').textContent !== was, before);
    same(await place(), first, 'where the panels are');
});
await test('the ticker stands still when it is paused', async () => {
    await page.click('button:text("Pause")');
    const before = await page.textContent('.ticker tbody');
    const next = page.waitForResponse(/overview/); // the rest of the page goes on
    await next;
    same(await page.textContent('.ticker tbody'), before, 'ticker');
    await page.click('button:text("Go on")');
});
await test('who wants no motion gets none', async () =>
    same(await page.evaluate(() => document.getAnimations().length), 0, 'animations'));

// --- By keyboard ---------------------------------------------------------------------------------------------

const focused = (what) => page.evaluate((w) => document.activeElement?.[w] ?? document.activeElement?.getAttribute(w), what);
await test('the first stop skips to the content', async () => {
    await page.reload();
    await page.waitForSelector('.pulse-live');
    await page.keyboard.press('Tab');
    same(await focused('className'), 'skip', 'focus');
    await page.keyboard.press('Enter');
    same(await focused('id'), 'main', 'focus');
});
await test('another page takes the focus with it', async () => {
    await page.focus('nav a:text("Checks")');
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1:text("Checks")');
    same(await focused('id'), 'main', 'focus');
    await visit(page, '#/');
});
await test('arrow keys walk the grid, Enter opens what is under them', async () => {
    await page.focus('.grid .cell[tabindex="0"]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    same(await focused('data-cell'), '1 1', 'cell');
    same(await page.$$eval('.grid .cell[tabindex="0"]', (all) => all.length), 1, 'cells in the Tab order');
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1:text("Checks")');
    same(await focused('id'), 'main', 'focus after a change of page');
});
await test('every control shows where the focus is', async () => {
    await page.evaluate(() => document.activeElement?.blur());
    for (let i = 0; i < 12; i++) {
        await page.keyboard.press('Tab');
        const style = await page.evaluate(() => {
            const s = getComputedStyle(document.activeElement);
            return { tag: document.activeElement.tagName, style: s.outlineStyle, width: s.outlineWidth };
        });
        if (style.tag !== 'BODY' && (style.style === 'none' || style.width === '0px'))
            throw new Error(`no outline on ${JSON.stringify(style)}`);
    }
});
await test('the colours follow the switch and stay', async () => {
    await page.selectOption('.tools select', 'dark');
    same(await page.evaluate(() => document.documentElement.dataset.theme), 'dark', 'theme');
    await page.reload();
    await page.waitForSelector('.pulse-live');
    same(await page.evaluate(() => document.documentElement.dataset.theme), 'dark', 'theme after a reload');
    await page.selectOption('.tools select', 'system');
});

// --- What changes something ------------------------------------------------------------------------------------

await test('without a token nothing that changes something is offered', async () => {
    await visit(page, `#/checks/${one.id}`);
    same(await page.locator('button', { hasText: 'Probe now' }).count(), 0, 'buttons');
});
await test('Escape closes the entry of a token and goes back to its button', async () => {
    await page.focus('button[aria-haspopup="dialog"]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await accessible(page, 'token');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog:not([open])', { state: 'attached' });
    same(await focused('aria-haspopup'), 'dialog', 'focus');
});
const enter = async (text) => {
    await page.click('button[aria-haspopup="dialog"]');
    await page.fill('dialog input', text);
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog:not([open])', { state: 'attached' });
};
if (token)
    await test('with a token one probe is asked for at once', async () => {
        await enter(token);
        await page.waitForSelector('.pulse-live');
        await page.click('button:text("Probe now")');
        await page.waitForSelector('text=asked;');
        same(await page.evaluate(() => [Object.keys(localStorage).filter((k) => k.includes('token')), document.cookie]),
            [[], ''], 'kept beyond the tab');
    });

// --- Nothing, nonsense, and no network ----------------------------------------------------------------------

await test('until here no error was in the console', () => same(desk.errors, [], 'errors')); // a refusal is one
await test('an empty window says so', async () => {
    await visit(page, '#/compare?from=2001-01-01T00:00:00Z&until=2001-01-02T00:00:00Z');
    await page.waitForSelector('.empty, .problem');
});
await test('an address that leads nowhere says so', async () => {
    await visit(page, '#/nothing/here');
    await page.waitForSelector('text=leads nowhere');
});
await test('a check that is not there gets the server\'s own words', async () => {
    await page.goto(`${address}/#/checks/987654321`);
    await page.waitForSelector('.problem');
});
await test('a lost connection is said, with the seconds to the next attempt, and comes back', async () => {
    await visit(page, '#/');
    const cards = await page.locator('.card').count();
    cut = true;
    for (const wire of wires)
        wire.destroy();
    await page.waitForSelector('.pulse-lost');
    await page.waitForSelector('text=/trying again (in \\d+ s|now)/');
    await accessible(page, 'lost');
    await page.screenshot({ path: join(folder, 'lost-1440-light.png') });
    same(await page.locator('.card').count(), cards, 'cards that stay');
    cut = false;
    await page.waitForSelector('.pulse-live');
});
await test('no request left this origin until the end', () => same(desk.strangers, [], 'requests'));

const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
console.log(`# first contentful paint after ${Math.round(paint)} ms`);
await browser.close();
relay.close();
done();
