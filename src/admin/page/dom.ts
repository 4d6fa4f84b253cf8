// The little that the page needs of a DOM library.

/** Makes an element with a class, an optional text and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

/** The element of index.html with this id. */
export function find(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element;
}

/** Touches the document only when the text is another, so that a selection survives. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A badge shows a state by word and colour. */
export function setBadge(badge: HTMLElement, state: string): void {
  setText(badge, state);
  badge.dataset.state = state;
}
