// The rare states of the pages Traffic, Incidents and Drills, as a TAP program: each is set on a stage before a
// running `trine serve`, told to the page as live news, and must be said in words.
// usage: node states.mjs ADDRESS TOKEN [FOLDER]    TOKEN: has the scope operate; FOLDER: for the screenshots

import { join } from 'node:path';
import { Browser, done, same, test } from './browser.mjs';
import { changes, drill_scenes, incident, traffic_scenes } from './scenes.mjs';
import { Stage } from './stage.mjs';

const [server, token, folder] = process.argv.slice(2);
const stage = await Stage.start(server);
const browser = await Browser.start(stage.address);
const tabs = [];
for (const [width, scheme] of [[1440, 'light'], [390, 'dark']]) {
    const tab = await browser.open(width, scheme, { reducedMotion: 'reduce' });
    await tab.page.addInitScript((t) => sessionStorage.setItem('trine.token', t), token);
    tabs.push({ ...tab, width, scheme });
}
const everywhere = (run) => Promise.all(tabs.map(run));
const shot = (name) => folder && everywhere(({ page, width, scheme }) =>
    page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true }));
const said = (where, words) => everywhere(({ page }) => page.locator(where).filter({ hasText: words }).first().waitFor());
const fits = () => everywhere(async ({ page }) => same(await browser.overhang(page), 0, 'pixels wider than the window'));

// Live: the page is not loaded again between two scenes.
function scene(name, log = changes(5)) {
    stage.set('traffic', traffic_scenes[name]());
    stage.set('traffic/changes', log);
    stage.tell('traffic', traffic_scenes[name]());
}

stage.set('traffic', traffic_scenes.asleep());
stage.set('traffic/changes', changes(5));
await everywhere(({ page }) => browser.visit(page, '#/traffic'));

// name: what the verdict says, then other places and what they say
const scenes = {
    asleep: [/All is as it should be.*preprod sleeps/, '.member[aria-label="preprod"]', 'Woken at the first doubt'],
    warming: [/uat is in doubt.*preprod is next in line and is being woken/, '.member[aria-label="preprod"]', 'Being woken'],
    draining: [/beta carries all new requests.*By order for uat/, '.member[aria-label="uat"]', '37 still under way'],
    'order-ends': [/The order ends by itself/, '.ordered', /ends in 1\smin/],
    'not-voting': [/All is as it should be/, 'tr:has-text("fra")', /does not vote.*its own uplink is cut/],
    'failing-open': [/Failing open: no observer is valid.*No vantage point can see anything/],
    'all-down': [/Failing open: every environment is down.*Look at uat, beta and preprod/],
    'no-quorum': [/keeps its share: too few call it down/, '.reason', '2 are needed'],
    down: [/beta carries all new requests.*uat is out since.*Look at uat/],
    'dns-tail': [/uat is out/, '.facts', /1\.4 requests\/s/],
    'dns-refused': [/is not moved in the DNS/, '.callout', /others changed it.*trine traffic accept-dns/],
    'dns-only': [/The name leads to uat/, '.facts', 'waiting whether the change of traffic lasts'],
    'proxy-lost': [/not what is/, '.lead', 'The router does not answer: HAProxy did not answer'],
    'proxy-foreign': [/not what is/, '.lead', 'could not be started: state/traffic/admin.sock belongs to another program'],
    'not-steering': [/All is as it should be/, '.lead', 'This trine does not steer: another process'],
    long: [/storefront-production-eu-central-frankfurt-a carries 44/],
    many: [/uat carries 90/],
    nothing: [/not seen yet/],
};
const looked_at = ['warming', 'draining', 'failing-open', 'dns-refused', 'proxy-foreign', 'long']; // axe takes its time
for (const [name, [verdict, where, words]] of Object.entries(scenes))
    await test(`traffic, ${name}: the page says it, and fits`, async () => {
        scene(name, name === 'nothing' ? changes(0) : undefined);
        await said('.verdict-now', verdict);
        if (where)
            await said(where, words);
        await fits();
        if (looked_at.includes(name))
            await everywhere(({ page }) => browser.accessible(page, name));
        await shot(`traffic-${name}`);
    });
await test('a manifest without a route says so', async () => {
    scene('no-route');
    await said('.empty', 'The manifest has no route');
});
await test('two hundred changes are folded, unfold, and the keyboard keeps its place', async () => {
    scene('asleep', changes(200));
    await everywhere(async ({ page }) => {
        const more = page.locator('button:text-is("show all 200")');
        await more.focus();
        await page.keyboard.press('Enter');
        await page.locator('.changes > li:nth-child(200)').waitFor();
        same(await page.evaluate(() => document.activeElement.textContent), 'show the newest only', 'focus');
    });
    await fits();
});
await test('what is typed and focused stays when news come', async () => {
    const { page } = tabs[0];
    await page.click('button[aria-label="Drain or weigh uat"]');
    await page.fill('dialog[open] input[type="text"]', 'half a sentence');
    scene('warming');
    await said('.verdict-now', /in doubt/);
    same(await page.inputValue('dialog[open] input[type="text"]'), 'half a sentence', 'text');
    same(await page.evaluate(() => document.activeElement.type), 'text', 'focus');
    await page.click('dialog[open] button:text("Cancel")');
});

await test('a long incident: newest first, with the platform\'s own word on top', async () => {
    stage.set('incidents', { incidents: [incident(3)] });
    stage.set('incidents/12', incident(60));
    await everywhere(async ({ page }) => {
        await page.click('nav a:text-is("Incidents")');
        await page.click('.incidents a');
        await page.locator('.callout.notice a[href^="https://status.koyeb.com/"]').waitFor();
        same(await page.locator('.changes > li').count(), 12, 'lines before it is unfolded');
        await page.click('button:text-is("show all 60")');
        await page.locator('.changes > li:nth-child(60)', { hasText: 'opened' }).waitFor();
        await browser.accessible(page, 'long incident');
    });
    await fits();
    await shot('incident-long');
});

for (const [name, words] of [['none', 'None has run in this window'], ['failed', /over its bound of 10/], ['running', 'the fault lasts; 236 requests sent']])
    await test(`drills, ${name}`, async () => {
        stage.set('drills', drill_scenes[name]());
        await everywhere(async ({ page }) => {
            await page.click('nav a:text-is("Overview")');
            await page.click('nav a:text-is("Drills")');
        });
        await said('.drill-now .panel:nth-child(2)', words);
        await fits();
        await everywhere(({ page }) => browser.accessible(page, `drills, ${name}`));
        await shot(`drills-${name}`);
    });

await test('a server that is gone: the page says from when it is, and claims nothing', async () => {
    await everywhere(({ page }) => page.click('nav a:text-is("Traffic")'));
    stage.away(true);
    await said('.banner', /closed the connection.*not live, but as of \d\d:\d\d:\d\d/);
    await said('.verdict-now.edge-unknown', 'When last heard of');
    await shot('lost');
});
await test('and goes on when it is back', async () => {
    stage.away(false);
    await everywhere(({ page }) => page.click('.banner button', { timeout: 3000 }).catch(() => {})); // or it came back by itself
    await everywhere(({ page }) => page.waitForSelector('.pulse-live'));
    await said('.verdict-now.edge-suspect', /in doubt/);
});

await browser.close();
stage.end();
done();
