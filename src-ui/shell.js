// The page without a server: keeps the files of one build in the browser, so that a reload shows the page with what was
// typed. The server's page always comes first, and nothing of the API ever passes here. `keptShell` in vite.config.ts
// fills in what stands in capitals.

/** Names the build; another one has another cache. */
const BUILD = "THE BUILD";
/** The page's own addresses, which all show the same page. */
const PAGES = /^\/($|w\/|account$|administration$|sign-in$)/;
/** Files whose name does not change with their content. */
const NAMED = THE_NAMED;
const ASSETS = THE_ASSETS;
/** A server that takes longer is taken for one that is away. */
const PATIENCE_MS = 3_000;

addEventListener("install", (event) => {
  // All or nothing: a page whose parts come from two builds does not run.
  const keep = async () => {
    const cache = await caches.open(BUILD);
    await cache.addAll(["/", ...NAMED, ...ASSETS]);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

addEventListener("activate", (event) => {
  const forget = async () => {
    for (const name of await caches.keys()) if (name !== BUILD) await caches.delete(name);
  };
  event.waitUntil(forget());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.test(pathname)) event.respondWith(fresh(request, "/"));
  } else if (NAMED.includes(pathname)) event.respondWith(fresh(request, pathname));
  else if (ASSETS.includes(pathname)) event.respondWith(kept(request));
});

/** As the server has it, or as it was kept while the server is away. */
async function fresh(request, name) {
  const answer = fetch(request).catch(() => null);
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  const first = await Promise.race([answer, patience]);
  if (first && first.status < 500) return first;
  return (await caches.match(name)) ?? (await answer) ?? Response.error();
}

/** A name that carries the hash of its content never changes. */
async function kept(request) {
  return (await caches.match(request)) ?? fetch(request);
}
