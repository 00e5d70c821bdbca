// What a person finds on the page: by what it is and what it is called. Part of every script that a test runs there.
const kinds = {
  button: "button, [role=button], summary",
  checkbox: "input[type=checkbox], [role=checkbox], [role=menuitemcheckbox]",
  combobox: "[role=combobox]",
  dialog: "[role=dialog], [role=alertdialog], dialog[open]",
  heading: "h1, h2, h3, h4, [role=heading]",
  link: "a[href], [role=link]",
  listitem: "li, [role=listitem], [role=row]",
  menuitem: "[role=menuitem], [role=menuitemradio], [role=menuitemcheckbox]",
  option: "[role=option], option",
  radio: "input[type=radio], [role=radio]",
  region: "section[aria-label], [role=region]",
  tab: "[role=tab]",
  textbox: "input:not([type=radio]):not([type=checkbox]):not([role=combobox]), textarea, [role=textbox]",
  treeitem: "[role=treeitem]",
};
const plain = (text) => (text ?? "").replace(/\s+/g, " ").trim();
const shown = (element) => {
  const { width, height } = element.getBoundingClientRect();
  const visible = element.checkVisibility?.({ visibilityProperty: true }) ?? true;
  return visible && width > 0 && height > 0;
};
const referred = (element) =>
  (element.getAttribute("aria-labelledby") ?? "")
    .split(" ")
    .map((id) => document.getElementById(id)?.textContent ?? "")
    .join(" ");
const nameOf = (element) =>
  plain(
    referred(element).trim() ||
      element.getAttribute("aria-label") ||
      [...(element.labels ?? [])].map((label) => label.textContent).join(" ") ||
      element.textContent ||
      element.getAttribute("title") ||
      element.getAttribute("placeholder"),
  );
/** The first that is shown and called so; a name that begins with "~" is a part of one. */
const by = (kind, name) => {
  const fits = name.startsWith("~")
    ? (element) => nameOf(element).includes(name.slice(1))
    : (element) => nameOf(element) === name;
  const open = [...document.querySelectorAll("dialog[open], [aria-modal=true]")].filter(shown).at(-1);
  const all = [...(open ?? document).querySelectorAll(kinds[kind])];
  return all.filter(shown).find(fits) ?? null;
};
