// Task: a chat message in Markdown to HTML that is safe to show.
// Two walls: markdown-it lets no HTML of the author through, and whatever it makes is rebuilt from an allow-list.

import MarkdownIt from "markdown-it";
import { sanitizeHtml } from "../src/demo/sanitize-html.ts";

const MAX_TEXT_LENGTH = 4000;
/** Markdown can grow when it is rendered: past this a message is shown as plain text. */
const MAX_HTML_LENGTH = 40_000;
const MAX_NESTING = 20;
/** Rows are filled up to the width of their table: 4000 characters can make 65,536 cells and keep a thread for a second. */
const MAX_TABLE_CELLS = 3000;

const withTables = createRenderer();
const withoutTables = createRenderer().disable("table");

export default function renderMarkdown(text: unknown): string {
  if (typeof text !== "string") throw new TypeError("The payload must be a string.");
  if (text.length > MAX_TEXT_LENGTH) throw new RangeError(`The text is longer than ${MAX_TEXT_LENGTH} characters.`);

  const markdown = mostTableCells(text) > MAX_TABLE_CELLS ? withoutTables : withTables;
  const html = sanitizeHtml(markdown.render(text));
  if (html.length > MAX_HTML_LENGTH) throw new RangeError(`The HTML is longer than ${MAX_HTML_LENGTH} characters.`);
  return html;
}

function createRenderer(): InstanceType<typeof MarkdownIt> {
  const markdown = new MarkdownIt({ html: false, linkify: true, breaks: true, maxNesting: MAX_NESTING });
  // An image would have every reader's browser call a host that the author chose.
  markdown.disable("image");
  // Only what looks like an address with a scheme: `readme.md` is no link to Moldova.
  markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  // The page has its own outline of headings: those of a message are only bold.
  markdown.renderer.rules.heading_open = () => "<p><strong>";
  markdown.renderer.rules.heading_close = () => "</strong></p>\n";
  return markdown;
}

/** If every line were a row of a table as wide as the line with the most bars. */
function mostTableCells(text: string): number {
  const lines = text.split("\n");
  return lines.length * Math.max(...lines.map((line) => line.split("|").length));
}
