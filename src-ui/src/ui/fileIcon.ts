/** Which icon a file has, by its name. */
const KINDS: readonly [RegExp, string][] = [
  [/^(requirements.*\.txt|package\.json|pyproject\.toml)$/i, "package"],
  [/\.(py|pyi|js|mjs|cjs|ts|tsx|jsx|css|html|sh|rs|go|c|cpp|java|sql)$/i, "file-code"],
  [/\.(png|jpe?g|gif|webp|svg|avif|bmp|ico)$/i, "image"],
  [/\.(csv|tsv|xlsx|parquet)$/i, "table"],
  [/\.(json|yaml|yml|toml|ipynb)$/i, "braces"],
  [/\.(zip|tar|gz|xz|zst|whl)$/i, "archive"],
  [/\.(md|txt|rst)$/i, "file-text"],
];

export function fileIcon(name: string): string {
  return KINDS.find(([kind]) => kind.test(name))?.[1] ?? "file";
}
