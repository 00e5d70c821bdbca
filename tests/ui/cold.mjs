// Cold loads for `cargo xtask bench`, each in a browser of its own: from the address until the page is of use, and
// what came over the wire.
// node cold.mjs workspace BASE TOKEN ID → a typed character shows in the editor
// node cold.mjs ready URL SELECTOR     → something shows
// Both print {"ms": …, "bytes": …, "code": …, "settled": …}: bytes until then, all once
// the page asks for nothing more, and the part of these that is documents, scripts and styles.
import { chromium } from "@playwright/test";

const [kind, ...words] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  args: ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
const network = await context.newCDPSession(page);
await network.send("Network.enable");
let bytes = 0;
let code = 0;
const kinds = new Map();
network.on("Network.responseReceived", (event) => kinds.set(event.requestId, event.type));
network.on("Network.loadingFinished", (event) => {
  bytes += event.encodedDataLength;
  const isCode = ["Document", "Script", "Stylesheet"].includes(kinds.get(event.requestId));
  if (isCode) code += event.encodedDataLength;
});
network.on("Network.webSocketFrameReceived", (event) => {
  // Binary payloads are told in base64.
  bytes += event.response.payloadData.length * (event.response.opcode === 2 ? 0.75 : 1);
});

/** Looks with every frame; a locator looks again after half a second at times. */
function shows(selector) {
  return page.waitForFunction((wanted) => document.querySelector(wanted)?.checkVisibility(), selector, { timeout: 60_000 });
}

async function workspace(base, token, id) {
  await context.addCookies([{ name: "slipway_token", value: token, url: base }]);
  const begin = performance.now();
  await page.goto(`${base}/w/${id}`, { waitUntil: "commit" });
  await shows('[role="treeitem"]');
  await page.getByRole("treeitem", { name: /main\.py/ }).dblclick();
  await shows(".monaco-editor .view-lines");
  await page.locator(".monaco-editor .view-lines").first().click();
  await page.keyboard.type("zq");
  await page.waitForFunction(() => document.querySelector(".view-lines")?.textContent?.includes("zq"));
  return performance.now() - begin;
}

async function ready(url, selector) {
  const begin = performance.now();
  await page.goto(url, { waitUntil: "commit" });
  await shows(selector);
  return performance.now() - begin;
}

const ms = kind === "workspace" ? await workspace(...words) : await ready(...words);
const until = bytes;
await page.waitForLoadState("networkidle");
await browser.close();
console.log(JSON.stringify({ ms, bytes: until, code, settled: bytes }));
