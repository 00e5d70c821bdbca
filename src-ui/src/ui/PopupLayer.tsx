/** Draws what `popups.ts` was asked to show; keys, focus and announcements are react-aria's. */
import {
  Fragment,
  type RefObject,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import {
  Dialog,
  FieldError,
  Header,
  Heading,
  Input,
  Label,
  Menu,
  MenuItem,
  MenuSection,
  Modal,
  ModalOverlay,
  Popover,
  Separator,
  setInteractionModality,
  TextField,
} from "react-aria-components";
import { flushSync } from "react-dom";
import { failureOf } from "../host/ide";
import { FolderPath } from "./FolderPath";
import { Icon } from "./Icon";
import { isNowhere } from "./keepFocus";
import type { DialogState, MenuEntry, MenuState, Popups } from "./popups";
import { Toasts } from "./Toasts";
import "./popups.css";

export function PopupLayer({ popups }: { popups: Popups }) {
  const { menu, dialog, toasts } = useSyncExternalStore(
    popups.store.subscribe,
    popups.store.getState,
  );
  return (
    <>
      {menu ? (
        <PopupMenu
          key={menu.id}
          menu={menu}
          onClose={() => popups.store.setState({ menu: null })}
        />
      ) : null}
      {dialog ? <PopupDialog key={dialog.id} dialog={dialog} /> : null}
      <Toasts
        toasts={toasts}
        onClose={(id) =>
          popups.store.setState((state) => ({
            toasts: state.toasts.filter((one) => one.id !== id),
          }))
        }
      />
    </>
  );
}

/** The focus is back where it was before anything else asks for it; react-aria would wait for a frame or longer. */
function closeAndGiveBack(close: () => void, from: Element | null): void {
  flushSync(close);
  if (isNowhere() && from instanceof HTMLElement) from.focus();
}

function PopupMenu({ menu, onClose }: { menu: MenuState; onClose: () => void }) {
  const { at, entries, from } = menu;
  const point = useRef<HTMLSpanElement>(null);
  const trigger = useRef(at instanceof Element ? at : null);
  // react-aria takes a key on a button for a screen reader's click, and would move the focus only when nothing moves on
  // the page any more.
  useLayoutEffect(() => {
    if (from?.matches(":focus-visible")) setInteractionModality("keyboard");
  }, [from]);
  const closed = useRef(false);
  const close = () => {
    if (closed.current) return;
    closed.current = true;
    closeAndGiveBack(onClose, from);
  };
  const act = (key: number) => {
    close();
    entries[key]?.run();
  };
  return (
    <>
      {at instanceof Element ? null : (
        <span ref={point} className="popup-point" style={{ left: at.x, top: at.y }} />
      )}
      <Popover
        aria-label="Actions"
        isOpen
        onOpenChange={(open) => {
          if (!open) close();
        }}
        triggerRef={at instanceof Element ? trigger : point}
        placement="bottom start"
        offset={at instanceof Element ? 4 : 0}
        className="menu popup-menu"
      >
        <Menu
          aria-label="Actions"
          autoFocus="first"
          onAction={(key) => act(Number(key))}
          disabledKeys={entries.flatMap((entry, key) => (entry?.disabled ? [key] : []))}
        >
          {groups(entries).map((group, index) => (
            <Fragment key={group[0]?.key}>
              {index > 0 ? <Separator className="menu-sep" /> : null}
              {group.some(({ entry }) => entry.checked !== undefined) ? (
                <MenuSection
                  aria-label="One of these"
                  selectionMode="single"
                  disallowEmptySelection
                  selectedKeys={group.flatMap(({ key, entry }) => (entry.checked ? [key] : []))}
                >
                  {group.map(({ key, entry }) => (
                    <Item key={key} id={key} entry={entry} />
                  ))}
                </MenuSection>
              ) : (
                group.map(({ key, entry }) => <Item key={key} id={key} entry={entry} />)
              )}
            </Fragment>
          ))}
        </Menu>
      </Popover>
    </>
  );
}

/** Entries between lines; each keeps its place in the whole list as its key. */
function groups(entries: readonly (MenuEntry | null)[]): { key: number; entry: MenuEntry }[][] {
  const all: { key: number; entry: MenuEntry }[][] = [[]];
  for (const [key, entry] of entries.entries()) {
    if (entry) all.at(-1)?.push({ key, entry });
    else if (all.at(-1)?.length) all.push([]);
  }
  return all.filter((group) => group.length > 0);
}

function Item({ id, entry }: { id: number; entry: MenuEntry }) {
  const icon = entry.checked ? "check" : entry.icon;
  return (
    <MenuItem
      id={id}
      textValue={entry.label}
      className={`menu-item popup-item${entry.danger ? " danger" : ""}${entry.disabled ? " is-disabled" : ""}`}
    >
      {icon ? <Icon name={icon} /> : <span className="popup-gap" />}
      <span>{entry.label}</span>
      {entry.folder ? <FolderPath of={entry.folder} /> : null}
      {entry.disabled || entry.keys ? (
        <span className="key">{entry.disabled ?? entry.keys}</span>
      ) : null}
    </MenuItem>
  );
}

function PopupDialog({ dialog }: { dialog: DialogState }) {
  const { field, choices } = dialog;
  const [text, setText] = useState(field?.value ?? "");
  const [tried, setTried] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { busy, refusal, send, leave, forget } = useAnswer(dialog, input);
  const problem = field?.problem?.(text) ?? null;
  const primary = choices.find((choice) => choice.primary);
  // Nobody is told off before they typed anything.
  const said = problem !== null && (tried || text !== field?.value) ? problem : refusal;
  return (
    <ModalOverlay
      isOpen
      isDismissable={field === null}
      onOpenChange={(open) => {
        if (!open) leave();
      }}
      className="popup-scrim"
    >
      <Modal className="popup-modal">
        <Dialog className="dialog popup-dialog">
          <form
            aria-busy={busy}
            onSubmit={(event) => {
              event.preventDefault();
              setTried(true);
              if (primary && problem === null) void send(primary.value, text);
            }}
          >
            <Header>
              <Heading slot="title" level={2}>
                {dialog.title}
              </Heading>
            </Header>
            <div className="body popup-body">
              {dialog.text ? <p>{dialog.text}</p> : null}
              {field ? (
                <TextField
                  className="field"
                  value={text}
                  onChange={(value) => {
                    setText(value);
                    forget();
                  }}
                  isReadOnly={busy}
                  isInvalid={said !== ""}
                  validationBehavior="aria"
                  autoFocus
                >
                  <Label className="label">{field.label}</Label>
                  <span className={`input${said ? " is-error" : ""}`}>
                    <Input
                      ref={input}
                      spellCheck={false}
                      autoComplete="off"
                      onFocus={(event) => event.currentTarget.select()}
                    />
                  </span>
                  <FieldError className="error">
                    {said === refusal ? <span role="alert">{said}</span> : said}
                  </FieldError>
                </TextField>
              ) : null}
            </div>
            <footer>
              {choices.map((choice) => (
                <button
                  key={choice.value}
                  type={choice.primary ? "submit" : "button"}
                  className={`btn btn-lg ${choice.primary ? (choice.danger ? "btn-danger" : "btn-primary") : "btn-ghost"}`}
                  disabled={choice.primary === true && problem !== null}
                  // Disabled, it would lose the focus.
                  aria-disabled={choice.primary === true && busy}
                  // biome-ignore lint/a11y/noAutofocus: a question without a field begins at its answer
                  autoFocus={choice.primary === true && field === null}
                  onClick={choice.primary ? undefined : () => leave(choice.value)}
                >
                  {choice.primary && busy ? <span className="spinner" aria-hidden="true" /> : null}
                  {choice.label}
                </button>
              ))}
            </footer>
          </form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** The way of an answer: done at once, or sent and waited for, while the question stands with what was typed. */
function useAnswer(dialog: DialogState, input: RefObject<HTMLInputElement | null>) {
  const [wish, setWish] = useState<AbortController | null>(null);
  const [refusal, setRefusal] = useState("");
  const answer = (value: string | null, text: string) =>
    closeAndGiveBack(() => dialog.answer(value, text), dialog.from);
  const send = async (value: string, text: string) => {
    if (wish) return;
    if (!dialog.field?.send) return answer(value, text);
    const asking = new AbortController();
    setWish(asking);
    setRefusal("");
    try {
      await dialog.field.send(text, asking.signal);
      answer(value, text);
    } catch (error) {
      if (asking.signal.aborted) return;
      const { fields, detail } = failureOf(error);
      setRefusal(Object.values(fields ?? {})[0] ?? detail);
      setWish(null);
      input.current?.focus();
    }
  };
  const leave = (value: string | null = null) => {
    wish?.abort();
    answer(value, "");
  };
  return { busy: wish !== null, refusal, send, leave, forget: () => setRefusal("") };
}
