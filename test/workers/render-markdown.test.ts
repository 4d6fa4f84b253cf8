import fc from "fast-check";
import { describe, expect, test } from "vitest";
import renderMarkdown from "../../workers/render-markdown.ts";

/** Every tag that may ever come out, with every attribute it may have. */
const SAFE_TAG =
  /^<(?:\/?(?:p|strong|em|s|del|code|pre|blockquote|ul|ol|li|table|thead|tbody|tr|th|td|a)|br|hr|ol start="\d{1,9}"|a href="(?:https?:\/\/|mailto:)[^"<>]*" target="_blank" rel="noopener noreferrer nofollow ugc")>$/;

function unsafeTagsOf(html: string): string[] {
  return (html.match(/<[^>]*>?/g) ?? []).filter((tag) => !SAFE_TAG.test(tag));
}

describe("render-markdown", () => {
  test.each([
    ["**bold** *em* ~~gone~~ `code`", "<p><strong>bold</strong> <em>em</em> <s>gone</s> <code>code</code></p>\n"],
    ["one\ntwo", "<p>one<br>\ntwo</p>\n"],
    ["# Big", "<p><strong>Big</strong></p>\n"],
    ["```js\na < b\n```", "<pre><code>a &lt; b\n</code></pre>\n"],
    ["3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'],
    ["> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>\n"],
    ["a & b < c", "<p>a &amp; b &lt; c</p>\n"],
    ["see readme.md", "<p>see readme.md</p>\n"],
  ])("renders %j", (text, html) => {
    expect(renderMarkdown(text)).toBe(html);
  });

  test("makes addresses links that open apart and give nothing away", () => {
    const html = renderMarkdown("https://a.example/b");

    expect(html).toBe(
      '<p><a href="https://a.example/b" target="_blank" rel="noopener noreferrer nofollow ugc">https://a.example/b</a></p>\n',
    );
  });

  test.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![track me](https://x.example/pixel.png)",
    "![x][y]\n\n[y]: https://x.example/pixel.png",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](  javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml,<svg onload=alert(1)>)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    '[x](https://a.example/"onclick="alert(1))',
    `[x](https://a.example 'title" onclick="alert(1)')`,
    "<javascript:alert(1)>",
    "<https://a.example/><script>alert(1)</script>",
    "[x][y]\n\n[y]: javascript:alert(1)",
    "`<script>`",
    "    <script>alert(1)</script>",
    '```"><script>alert(1)</script>\nx\n```',
    "<svg/onload=alert(1)>",
    "<style>@import '//x.example'</style>",
    "<div style='position:fixed;inset:0'>x</div>",
    "<a href='#' style='background:url(//x.example)'>x</a>",
    "|a|b|\n|:-|-:|\n|<script>|`x`|",
    "[![x](javascript:alert(1))](javascript:alert(2))",
    "\u0000<script>\u0000",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<details open ontoggle=alert(1)>",
  ])("lets nothing through of %j", (text) => {
    const html = renderMarkdown(text);

    expect(unsafeTagsOf(html)).toEqual([]);
  });

  test("lets nothing through of whatever it is fed", () => {
    const pieces = fc.constantFrom(
      ..."<>\"'&`*_~[]()!#|\n\t :/\\".split(""),
      ...[
        "script",
        "javascript:",
        "onerror=",
        "<svg",
        "<!--",
        "-->",
        "]]>",
        "&#x6A;",
        "https://a.example",
        "```",
        "<a href=",
        "data:",
      ],
    );
    const texts = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(""));

    fc.assert(
      fc.property(texts, (text) => {
        expect(unsafeTagsOf(renderMarkdown(text))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["quotes in quotes", ">".repeat(4000)],
    ["brackets", "[".repeat(4000)],
    ["links that never end", "[a](".repeat(1000)],
    ["emphasis", "*a _".repeat(1000)],
    ["lists in lists", Array.from({ length: 60 }, (_, depth) => `${"  ".repeat(depth)}- x`).join("\n")],
    ["backticks", "`".repeat(3999)],
    ["entities", "&amp;".repeat(800)],
  ])("is soon done with 4000 characters of %s", (_what, text) => {
    // Quadratic work would be seconds here; the test's own timeout is the check.
    expect(unsafeTagsOf(renderMarkdown(text.slice(0, 4000)))).toEqual([]);
  });

  test("does not fill up tables that a few characters would make huge", () => {
    const table = `|${"a|".repeat(500)}\n|${"-|".repeat(500)}\n${"|\n".repeat(900)}`;

    const html = renderMarkdown(table.slice(0, 4000));

    expect(html).not.toContain("<td>");
    expect(html.length).toBeLessThan(20_000);
  });

  test("draws tables as people write them", () => {
    const html = renderMarkdown("| a | b |\n|---|---|\n| 1 | 2 |");

    expect(html.match(/<t[hd]>.<\/t[hd]>/g)).toEqual(["<th>a</th>", "<th>b</th>", "<td>1</td>", "<td>2</td>"]);
  });

  test("refuses what would grow too large", () => {
    expect(() => renderMarkdown("<a@b.c>".repeat(571))).toThrow(RangeError);
  });

  test.each([undefined, null, 7, {}, ["a"]])("refuses %j as payload", (payload) => {
    expect(() => renderMarkdown(payload)).toThrow(TypeError);
  });

  test("refuses a text that is too long", () => {
    expect(() => renderMarkdown("x".repeat(4001))).toThrow(RangeError);
  });
});
