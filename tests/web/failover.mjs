// Watches a whole failover and return in the dashboard of a running `trine serve`, as a TAP program: nothing is
// loaded again, everything comes by itself.
// usage: node failover.mjs ADDRESS FOLDER TOKEN CONTROL HOST
//   ADDRESS  of the dashboard; its one route leads to uat (90), beta (10) and preprod (backup), through the router
//   FOLDER   for the screenshots       TOKEN    has the scope operate
//   CONTROL  the simulator's control address, HOST: uat's, as the simulator knows it

import { join } from 'node:path';
import { Browser, done, same, test } from './browser.mjs';

const [address, folder, token, control, host] = process.argv.slice(2);
const browser = await Browser.start(address);
const { accessible, open, overhang, settled, visit } = browser;

const faults = (rules) => fetch(`${control}/faults`, { method: 'POST', body: JSON.stringify(rules) });
const break_uat = () => faults([{ platform: 'sites', host, status: 503, close: 'before' }]);
const mend_uat = () => faults([]);

// One tab a size and theme; what happens is seen in all of them at once.
const tabs = [];
for (const width of [1280, 390])
    for (const scheme of ['light', 'dark']) {
        const tab = await open(width, scheme, { reducedMotion: width === 390 ? 'reduce' : 'no-preference' });
        await tab.page.addInitScript((t) => sessionStorage.setItem('trine.token', t), token);
        tabs.push({ ...tab, width, scheme });
    }
const desk = tabs[0].page;

const everywhere = (run) => Promise.all(tabs.map(run));
const shots = (name, whole = true) => everywhere(async ({ page, width, scheme }) => {
    await page.waitForTimeout(800); // flows come to rest, for the eye only; nothing is measured
    await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: whole });
});
const sound = (what) => everywhere(async ({ page }) => {
    same(await overhang(page), 0, 'pixels wider than the window');
    await accessible(page, what);
});
// By the page's own links: an address that is entered would load it anew.
const go = (title) => everywhere(async ({ page }) => {
    await page.click(`nav a:text-is("${title}")`);
    await page.waitForSelector(`h1:text-is("${title}")`);
    await settled(page);
});
// In every tab, does the picture show this environment in that state, with that share?
const shows = (name, state, share) => everywhere(({ page }) => page.waitForFunction(([n, s, p]) => {
    const member = document.querySelector(`.member[aria-label="${n}"]`);
    return member?.querySelector('header .state')?.textContent.trim() === s &&
        member.querySelector('.share').textContent.replace(/\s/g, '') === p;
}, [name, state, share]));
const places = () => desk.evaluate(() => [...document.querySelectorAll('.member, .panel h2')].map((e) => {
    const { x, y } = e.getBoundingClientRect();
    return [Math.round(x), Math.round(y)];
}));

// --- Before -------------------------------------------------------------------------------------------------

await test('the picture shows where the traffic goes', async () => {
    await everywhere(async ({ page }) => {
        await visit(page, '#/traffic');
        await page.evaluate(() => { window.never_loaded_again = true; });
    });
    await shows('uat', 'up', '90%');
    await shows('beta', 'up', '10%');
    await shows('preprod', 'up', '0%');
    await desk.waitForFunction(() => Number(document.querySelector('.member .rates span b').textContent) > 0);
    await shots('1-up');
    await sound('traffic, up');
});
await test('flows move calmly, and not for who wants no motion', async () => {
    const moving = (tab) => tab.page.evaluate(() => document.getAnimations().length);
    same(await moving(tabs[2]), 0, 'animations with reduced motion');
    if (await moving(tabs[0]) === 0)
        throw new Error('nothing moves');
});

// --- A failure ----------------------------------------------------------------------------------------------

const before = await places();
await test('a broken environment goes out of the picture by itself, and the other takes over', async () => {
    await break_uat();
    await shows('uat', 'down', '0%');
    await shows('beta', 'up', '100%');
    await desk.waitForSelector('.changes .state-down');
});
await test('nothing has jumped', async () =>
    same((await places()).slice(0, 6), before.slice(0, 6), 'where the picture and its parts are'));
