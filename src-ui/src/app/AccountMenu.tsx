/** Who is signed in, in the corner, and what can be done outside of any workspace. */
import { type Action, entryOf } from "../bench/actions";
import type { Account } from "../host/generated/api/Account";
import { Icon } from "../ui/Icon";
import { usePopups } from "../ui/popups";

/** The account's part of the registry, in the groups of its menu. */
export function AccountMenu({
  account,
  actions,
}: {
  account: Account | null;
  actions: () => Action[];
}) {
  const popups = usePopups();
  const initials = account?.name.slice(0, 2).toUpperCase();
  const open = (at: Element) => {
    const all = actions();
    const part = (wanted: (id: string) => boolean) =>
      all.filter((one) => wanted(one.id)).map(entryOf);
    const isTheme = (id: string) => id.startsWith("app.theme.");
    const isEnd = (id: string) => ["app.signOut", "app.signIn", "app.quit"].includes(id);
    const places = part((id) => !isTheme(id) && !isEnd(id));
    popups.menu(at, [...places, null, ...part(isTheme), null, ...part(isEnd)]);
  };
  return (
    <button
      type="button"
      className="avatar btn-reset"
      aria-label={account ? `Account of ${account.name}` : "Account: nobody is signed in"}
      aria-haspopup="menu"
      title={account?.email ?? "Nobody is signed in"}
      onClick={(event) => open(event.currentTarget)}
    >
      {initials ?? <Icon name="user" className="icon-sm" />}
    </button>
  );
}
