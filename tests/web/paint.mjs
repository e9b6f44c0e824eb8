// When does a first visitor see something useful? Loads the overview of ADDRESS several times, each in a browser
// profile of its own with an empty cache, and prints the medians in milliseconds as JSON.
// usage: node paint.mjs ADDRESS     CHROMIUM names the browser; default /usr/bin/chromium
import { chromium } from 'playwright-core';

const address = process.argv[2];
const rounds = 7;
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
});
const paints = [];
const useful = [];
for (let i = 0; i < rounds; i++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const began = performance.now();
    await page.goto(address, { waitUntil: 'commit' });
    // An environment's card with its figures, not only the frame of the page.
    await page.getByText('p95', { exact: false }).first().waitFor({ timeout: 10000 });
    useful.push(performance.now() - began);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime));
    await context.close();
}
await browser.close();
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
console.log(JSON.stringify({ paint_ms: Math.round(median(paints)), useful_ms: Math.round(median(useful)) }));