await test('the log tells what was decided, and its evidence unfolds', async () => {
    const change = desk.locator('.changes > li', { hasText: 'uat' }).first();
    await change.locator('summary').click();
    await change.locator('dt:text-is("quorum")').waitFor();
    await shots('2-down');
    await sound('traffic, down');
});
await test('one incident is open, and can be marked as seen', async () => {
    await go('Incidents');
    await everywhere(({ page }) => page.waitForSelector('.lead:has-text("1 open")'));
    await shots('3-incidents-open');
    await sound('incidents, open');
    await desk.click('button:text("Mark as seen")');
    await everywhere(({ page }) => page.waitForSelector('.incidents:has-text("seen at")'));
});
await test('its page has the timeline', async () => {
    await everywhere(async ({ page }) => {
        await page.click('.incidents a');
        await page.waitForSelector('.changes li:has-text("opened")');
    });
    await shots('4-incident-open');
    await sound('incident, open');
});

// --- And its return -----------------------------------------------------------------------------------------

await test('mended, it says when it comes back, and comes back', async () => {
    await go('Traffic');
    await mend_uat();
    await desk.waitForSelector('.member[aria-label="uat"]:has-text("Well again")');
    await shots('5-returning');
    await shows('uat', 'up', '90%');
    await shows('beta', 'up', '10%');
    await shots('6-up-again');
});
await test('the incident is over', async () => {
    await go('Incidents');
    await everywhere(({ page }) => page.waitForSelector('.lead:has-text("none is open")'));
    await shots('7-incidents-over');
    await everywhere(async ({ page }) => {
        await page.click('.incidents a');
        await page.waitForSelector('.changes li:has-text("over")');
    });
    await shots('8-incident-over');
    await sound('incident, over');
});
await test('the overview has the route in a line', async () => {
    await go('Overview');
    await desk.waitForSelector('.routes:has-text("90")');
    await desk.screenshot({ path: join(folder, '9-overview-1280-light.png') });
});

// --- Orders -------------------------------------------------------------------------------------------------

await test('an order says what it will do, does it, and is taken back', async () => {
    await go('Traffic');
    await everywhere(({ page }) => page.click('button[aria-label="Drain or weigh uat"]'));
    await desk.waitForSelector('dialog[open] .consequence:has-text("they go to beta (100")');
    await shots('10-order', false);
    await sound('order');
    await desk.fill('dialog[open] input[type="text"]', 'a walk through the dashboard');
    await desk.click('dialog[open] button:text("Give the order")');
    await everywhere(({ page }, i) => i && page.click('dialog[open] button:text("Cancel")'));
    await shows('uat', 'draining', '0%');
    await desk.waitForSelector('.ordered:has-text("a walk through the dashboard")');
    await shots('11-draining');
    await sound('traffic, draining');
    await desk.click('button:text("Take the order back")');
    await shows('uat', 'up', '90%');
});

// --- A drill --------------------------------------------------------------------------------------------------

await test('a drill is begun by a button, shown live, and recovers', async () => {
    await go('Drills');
    await everywhere(({ page }) => page.selectOption('select:has(option:text-is("10 seconds"))', '10000'));
    await shots('12-drills');
    await desk.click('button:text-is("Fail uat")');
    await everywhere(({ page }) => page.waitForSelector('h2:text-is("Running now")'));
    await shows('uat', 'down', '0%');
    await shots('13-drill-running');
    await sound('drill, running');
    await everywhere(({ page }) => page.waitForSelector('h2:text-is("The last one")', { timeout: 60000 }));
    await everywhere(({ page }) => page.waitForSelector('.facts dd'));
    await shows('uat', 'up', '90%');
    same(await desk.textContent('.drill-now .panel:nth-child(2) .state'), ' passed', 'outcome');
    same(await desk.locator('table.rows tbody tr:has-text("uat with errors")').count(), 1, 'drills listed');
    await shots('14-drill-over');
    await sound('drill, over');
});

// --- In the end -------------------------------------------------------------------------------------------------

for (const { page, errors, strangers, width, scheme } of tabs)
    await test(`${width} px, ${scheme}: never loaded again, no error in the console, no other origin`, async () => {
        same(await page.evaluate(() => window.never_loaded_again), true, 'the same page');
        same(errors, [], 'errors');
        same(strangers, [], 'requests');
    });
await browser.close();
done();
