// A cold load for `cargo xtask bench`: from the address until a typed character shows, and what came over the wire.
// node cold.mjs BASE TOKEN WORKSPACE → {"ms": …, "bytes": …}
import { chromium } from "@playwright/test";

const [base, token, workspace] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
  args: ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await context.addCookies([{ name: "slipway_token", value: token, url: base }]);
const page = await context.newPage();
const network = await context.newCDPSession(page);
await network.send("Network.enable");
let bytes = 0;
network.on("Network.loadingFinished", (event) => {
  bytes += event.encodedDataLength;
});
network.on("Network.webSocketFrameReceived", (event) => {
  bytes += event.response.payloadData.length * 0.75;
});
const begin = performance.now();
await page.goto(`${base}/w/${workspace}`, { waitUntil: "commit" });
await page.getByRole("treeitem", { name: /main\.py/ }).dblclick();
const lines = page.locator(".monaco-editor .view-lines").first();
await lines.click();
await page.keyboard.type("zq");
await page.waitForFunction(() => document.querySelector(".view-lines")?.textContent?.includes("zq"));
const ms = performance.now() - begin;
await browser.close();
console.log(JSON.stringify({ ms, bytes }));
