// How the UI is built: one page, hashed assets, packed once for every visitor.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import locales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vite";
import { scrollsFrugally } from "./scrolling";

/** Writes `.br` and `.gz` beside every text file, so that the server packs nothing at run time. */
function precompress(): Plugin {
  const packed = /\.(js|css|html|svg|json|webmanifest|ttf)$/;
  const pack = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      if (statSync(file).isDirectory()) pack(file);
      else if (packed.test(name)) {
        const bytes = readFileSync(file);
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    }
  };
  return {
    name: "precompress",
    apply: "build",
    closeBundle: () => pack(join(import.meta.dirname, "dist")),
  };
}

/** What is loaded when a workspace is opened, from the frame to the editor. */
const IDE = ["src/app/Home.tsx", "src/app/Ide.tsx", "src/features/editor/monaco.ts"];

/** What the desktop program shows first. */
const DESKTOP_FIRST = ["src/host/tauri.ts", "src/app/DesktopHome.tsx"];

/** What only the desktop program shows, whose files lie beside it: no browser keeps it. */
const DESKTOP = [
  ...DESKTOP_FIRST,
  "src/features/sync/SyncView.tsx",
  "src/features/editor/conflict/ConflictView.tsx",
];

/** Tells `public/boot.js` the files of the desktop program and of the IDE, so that they are asked for before the page finds out step by step. */
function ideHints(): Plugin {
  return {
    name: "ide-hints",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (html, { bundle = {} }) => {
        const filesOf = (parts: readonly string[], face?: RegExp): string => {
          const files = new Set<string>();
          const add = (name: string): void => {
            const chunk = bundle[name];
            if (chunk?.type !== "chunk" || chunk.isEntry || files.has(name)) return;
            files.add(name);
            chunk.imports.forEach(add);
            for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style);
          };
          for (const [name, chunk] of Object.entries(bundle)) {
            const from = chunk.type === "chunk" ? chunk.facadeModuleId : null;
            if (parts.some((part) => from?.endsWith(part))) add(name);
            if (face?.test(name)) files.add(name);
          }
          // Programs first, which take longest to get ready.
          const order = (name: string) => Number(name.endsWith(".js"));
          const paths = [...files].sort((a, b) => order(b) - order(a)).map((name) => `/${name}`);
          return paths.join(" ");
        };
        const ide = filesOf(IDE, /jetbrains-mono-latin-wght-.*woff2$/);
        const desktop = filesOf(DESKTOP_FIRST);
        const boot = 'src="/boot.js"';
        return html.replace(boot, `${boot} data-desktop="${desktop}" data-ide="${ide}"`);
      },
    },
  };
}

/**
 * While Monaco loads it makes one error whose stack nobody reads. To know where that was, V8 parses all of Monaco a
 * second time: a tenth of a second.
 */
function noStackOnLoad(): Plugin {
  const [made, bare] = [
    "this._parseError = new Error();",
    "this._parseError = Object.create(Error.prototype);",
  ];
  return {
    name: "no-stack-on-load",
    apply: "build",
    transform: {
      filter: { id: /monaco-editor\/esm\/vs\/platform\/contextkey\/common\/contextkey\.js$/ },
      handler(code) {
        if (!code.includes(made))
          this.error("Monaco no longer makes this error: leave the plugin out.");
        return { code: code.replace(made, bare), map: null };
      },
    },
  };
}

function frugalTerminals(): Plugin {
  return {
    name: "frugal-terminals",
    transform: {
      filter: { id: /@xterm\/xterm\/lib\/xterm\.mjs/ },
      handler: (code) => ({ code: scrollsFrugally(code), map: null }),
    },
  };
}

/** The worker that keeps the page for when the server is away: `shell.js`, with the files of this build. */
function keptShell(): Plugin {
  const folder = (name: string) => join(import.meta.dirname, name);
  // Large and for single languages; faces for scripts that few pages show.
  const rare = /(?<!editor)\.worker-|(?<!latin)-wght-.*woff2$|latin-ext/;
  return {
    name: "kept-shell",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const named = readdirSync(folder("public")).sort();
        const desktop = Object.values(bundle).flatMap((chunk) => {
          const from = chunk.type === "chunk" ? chunk.facadeModuleId : null;
          if (chunk.type !== "chunk" || !DESKTOP.some((part) => from?.endsWith(part))) return [];
          return [chunk.fileName, ...(chunk.viteMetadata?.importedCss ?? [])];
        });
        const assets = Object.keys(bundle).filter(
          (name) => /^assets\//.test(name) && !rare.test(name) && !desktop.includes(name),
        );
        const build = createHash("sha256").update(assets.sort().join());
        const sources = [...named.map((name) => `public/${name}`), "index.html", "shell.js"];
        for (const source of sources) build.update(readFileSync(folder(source)));
        const paths = (names: string[]) => JSON.stringify(names.map((name) => `/${name}`));
        const source = readFileSync(folder("shell.js"), "utf8")
          .replace("THE BUILD", build.digest("hex").slice(0, 16))
          .replace("THE_NAMED", paths(named))
          .replace("THE_ASSETS", paths(assets));
        this.emitFile({ type: "asset", fileName: "shell.js", source });
      },
    },
  };
}

/** `--mode fake`, served or built, shows the same page on the host that needs no server. */
const fakeEntry: Plugin = {
  name: "fake-entry",
  transformIndexHtml: {
    order: "pre",
    handler: (html) => html.replace("/src/main.tsx", "/src/dev/main.tsx"),
  },
};

export default defineConfig(({ mode }) => ({
  plugins: [
    react(),
    // The words of react-aria are only spoken in the language of the page.
    { ...locales.vite({ locales: ["en-US"] }), enforce: "pre" },
    noStackOnLoad(),
    frugalTerminals(),
    mode === "fake" ? fakeEntry : [ideHints(), keptShell(), precompress()],
  ],
  build: {
    target: "safari16.4",
    manifest: true,
    chunkSizeWarningLimit: 8_000,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8002", ws: true } } },
}));
