// The only door for HTML into the page. What comes through was made by the pool's renderer; the browser refuses any
// other way in (`require-trusted-types-for` in the page's policy), and runs no script that came this way.

interface HtmlPolicy {
  createHTML: (html: string) => string;
}
interface PolicyFactory {
  createPolicy: (name: string, rules: HtmlPolicy) => HtmlPolicy;
}

const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory };
const rules: HtmlPolicy = { createHTML: (html) => html };
const policy = trustedTypes?.createPolicy("rendered-markdown", rules) ?? rules;

export function setRenderedHtml(element: HTMLElement, html: string): void {
  element.innerHTML = policy.createHTML(html);
}
