// The few things every part of the page does with the document.

/** The element of that id. The page is ours, so a missing one is a mistake in it. */
export function byId<E extends HTMLElement>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`The page has no #${id} of the right kind.`);
}

/** The first descendant that matches; the same holds. */
export function find<E extends Element>(parent: ParentNode, selector: string, type: new () => E): E {
  const element = parent.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${selector} of the right kind.`);
}

/** A copy of the one element in a template. */
export function copyTemplate(id: string): HTMLElement {
  const { content } = byId(id, HTMLTemplateElement);
  const copy = document.importNode(content, true).firstElementChild;
  if (copy instanceof HTMLElement) return copy;
  throw new Error(`The template #${id} is empty.`);
}

/** Text, and out of sight when there is none. */
export function setText(element: HTMLElement, text: string): void {
  element.textContent = text;
  element.hidden = text === "";
}
