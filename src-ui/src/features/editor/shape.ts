/** What a file is to the editor: a text, a picture, or bytes that it can only describe. */

export type Shape = "text" | "large" | "huge" | "image" | "binary" | "encoding";

const LARGE_BYTES = 5 * 1024 * 1024;
const HUGE_BYTES = 50 * 1024 * 1024;
const SNIFFED_BYTES = 8_000;
const IMAGES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
  ico: "image/x-icon",
};

const LANGUAGES: Record<string, string> = {
  py: "python",
  pyi: "python",
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  jsx: "javascript",
  ts: "typescript",
  mts: "typescript",
  cts: "typescript",
  tsx: "typescript",
  json: "json",
  ipynb: "json",
  css: "css",
  scss: "css",
  html: "html",
  htm: "html",
  svg: "xml",
  xml: "xml",
  md: "markdown",
  markdown: "markdown",
  sh: "shell",
  bash: "shell",
  yml: "yaml",
  yaml: "yaml",
  sql: "sql",
  toml: "ini",
  ini: "ini",
  cfg: "ini",
};

const NAMES: Record<string, string> = {
  python: "Python",
  javascript: "JavaScript",
  typescript: "TypeScript",
  json: "JSON",
  css: "CSS",
  html: "HTML",
  xml: "XML",
  markdown: "Markdown",
  shell: "Shell",
  yaml: "YAML",
  sql: "SQL",
  ini: "TOML",
  plaintext: "Plain text",
};

export function endingOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
}

export function imageType(path: string): string | null {
  return IMAGES[endingOf(path)] ?? null;
}

export function languageOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (/^\.(bashrc|profile|bash_profile)$/.test(name)) return "shell";
  return LANGUAGES[endingOf(path)] ?? "plaintext";
}

/** All that a text can be read as, by name. */
export function languages(): readonly string[] {
  return Object.keys(NAMES).sort((a, b) => languageName(a).localeCompare(languageName(b)));
}

export function languageName(language: string): string {
  return NAMES[language] ?? language;
}

export function shapeOf(path: string, size: number, bytes: Uint8Array | null): Shape {
  if (size > HUGE_BYTES) return "huge";
  if (imageType(path)) return "image";
  if (!bytes) return "text";
  if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) return "binary";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return "encoding";
  }
  return size > LARGE_BYTES ? "large" : "text";
}
