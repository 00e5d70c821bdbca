/** The explorer's tree: paths in, visible rows out. Holds no pixels and no React. */
import { foldKey, join, nameOf, parentOf } from "./names";

export type NodeKind = "file" | "folder" | "symlink";

export interface Row {
  path: string;
  /** What is shown: several names for folders that hold nothing but one folder. */
  label: string;
  kind: NodeKind;
  level: number;
  expanded: boolean;
  hasChildren: boolean;
  /** 1-based place among its siblings. */
  position: number;
  siblings: number;
}

interface Node {
  path: string;
  name: string;
  kind: NodeKind;
  children: Map<string, Node> | null;
  sorted: Node[] | null;
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export class Tree {
  private readonly root: Node = folder("");
  private readonly nodes = new Map<string, Node>([["", this.root]]);
  private readonly open = new Set<string>();
  private cache: Row[] | null = null;

  get size(): number {
    return this.nodes.size - 1;
  }

  has(path: string): boolean {
    return this.nodes.has(path);
  }

  kind(path: string): NodeKind | null {
    return this.nodes.get(path)?.kind ?? null;
  }

  /** Puts a node there, making the folders above it. A folder that becomes a file loses what was below. */
  put(path: string, kind: NodeKind): void {
    const known = this.nodes.get(path);
    if (known?.kind === kind) return;
    if (known) this.remove(path);
    const parent = this.folderAt(parentOf(path));
    const node: Node = {
      path,
      name: nameOf(path),
      kind,
      children: kind === "folder" ? new Map() : null,
      sorted: null,
    };
    this.nodes.set(path, node);
    parent.children?.set(node.name, node);
    parent.sorted = null;
    this.cache = null;
  }

  remove(path: string): void {
    const node = this.nodes.get(path);
    if (!node || path === "") return;
    const parent = this.nodes.get(parentOf(path));
    parent?.children?.delete(node.name);
    if (parent) parent.sorted = null;
    this.forget(node);
    this.cache = null;
  }

  /** Replaces everything. Folders that still exist stay open. */
  reset(entries: Iterable<{ path: string; kind: NodeKind }>): void {
    this.root.children?.clear();
    this.root.sorted = null;
    this.nodes.clear();
    this.nodes.set("", this.root);
    this.cache = null;
    for (const entry of entries) this.put(entry.path, entry.kind);
  }

  isOpen(path: string): boolean {
    return this.open.has(path);
  }

  expanded(): string[] {
    return [...this.open];
  }

  setOpen(path: string, open: boolean): void {
    if (open === this.open.has(path)) return;
    if (open) this.open.add(path);
    else this.open.delete(path);
    this.cache = null;
  }

  /** Opens all folders above a path. */
  reveal(path: string): void {
    for (let at = parentOf(path); at !== ""; at = parentOf(at)) this.setOpen(at, true);
  }

  /** The rows to show, in order. The same array until something changes. */
  rows(): readonly Row[] {
    if (this.cache) return this.cache;
    const rows: Row[] = [];
    this.flatten(this.root, 0, rows);
    this.cache = rows;
    return rows;
  }

  /** Paths of all nodes below a folder, itself left out. */
  below(path: string): string[] {
    const out: string[] = [];
    const visit = (node: Node) => {
      for (const child of node.children?.values() ?? []) {
        out.push(child.path);
        visit(child);
      }
    };
    const node = this.nodes.get(path);
    if (node) visit(node);
    return out;
  }

  /**
   * What stands in the way of a new path: the same path, or one on the way to it whose name differs only in letter
   * case or Unicode form. `except` may be renamed into such a name of itself.
   */
  inTheWay(path: string, except?: string): string | null {
    let node: Node | undefined = this.root;
    for (const name of path.split("/")) {
      const exact: Node | undefined = node?.children?.get(name);
      if (!exact) return this.clash(node, name, except);
      node = exact;
    }
    return node && node.path !== except ? node.path : null;
  }

  private clash(folder: Node | undefined, name: string, except?: string): string | null {
    const key = foldKey(name);
    for (const child of folder?.children?.values() ?? [])
      if (child.path !== except && foldKey(child.name) === key) return child.path;
    return null;
  }

  private folderAt(path: string): Node {
    const known = this.nodes.get(path);
    if (known?.kind === "folder") return known;
    this.put(path, "folder");
    return this.nodes.get(path) as Node;
  }

  private forget(node: Node): void {
    this.nodes.delete(node.path);
    for (const child of node.children?.values() ?? []) this.forget(child);
  }

  private flatten(parent: Node, level: number, rows: Row[]): void {
    const children = sorted(parent);
    children.forEach((child, index) => {
      let node = child;
      let label = child.name;
      for (let only = onlyFolder(node); only; only = onlyFolder(node)) {
        label = join(label, only.name);
        node = only;
      }
      const expanded = node.kind === "folder" && this.open.has(node.path);
      rows.push({
        path: node.path,
        label,
        kind: node.kind,
        level,
        expanded,
        hasChildren: (node.children?.size ?? 0) > 0,
        position: index + 1,
        siblings: children.length,
      });
      if (expanded) this.flatten(node, level + 1, rows);
    });
  }
}

function folder(path: string): Node {
  return { path, name: nameOf(path), kind: "folder", children: new Map(), sorted: null };
}

function onlyFolder(node: Node): Node | null {
  if (node.children?.size !== 1) return null;
  const [child] = node.children.values();
  return child?.kind === "folder" ? child : null;
}

function sorted(node: Node): Node[] {
  node.sorted ??= [...(node.children?.values() ?? [])].sort(compare);
  return node.sorted;
}

function compare(a: Node, b: Node): number {
  const folders = Number(b.kind === "folder") - Number(a.kind === "folder");
  return folders || collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
}
