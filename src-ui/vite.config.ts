// How the UI is built: one page, hashed assets, packed once for every visitor.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import locales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vite";

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

/** `vite --mode fake` shows the same page on the host that needs no server. */
function fakeEntry(mode: string): Plugin {
  return {
    name: "fake-entry",
    apply: "serve",
    transformIndexHtml: {
      order: "pre",
      handler: (html) =>
        mode === "fake" ? html.replace("/src/main.tsx", "/src/dev/main.tsx") : html,
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [
    react(),
    // The words of react-aria are only spoken in the language of the page.
    { ...locales.vite({ locales: ["en-US"] }), enforce: "pre" },
    precompress(),
    fakeEntry(mode),
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
