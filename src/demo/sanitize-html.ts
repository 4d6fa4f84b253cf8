// Rebuilds HTML from an allow-list: what comes out was written by this file alone, tag by tag, attribute by attribute.
// It never passes markup through, so there is no form of input that "slips by": the worst is that text gets lost.
// None of the elements it writes switches a browser's parser to another mode, so escaped text stays text.

import { Parser } from "htmlparser2";

const ALLOWED_TAGS = new Set(
  ["p", "br", "hr", "strong", "em", "s", "del", "code", "pre", "blockquote", "a"].concat(
    ["ul", "ol", "li"],
    ["table", "thead", "tbody", "tr", "th", "td"],
  ),
);
const VOID_TAGS = new Set(["br", "hr"]);

/** Their content is no text for readers. Everything else that is not allowed loses its tags and keeps its text. */
const DROPPED_WITH_CONTENT = new Set(
  ["script", "style", "template", "title", "textarea", "xmp", "plaintext", "select", "noscript"].concat([
    "iframe",
    "noembed",
    "noframes",
    "object",
    "svg",
    "math",
    "audio",
    "video",
    "canvas",
  ]),
);

const LINK_SCHEMES = new Set(["http:", "https:", "mailto:"]);
/** `ugc` and `nofollow`: somebody on the internet wrote this; the other two keep the opened page away from ours. */
const LINK_ATTRIBUTES = ' target="_blank" rel="noopener noreferrer nofollow ugc"';

export function sanitizeHtml(html: string): string {
  const writer = new AllowedWriter();
  const parser = new Parser(
    {
      onopentag: (name, attributes) => writer.open(name, attributes),
      ontext: (text) => writer.text(text),
      onclosetag: (name) => writer.close(name),
    },
    { decodeEntities: true },
  );
  parser.end(html);
  return writer.finish();
}

class AllowedWriter {
  #html = "";
  /** Written and not closed yet. The output is well-formed whatever the input was. */
  readonly #openTags: string[] = [];
  readonly #dropping: string[] = [];

  open(name: string, attributes: Record<string, string>): void {
    if (DROPPED_WITH_CONTENT.has(name)) this.#dropping.push(name);
    if (this.#dropping.length > 0 || !ALLOWED_TAGS.has(name)) return;
    this.#html += `<${name}${allowedAttributes(name, attributes)}>`;
    if (!VOID_TAGS.has(name)) this.#openTags.push(name);
  }

  text(text: string): void {
    if (this.#dropping.length === 0) this.#html += escapeHtml(text);
  }

  close(name: string): void {
    if (this.#dropping.length > 0) {
      if (this.#dropping.at(-1) === name) this.#dropping.pop();
      return;
    }
    const depth = this.#openTags.lastIndexOf(name);
    if (depth !== -1) this.#closeDownTo(depth);
  }

  finish(): string {
    this.#closeDownTo(0);
    return this.#html;
  }

  #closeDownTo(depth: number): void {
    for (const name of this.#openTags.splice(depth).reverse()) this.#html += `</${name}>`;
  }
}

function allowedAttributes(name: string, attributes: Record<string, string>): string {
  const { href, start } = attributes;
  if (name === "ol" && start !== undefined && /^\d{1,9}$/.test(start)) return ` start="${start}"`;
  if (name !== "a" || href === undefined) return "";
  const url = safeLink(href);
  return url === undefined ? "" : ` href="${escapeHtml(url)}"${LINK_ATTRIBUTES}`;
}

/** The address as the browser will read it, if it leads to where a link in a chat may lead. Relative ones do not. */
function safeLink(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined;
  const url = new URL(href);
  return LINK_SCHEMES.has(url.protocol) ? url.href : undefined;
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}
