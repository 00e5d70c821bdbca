/** The ways into a workspace of this machine: a folder that is there, or a new one from a template. */
import { navigate } from "wouter/use-browser-location";
import type { LocalWorkspace } from "../../host/generated/api/LocalWorkspace";
import type { Template } from "../../host/generated/api/Template";
import type { Host } from "../../host/host";
import { DesktopCalls } from "../../host/local";
import { nameProblem } from "../../ui/names";
import type { MenuEntry, Popups } from "../../ui/popups";
import { STARTERS } from "../../ui/starters";

/** Lets the person choose a folder and opens it. */
export async function openFolder(host: Host, popups: Popups): Promise<void> {
  const folder = (await host.desktop?.pickFolder()) ?? null;
  if (folder === null) return;
  try {
    const { id } = await new DesktopCalls(host.exchange).open(folder);
    navigate(`/w/${id}`);
  } catch (error) {
    popups.failed(error, `${folder} was not opened.`);
  }
}

/** Asks for a name and makes a folder of it. */
export async function createLocal(
  host: Host,
  popups: Popups,
  template: Template,
  home: string,
): Promise<void> {
  const title = STARTERS.find((one) => one.template === template)?.title ?? "Empty";
  let made = "";
  await popups.ask({
    title: `New workspace: ${title}`,
    text: `A folder of this name is made in ${home}.`,
    label: "Name",
    value: title.toLowerCase().replaceAll(" ", "-"),
    yes: "Create",
    problem: (name) => nameProblem(name.trim()),
    send: async (name) => {
      made = (await new DesktopCalls(host.exchange).make({ name: name.trim(), template })).id;
    },
  });
  if (made !== "") navigate(`/w/${made}`);
}

/** What can be done with a workspace of this computer beside opening it. */
export function rowMenu(
  host: Host,
  popups: Popups,
  { id, name, folder, there }: LocalWorkspace,
): (MenuEntry | null)[] {
  const gone = there ? {} : { disabled: "The folder is not there" };
  const forget = async () => {
    try {
      await new DesktopCalls(host.exchange).forget(id);
      popups.toast({ text: `${name} is off the list. Its folder stays as it is.` });
    } catch (error) {
      popups.failed(error, `${name} stays on the list.`);
    }
  };
  return [
    { label: "Open", icon: "folder-open", run: () => navigate(`/w/${id}`) },
    {
      label: "Show the folder",
      icon: "external",
      ...gone,
      run: () => host.desktop?.showFolder(folder),
    },
    null,
    { label: "Take off this list; its files stay", icon: "x", run: () => void forget() },
  ];
}
