/** Which icon a file has, by its name. */
const KINDS: readonly [RegExp, string][] = [
  [/^(requirements.*\.txt|package(-lock)?\.json|pyproject\.toml|Cargo\.toml|go\.mod)$/i, "package"],
  [/\.(pyi?|[mc]?[jt]s|[jt]sx|s?css|html?|sh|bash|rs|go|c|h|cpp|java|sql)$/i, "file-code"],
  [/\.(png|jpe?g|gif|webp|svg|avif|bmp|ico)$/i, "image"],
  [/\.(csv|tsv|xlsx?|parquet)$/i, "table"],
  [/\.(jsonl?|ya?ml|toml|ipynb|xml)$/i, "braces"],
  [/\.(zip|tar|t?gz|xz|zst|whl)$/i, "archive"],
  [/\.(md|markdown|txt|rst|log)$/i, "file-text"],
];

export function fileIcon(name: string): string {
  return KINDS.find(([kind]) => kind.test(name))?.[1] ?? "file";
}
