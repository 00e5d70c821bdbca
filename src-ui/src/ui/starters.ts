/** What a new workspace can begin with, in the order in which it is offered. */
import type { Template } from "../host/generated/api/Template";

export const STARTERS: readonly {
  template: Template;
  title: string;
  text: string;
  icon: string;
}[] = [
  { template: "python", title: "Python data", text: "pandas, a CSV and a table", icon: "chart" },
  { template: "node", title: "Node", text: "a script and its test", icon: "box" },
  { template: "empty", title: "Empty", text: "nothing in the way", icon: "file" },
];
